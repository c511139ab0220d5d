use std::collections::BTreeMap;

use definition::{Compression, OutputFormat};
use delivery::documents::{Part, sha256_hex};
use delivery::effects::{Fault, Merged};
use landing::{PartSpec, merge};
use proptest::prelude::*;

use crate::bucket::Bucket;
use crate::rows::{noise, row, spec, write};

fn small_parts(rows: u32) -> PartSpec {
    let mut spec = spec(OutputFormat::Ndjson, Compression::None);
    spec.limits.rows = rows;
    spec
}

/// What merging finds, told by rows in memory instead of hashes in files.
fn model(parts: &[Vec<String>]) -> (Merged, Vec<String>) {
    let mut merged = Merged {
        without: vec![Vec::new(); parts.len()],
        ..Merged::default()
    };
    let mut by_key: BTreeMap<&str, Vec<(usize, usize)>> = BTreeMap::new();
    for (part, rows) in parts.iter().enumerate() {
        for (number, row) in rows.iter().enumerate() {
            merged.rows += 1;
            by_key.entry(&row[..20]).or_default().push((part, number));
        }
    }
    let text = |(part, number): (usize, usize)| &parts[part][number];
    let mut stay = Vec::new();
    for places in by_key.values() {
        let newest = text(places[places.len() - 1]);
        let first = |place: &(usize, usize)| places.iter().position(|p| text(*p) == text(*place));
        for (nth, place) in places.iter().enumerate() {
            if first(place) != Some(nth) {
                merged.duplicates += 1;
            } else if text(*place) != newest {
                merged.replaced += 1;
            } else {
                stay.push(newest.clone());
                continue;
            }
            merged.without[place.0].push(u32::try_from(place.1).unwrap());
        }
    }
    for rows in &mut merged.without {
        rows.sort_unstable();
    }
    (merged, stay)
}

/// The content hash of rows that are all different: that of their one sidecar.
async fn content(bucket: &Bucket, rows: &[String]) -> String {
    if rows.is_empty() {
        return sha256_hex(b"");
    }
    let parts = write(bucket, &small_parts(100_000), rows).await;
    let keys = bucket.stored(&parts[0].keys.key).unwrap();
    let (entries, _) = keys.as_chunks::<28>();
    sha256_hex(
        &entries
            .iter()
            .flat_map(|entry| entry[..24].to_vec())
            .collect::<Vec<u8>>(),
    )
}

async fn check(rows: &[String], rows_of_a_part: u32) {
    let bucket = Bucket::new().await;
    let parts = write(&bucket, &small_parts(rows_of_a_part), rows).await;
    let chunks = rows.chunks(rows_of_a_part as usize).map(<[String]>::to_vec);
    let (mut expected, stay) = model(&chunks.collect::<Vec<_>>());
    expected.content = content(&bucket, &stay).await;
    assert_eq!(merge(&bucket.store(), &parts).await, Ok(expected));
}

#[tokio::test]
async fn no_parts_are_no_rows() {
    check(&[], 10).await;
}

#[tokio::test]
async fn a_row_that_returns_is_the_newest_again() {
    let [a, b] = [row(1, 1), row(1, 2)];
    let bucket = Bucket::new().await;
    let rows = [a.clone(), b, a];
    let parts = write(&bucket, &small_parts(1), &rows).await;
    let merged = merge(&bucket.store(), &parts).await.unwrap();
    assert_eq!(merged.without, [vec![], vec![0], vec![0]]);
    assert_eq!((merged.duplicates, merged.replaced), (1, 1));
    check(&rows, 1).await;
}

#[test]
fn merging_finds_what_a_set_in_memory_finds() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let rows = prop::collection::vec((0..12_u64, 0..3_u64), 0..40);
    proptest!(ProptestConfig::with_cases(48), |(rows in rows, size in 1..12_u32)| {
        let rows: Vec<String> = rows.into_iter().map(|(agent, salt)| row(agent, salt)).collect();
        runtime.block_on(check(&rows, size));
    });
}

#[tokio::test]
async fn sidecars_larger_than_a_piece_are_merged() {
    let rows: Vec<String> = (0..320_000)
        .map(|n| row(noise(n) % 240_000, n / 316_000))
        .collect();
    let bucket = Bucket::new().await;
    let parts = write(&bucket, &small_parts(80_000), &rows).await;
    let chunks = rows.chunks(80_000).map(<[String]>::to_vec);
    let (expected, _) = model(&chunks.collect::<Vec<_>>());
    let merged = merge(&bucket.store(), &parts).await.unwrap();
    assert!(merged.duplicates > 80_000 && merged.replaced > 1_000);
    let content = merged.content.clone();
    assert_eq!(
        merged,
        Merged {
            content,
            ..expected
        }
    );
}

#[tokio::test]
async fn the_order_of_rows_does_not_change_the_content() {
    let bucket = Bucket::new().await;
    let mut rows: Vec<String> = (0..500).map(|n| row(n, n)).collect();
    let one = merge(
        &bucket.store(),
        &write(&bucket, &small_parts(70), &rows).await,
    )
    .await;
    rows.reverse();
    let other = merge(
        &bucket.store(),
        &write(&bucket, &small_parts(500), &rows).await,
    )
    .await;
    assert_eq!(one.unwrap().content, other.unwrap().content);
}

#[tokio::test]
async fn a_sidecar_that_is_not_what_it_was_is_refused() {
    let bucket = Bucket::new().await;
    let rows: Vec<String> = (0..50).map(|n| row(n, n)).collect();
    let parts = write(&bucket, &small_parts(50), &rows).await;
    let whole = bucket.stored(&parts[0].keys.key).unwrap();
    let refused = async |keys: &[u8], parts: &[Part]| {
        bucket.put(&parts[0].keys.key, keys).await;
        let answer = merge(&bucket.store(), parts).await;
        assert!(matches!(answer, Err(Fault::Contract(_))), "{answer:?}");
    };
    let mut flipped = whole.clone();
    flipped[20] ^= 1;
    refused(&flipped, &parts).await;
    let mut swapped = whole.clone();
    swapped.rotate_left(28);
    refused(&swapped, &parts).await;
    refused(&whole[..whole.len() - 28], &parts).await;
    let fewer = Part {
        rows: 49,
        ..parts[0].clone()
    };
    refused(&whole, &[fewer]).await;
}

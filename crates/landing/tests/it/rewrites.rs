use definition::{Compression, Definition, OutputFormat};
use delivery::documents::Part;
use delivery::effects::{CompareRequest, Difference, Fault, RewriteRequest};
use landing::{PartSpec, compare, rewrite};

use crate::bucket::Bucket;
use crate::rows::{FORMS, assert_holds, row, write};

fn definition(format: OutputFormat, compression: Compression) -> Definition {
    let json = format!(
        r#"{{"name":"Daily","schedule":{{"type":"daily","time":"06:00","timezone":"UTC"}},
        "report":{{"type":"agent","metrics":["handleTime"],"dimensions":["agentId"],"filters":[],
        "dateRange":{{"type":"relative","value":"previousDay"}},"grouping":["agentId"]}},
        "delivery":{{"type":"api"}},
        "pipeline":{{"tenant":"acme","format":"{format}","compression":"{compression}"}}}}"#
    );
    Definition::parse(json).unwrap().definition
}

fn request(part: &Part, without: Vec<u32>, definition: &Definition) -> RewriteRequest {
    RewriteRequest {
        part: part.clone(),
        without,
        definition: Box::new(definition.clone()),
        part_prefix: "data/merged-".to_owned(),
    }
}

fn without(rows: &[String], without: &[u32]) -> Vec<String> {
    let stays = |(n, _): &(usize, &String)| !without.contains(&u32::try_from(*n).unwrap());
    rows.iter()
        .enumerate()
        .filter(stays)
        .map(|(_, row)| row.clone())
        .collect()
}

/// A rewritten part is the part that the remaining rows would have made.
async fn check(rows: &[String], left_out: &[u32]) {
    for (format, compression) in FORMS {
        let bucket = Bucket::new().await;
        let definition = definition(format, compression);
        let spec = PartSpec {
            columns: crate::rows::spec(format, compression).columns,
            ..PartSpec::from(&definition)
        };
        let old = write(&bucket, &spec, rows).await;
        let request = request(&old[0], left_out.to_vec(), &definition);
        let new = rewrite(&bucket.store(), request).await.unwrap();
        let remaining = without(rows, left_out);
        assert!(new.key.starts_with("data/merged-"));
        assert_holds(&bucket, &spec, std::slice::from_ref(&new), &remaining);
        if !remaining.is_empty() {
            let fresh = write(&bucket, &spec, &remaining).await;
            assert_eq!(new.keys.sha256, fresh[0].keys.sha256);
        }
        let parts = vec![old[0].clone(), new];
        assert_eq!(bucket.store().check_parts(parts).await, Ok(None));
    }
}

#[tokio::test]
async fn rows_are_left_out_and_the_others_survive() {
    let rows: Vec<String> = (0..5_000).map(|n| row(n, n * 7)).collect();
    check(&rows, &[0, 1, 17, 2_500, 4_998, 4_999]).await;
    check(&rows[..3], &[1]).await;
    check(&rows[..3], &[]).await;
    check(&rows[..3], &[0, 1, 2]).await;
}

#[tokio::test]
async fn a_part_that_is_not_what_it_was_is_not_rewritten() {
    let bucket = Bucket::new().await;
    let definition = definition(OutputFormat::Ndjson, Compression::None);
    let spec = PartSpec::from(&definition);
    let rows: Vec<String> = (0..100).map(|n| row(n, n)).collect();
    let part = write(&bucket, &spec, &rows).await.remove(0);
    let mut stored = bucket.stored(&part.key).unwrap();
    let refused = async |part: &Part, without: Vec<u32>| {
        let answer = rewrite(&bucket.store(), request(part, without, &definition)).await;
        assert!(matches!(answer, Err(Fault::Contract(_))), "{answer:?}");
    };
    refused(&part, vec![100]).await;
    refused(&part, vec![3, 2]).await;
    let fewer = Part {
        rows: 99,
        ..part.clone()
    };
    refused(&fewer, vec![1]).await;
    stored[50] ^= 1;
    bucket.put(&part.key, &stored).await;
    refused(&part, vec![1]).await;
    bucket.put(&part.key, &stored[1..]).await;
    refused(&part, vec![1]).await;
}

#[tokio::test]
async fn the_columns_are_named_in_which_rows_of_one_key_differ() {
    for (format, compression) in FORMS {
        let bucket = Bucket::new().await;
        let mut spec = crate::rows::spec(format, compression);
        spec.limits.rows = 10;
        // Agent 2's notes have quotes, a comma and a line end; agents of other keys stand between.
        let mut rows: Vec<String> = (0..30).map(|agent| row(agent, 1)).collect();
        let same = CompareRequest {
            parts: write(&bucket, &spec, &rows).await,
            definition: Box::new(definition(format, compression)),
        };
        assert_eq!(compare(&bucket.store(), &same).await, Ok(None));
        rows.push(row(2, 2));
        rows.push(rows[0].clone());
        rows.push(row(4, 9));
        let parts = write(&bucket, &spec, &rows).await;
        let request = CompareRequest {
            parts: parts.clone(),
            ..same
        };
        let found = compare(&bucket.store(), &request).await.unwrap().unwrap();
        let Difference { part, row, columns } = found;
        assert_eq!(columns, ["handled", "note"], "{format} {compression}");
        assert!(
            part == parts[0].key && [2, 4].contains(&row),
            "{part} {row}"
        );
    }
}

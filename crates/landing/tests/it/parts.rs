use definition::rows::{RowEnd, RowValue, Rows, ValueKind};
use definition::{ColumnNames, Compression, OutputFormat};
use delivery::effects::{ClosedParts, Fault};
use hyper::Method;
use landing::PartSet;

use crate::bucket::{Bucket, Fault as Broken};
use crate::rows::{FORMS, assert_holds, lines, noise, row, spec, write};

fn rows(count: u64) -> Vec<String> {
    (0..count).map(|n| row(noise(n) % 1_000_000, n)).collect()
}

/// Rows that compression can't make much smaller: about 150 bytes each.
fn bulky(count: u64) -> Vec<String> {
    const DIGITS: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
    let digit = |n: u64| char::from(DIGITS[usize::try_from(noise(n) >> 58).unwrap()]);
    let note = |n: u64| (0..100).map(|k| digit(n * 100 + k)).collect::<String>();
    let row = |n| {
        format!(
            r#"{{"agentId":"{n}","note":"{}","handled":1,"average":1.50}}"#,
            note(n)
        )
    };
    (0..count).map(row).collect()
}

/// A large part lands whole although one request goes wrong.
async fn check_large(method: Method, part: &'static str, times: usize, broken: Broken) {
    let bucket = Bucket::new().await;
    bucket.fault(method, part, times, broken);
    let spec = spec(OutputFormat::Ndjson, Compression::None);
    let rows = bulky(90_000);
    let parts = write(&bucket, &spec, &rows).await;
    assert!(parts[0].bytes > 2 * 5 * 1024 * 1024);
    assert_holds(&bucket, &spec, &parts, &rows);
    bucket.heal();
    assert_eq!(bucket.store().check_parts(parts).await, Ok(None));
    assert_eq!(bucket.open_uploads(), 0);
}

#[tokio::test]
async fn rows_land_in_every_form() {
    let rows = rows(2_500);
    for (format, compression) in FORMS {
        let bucket = Bucket::new().await;
        let mut spec = spec(format, compression);
        spec.limits.rows = 700;
        let parts = write(&bucket, &spec, &rows).await;
        let counts: Vec<u64> = parts.iter().map(|part| part.rows).collect();
        assert_eq!(counts, [700, 700, 700, 400]);
        assert_holds(&bucket, &spec, &parts, &rows);
        assert_eq!(bucket.store().check_parts(parts).await, Ok(None));
    }
}

#[tokio::test]
async fn large_parts_land_in_every_form() {
    let rows = bulky(120_000);
    for (format, compression) in FORMS {
        let bucket = Bucket::new().await;
        let mut spec = spec(format, compression);
        spec.limits.rows = 120_000;
        let parts = write(&bucket, &spec, &rows).await;
        assert_eq!(parts.len(), 1);
        assert!(parts[0].bytes > 8 * 1024 * 1024);
        assert_holds(&bucket, &spec, &parts, &rows);
        assert_eq!(bucket.store().check_parts(parts).await, Ok(None));
        assert_eq!(bucket.open_uploads(), 0);
    }
}

#[tokio::test]
async fn a_part_rolls_when_it_is_large_enough() {
    let bucket = Bucket::new().await;
    let mut spec = spec(OutputFormat::Csv, Compression::None);
    spec.limits.bytes = 6 * 1024 * 1024;
    let rows = bulky(120_000);
    let parts = write(&bucket, &spec, &rows).await;
    assert!(parts.len() > 1);
    assert!(parts.iter().all(|part| part.bytes < 7 * 1024 * 1024));
    assert_holds(&bucket, &spec, &parts, &rows);
}

#[tokio::test]
async fn no_rows_are_no_part() {
    let bucket = Bucket::new().await;
    let parts = PartSet::new(
        bucket.store(),
        spec(OutputFormat::Csv, Compression::Gzip),
        "data/".to_owned(),
    );
    assert_eq!(parts.close().await, Ok(ClosedParts::default()));
}

#[tokio::test]
async fn a_lost_answer_does_not_lose_a_part() {
    check_large(Method::POST, "uploadId=", 1, Broken::LoseAnswer).await;
    check_large(Method::PUT, "partNumber=2", 1, Broken::LoseAnswer).await;
    check_large(Method::PUT, ".keys", 1, Broken::LoseAnswer).await;
    check_large(
        Method::POST,
        "?uploads",
        1,
        Broken::Refuse(500, "InternalError"),
    )
    .await;
}

#[tokio::test]
async fn a_busy_store_does_not_lose_a_part() {
    check_large(
        Method::PUT,
        "partNumber=1",
        5,
        Broken::Refuse(503, "SlowDown"),
    )
    .await;
    check_large(
        Method::POST,
        "uploadId=",
        5,
        Broken::Refuse(503, "SlowDown"),
    )
    .await;
    check_large(
        Method::POST,
        "uploadId=",
        1,
        Broken::DoneBut(404, "NoSuchUpload"),
    )
    .await;
}

#[tokio::test]
async fn a_small_part_survives_a_lost_answer() {
    let bucket = Bucket::new().await;
    bucket.fault(Method::PUT, ".ndjson.gz", 1, Broken::LoseAnswer);
    let spec = spec(OutputFormat::Ndjson, Compression::Gzip);
    let rows = rows(10);
    let parts = write(&bucket, &spec, &rows).await;
    assert_holds(&bucket, &spec, &parts, &rows);
}

#[tokio::test]
async fn what_is_discarded_never_appears() {
    let bucket = Bucket::new().await;
    let spec = spec(OutputFormat::Ndjson, Compression::None);
    let mut parts = PartSet::new(bucket.store(), spec, "data/".to_owned());
    parts
        .append_rows(Rows::unknown(&lines(&bulky(90_000))))
        .await
        .unwrap();
    assert!(bucket.open_uploads() > 0);
    assert!(parts.stored_bytes() > 10 * 1024 * 1024);
    parts.discard().await;
    assert_eq!(bucket.open_uploads(), 0);
    assert_eq!(bucket.stored("data"), None);
}

#[tokio::test]
async fn an_upload_that_can_not_be_completed_is_given_up() {
    let bucket = Bucket::new().await;
    let spec = spec(OutputFormat::Ndjson, Compression::None);
    let mut parts = PartSet::new(bucket.store(), spec, "data/".to_owned());
    parts
        .append_rows(Rows::unknown(&lines(&bulky(90_000))))
        .await
        .unwrap();
    let denied = Broken::Refuse(403, "AccessDenied");
    bucket.fault(Method::POST, "uploadId=", 1, denied);
    let closed = parts.close().await;
    assert!(matches!(closed, Err(Fault::Config(_))), "{closed:?}");
    assert_eq!(bucket.open_uploads(), 0);
}

#[tokio::test]
async fn a_denied_upload_says_what_is_missing() {
    let bucket = Bucket::new().await;
    bucket.fault(
        Method::POST,
        "?uploads",
        9,
        Broken::Refuse(403, "AccessDenied"),
    );
    let spec = spec(OutputFormat::Ndjson, Compression::None);
    let mut parts = PartSet::new(bucket.store(), spec, "data/".to_owned());
    let Err(Fault::Config(message)) = parts
        .append_rows(Rows::unknown(&lines(&bulky(90_000))))
        .await
    else {
        panic!("an upload was denied")
    };
    assert!(message.contains("s3:PutObject"), "{message}");
}

#[tokio::test]
async fn a_row_without_its_key_is_named_but_not_quoted() {
    let bucket = Bucket::new().await;
    let mut parts = PartSet::new(
        bucket.store(),
        spec(OutputFormat::Ndjson, Compression::Gzip),
        "data/".to_owned(),
    );
    parts
        .append_rows(Rows::unknown(&lines(&rows(3))))
        .await
        .unwrap();
    let refused = |line: &[u8]| line.to_vec();
    let missing = refused(b"{\"agentId\":\"a\"}\n{\"note\":\"secret\"}\n");
    assert_eq!(
        parts.append_rows(Rows::unknown(&missing)).await,
        Err(Fault::Contract(
            "row 4 of the batch has no key column agentId".to_owned()
        ))
    );
    let twice = refused(b"{\"agentId\":\"secret\",\"agentId\":\"secret\"}\n");
    let Err(Fault::Contract(message)) = parts.append_rows(Rows::unknown(&twice)).await else {
        panic!("a key column was there twice")
    };
    assert!(
        message.contains("agentId") && !message.contains("secret"),
        "{message}"
    );
}

/// Rows of the same members, and the values of all but the first.
fn with_values(rows: &[String]) -> (Vec<RowEnd>, Vec<RowValue>) {
    let (mut ends, mut values, mut bytes) = (Vec::new(), Vec::new(), 0);
    for (nth, row) in rows.iter().enumerate() {
        for member in row.trim_matches(['{', '}']).split(',').filter(|_| nth > 0) {
            let (_, value) = member.split_once(':').unwrap();
            let kind = match value.as_bytes()[0] {
                b'"' => ValueKind::Text,
                _ if value.contains('.') => ValueKind::Decimal,
                _ => ValueKind::Integer,
            };
            values.push(RowValue::new(value.len(), kind, value.contains('\\')).unwrap());
        }
        bytes += row.len() + 1;
        let values = values.len();
        ends.push(RowEnd { bytes, values });
    }
    (ends, values)
}

#[tokio::test]
async fn values_that_are_known_change_nothing_but_the_time() {
    let rows = bulky(2_500);
    for (format, compression) in FORMS {
        let bucket = Bucket::new().await;
        let mut spec = spec(format, compression);
        spec.limits.rows = 700;
        let create = || PartSet::new(bucket.store(), spec.clone(), "data/".to_owned());
        let (mut found, mut known) = (create(), create());
        for chunk in rows.chunks(1_000) {
            let lines = lines(chunk);
            found.append_rows(Rows::unknown(&lines)).await.unwrap();
            let (ends, values) = with_values(chunk);
            known
                .append_rows(Rows::new(&lines, &ends, &values))
                .await
                .unwrap();
        }
        assert_eq!(known.row_count(), 2_500);
        let (found, known) = (found.close().await.unwrap(), known.close().await.unwrap());
        assert_eq!(known.columns, found.columns);
        let stored = |closed: &ClosedParts| -> Vec<_> {
            let parts = closed.parts.iter();
            parts
                .map(|part| (part.rows, part.sha256.clone(), part.keys.sha256.clone()))
                .collect()
        };
        assert_eq!(stored(&known), stored(&found));
        assert_holds(&bucket, &spec, &known.parts, &rows);
    }
}

#[tokio::test]
async fn values_of_another_row_are_found_again() {
    let bucket = Bucket::new().await;
    let spec = spec(OutputFormat::Ndjson, Compression::None);
    let mut parts = PartSet::new(bucket.store(), spec, "data/".to_owned());
    let rows = b"{\"agentId\":\"a\"}\n{\"agentId\":\"b\",\"note\":1}\n";
    let value = RowValue::new(3, ValueKind::Text, false).unwrap();
    let ends = [(16, 0), (41, 1)].map(|(bytes, values)| RowEnd { bytes, values });
    // Values of a row that no row was written before, and too few values.
    let values = [value];
    let known = [RowEnd {
        bytes: 16,
        values: 1,
    }];
    let rows_alone = Rows::new(&rows[..16], &known, &values);
    parts.append_rows(rows_alone).await.unwrap();
    let too_few = Rows::new(rows, &ends, &values);
    parts.append_rows(too_few).await.unwrap();
    let columns = parts.close().await.unwrap().columns.columns;
    let rows: Vec<_> = columns.iter().map(|c| (c.name.as_str(), c.rows)).collect();
    assert_eq!(rows, [("agentId", 3), ("note", 1)]);
}

#[tokio::test]
async fn a_set_counts_its_columns_over_all_of_its_parts() {
    let bucket = Bucket::new().await;
    let mut spec = spec(OutputFormat::Csv, Compression::Gzip);
    spec.limits.rows = 2;
    let mut parts = PartSet::new(bucket.store(), spec, "data/".to_owned());
    for _ in 0..5 {
        let rows = b"{\"agentId\":\"a\",\"new\":1}\n";
        parts.append_rows(Rows::unknown(rows)).await.unwrap();
    }
    let closed = parts.close().await.unwrap();
    assert_eq!(closed.parts.len(), 3);
    let columns = closed.columns.columns.iter();
    let rows: Vec<_> = columns.map(|c| (c.name.as_str(), c.rows)).collect();
    assert_eq!(rows, [("agentId", 5), ("new", 5)]);
}

#[tokio::test]
async fn columns_get_other_names_and_values_stay_as_they_are() {
    let bucket = Bucket::new().await;
    let rows = [
        r#"{"agentId":"a\u0022","Line\r\nEnd":1.50,"o":{"innerName":[1]},"note":null}"#,
        r#" { "note" : "x,}" , "agentId":"b", "note":2 } "#,
        r#"{"agentId":"c"}"#,
    ]
    .map(str::to_owned);
    for (format, expected) in [
        (
            OutputFormat::Ndjson,
            "{\"agent_id\":\"a\\u0022\",\"line_end\":1.50,\"o\":{\"innerName\":[1]},\"note\":null}\n{\"note\":\"x,}\",\"agent_id\":\"b\",\"note\":2}\n{\"agent_id\":\"c\"}\n",
        ),
        (
            OutputFormat::Csv,
            "agent_id,note,handled,average\n\"a\"\"\",,,\nc,,,\n",
        ),
    ] {
        let mut spec = spec(format, Compression::None);
        spec.column_names = ColumnNames::Snake;
        let is_csv = format == OutputFormat::Csv;
        let rows: Vec<String> = rows
            .iter()
            .enumerate()
            .filter(|(nth, _)| !is_csv || *nth != 1)
            .map(|(_, row)| row.clone())
            .collect();
        let parts = write(&bucket, &spec, &rows).await;
        let stored = bucket.stored(&parts[0].key).unwrap();
        assert_eq!(String::from_utf8(stored).unwrap(), expected);
    }
}

#[tokio::test]
async fn columns_that_would_get_the_same_name_are_refused() {
    let bucket = Bucket::new().await;
    let mut spec = spec(OutputFormat::Ndjson, Compression::None);
    spec.column_names = ColumnNames::Snake;
    for rows in [
        "{\"agentId\":1,\"Agent ID\":2}\n",
        "{\"agentId\":1}\n{\"agentId\":1,\"Agent ID\":2}\n",
    ] {
        let mut parts = PartSet::new(bucket.store(), spec.clone(), "data/".to_owned());
        let Err(Fault::Contract(said)) = parts.append_rows(Rows::unknown(rows.as_bytes())).await
        else {
            panic!("two columns are one")
        };
        assert!(said.contains(r#""agentId" and "Agent ID""#), "{said}");
    }
}

#[tokio::test]
async fn a_check_names_what_differs() {
    let bucket = Bucket::new().await;
    let store = bucket.store();
    let mut spec = spec(OutputFormat::Ndjson, Compression::Gzip);
    spec.limits.rows = 10;
    let parts = write(&bucket, &spec, &rows(50)).await;
    let check = async || store.check_parts(parts.clone()).await.unwrap().unwrap();

    let mut other = bucket.stored(&parts[3].key).unwrap();
    other[20] ^= 1;
    bucket.put(&parts[3].key, &other).await;
    assert!(check().await.contains(&parts[3].key));
    bucket.put(&parts[2].keys.key, b"short").await;
    assert!(check().await.contains(&parts[2].keys.key));
    bucket.remove(&parts[1].key);
    assert_eq!(check().await, format!("{} is missing", parts[1].key));
    bucket.remove(&parts[0].keys.key);
    assert_eq!(check().await, format!("{} is missing", parts[0].keys.key));
}

#[tokio::test]
async fn names_are_never_used_twice() {
    let bucket = Bucket::new().await;
    let spec = spec(OutputFormat::Csv, Compression::Zstd);
    let rows = rows(5);
    let (one, other) = tokio::join!(write(&bucket, &spec, &rows), write(&bucket, &spec, &rows));
    assert_ne!(one[0].key, other[0].key);
    assert_eq!(one[0].sha256, other[0].sha256);
    assert!(one[0].key.starts_with("data/s0-r01-b000000-") && one[0].key.ends_with(".csv.zst"));
}

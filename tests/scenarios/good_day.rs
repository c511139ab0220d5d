//! Days on which nothing goes wrong.

use std::time::Duration;

use serde_json::{Value, json};

use crate::canaries::Canaries;
use pipeline_tests::harness::history;
use pipeline_tests::harness::lines;
use pipeline_tests::harness::{Pipeline, PipelineBuilder};

/// A day lands in this form.
async fn check(format: &str, compression: &str, extension: &str) -> Pipeline {
    let setup = PipelineBuilder::daily()
        .define("/pipeline/format", json!(format))
        .define("/pipeline/compression", json!(compression));
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let commit = &pipeline.log()[0];
    if format == "csv" {
        check_csv(&pipeline, commit);
    } else {
        pipeline.check_rows(commit);
    }
    let named = |key: &str| key.ends_with(extension);
    assert!(commit.parts.iter().all(|part| named(&part.key)));
    pipeline
}

/// Holds a commit whose parts are CSV against its runs. The tenant writes CSV too, if with other line ends.
fn check_csv(pipeline: &Pipeline, commit: &delivery::documents::Commit) {
    pipeline.check_parts(commit);
    let mut truth = commit.runs.iter().flat_map(|run| {
        let truth = pipeline.tenant().truth(run.run_id.as_str()).unwrap();
        truth.map(|row| record(&row, &commit.columns))
    });
    for part in &commit.parts {
        let text = pipeline.world.part(part).unwrap();
        let header = format!("{}\n", commit.columns.join(","));
        let rows = text.strip_prefix(header.as_bytes()).expect("a header");
        let count = usize::try_from(part.rows).unwrap();
        let expected: Vec<u8> = truth.by_ref().take(count).flatten().collect();
        assert_eq!(
            String::from_utf8_lossy(rows),
            String::from_utf8_lossy(&expected)
        );
    }
    assert_eq!(truth.next(), None);
}

/// A row of JSON as a record: numbers as they stand, null as nothing, an empty text as `""`.
pub(crate) fn record(row: &[u8], columns: &[String]) -> Vec<u8> {
    let row: std::collections::BTreeMap<String, &serde_json::value::RawValue> =
        serde_json::from_slice(row).unwrap();
    let cell = |column: &String| match row[column].get() {
        "null" => String::new(),
        text if text.starts_with('"') => {
            let text: String = serde_json::from_str(text).unwrap();
            if text.is_empty() || text.contains([',', '"', '\r', '\n']) {
                format!("\"{}\"", text.replace('"', "\"\""))
            } else {
                text
            }
        }
        number => number.to_owned(),
    };
    let cells: Vec<String> = columns.iter().map(cell).collect();
    format!("{}\n", cells.join(",")).into_bytes()
}

#[tokio::test]
async fn a_good_day_is_one_commit_with_the_tenants_rows() {
    let setup = PipelineBuilder::daily().tenant(|tenant| {
        tenant.queued = Duration::from_secs(40);
        tenant.processing = Duration::from_mins(3);
    });
    let pipeline = setup.start().await;
    let ended = pipeline.deliver().await;
    let commit = pipeline.commit();
    insta::assert_snapshot!(history::timeline(&pipeline.world, &ended.execution_arn), @r#"
    05:30:00 Begin
    05:30:00 Trigger
    05:30:00 Next?
    05:30:00 Wait
    05:30:15 PollOnce
    05:30:15 RunState?
    05:30:15 Wait
    05:30:45 PollOnce
    05:30:45 RunState?
    05:30:45 Wait
    05:31:45 PollOnce
    05:31:45 RunState?
    05:31:45 Wait
    05:33:45 PollOnce
    05:33:45 RunState?
    05:33:45 FetchPage
    05:33:45 Pages?
    05:33:45 Trigger
    05:33:45 Next?
    05:33:45 Finalize
    05:33:45 Committed?
    05:33:45 Delivered
    "#);
    insta::assert_snapshot!(as_json(&commit), @r#"
    {
      "v": 1,
      "version": 1,
      "report": "Daily Agent Performance Aggregation",
      "tenant": "acme",
      "window": {
        "start": "2026-11-21T00:00:00Z",
        "end": "2026-11-22T00:00:00Z"
      },
      "generation": 1,
      "definitionHash": "…",
      "source": {
        "api": "analytics",
        "timeZone": "UTC",
        "range": "requested"
      },
      "runs": [
        {
          "segment": "0",
          "window": {
            "start": "2026-11-21T00:00:00Z",
            "end": "2026-11-22T00:00:00Z"
          },
          "runId": "run-c6c332-1",
          "triggeredAt": "2026-11-22T05:30:00Z",
          "pages": 3,
          "rows": 250,
          "simplified": false
        }
      ],
      "rows": 250,
      "unique": 250,
      "duplicates": 0,
      "replaced": 0,
      "summaryRows": 0,
      "empty": false,
      "verification": "total",
      "columns": [
        "agentId",
        "agentName",
        "queueId",
        "queueName",
        "handleTime",
        "talkTime",
        "wrapUpTime",
        "callsHandled",
        "avgHandleTime"
      ],
      "parts": [
        {
          "key": "reports/acme/Daily_Agent_Performance_Aggregation/data/20261121T000000Z-20261122T000000Z/g0001/s0-r01-b000000-….ndjson.gz",
          "rows": 250,
          "bytes": "…",
          "sha256": "…"
        }
      ],
      "content": "…",
      "supersedes": null,
      "unchanged": false,
      "committedAt": "2026-11-22T05:33:45Z"
    }
    "#);
    assert_eq!(pipeline.world.alerts(), []);
    Canaries::of(&pipeline).check(&pipeline);
}

#[tokio::test]
async fn a_good_day_says_what_its_columns_hold() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    let commit = pipeline.commit();
    insta::assert_snapshot!(describe_columns(&commit), @r#"
    agentId 250 {"text":250}
    agentName 250 {"text":250}
    queueId 250 {"text":250}
    queueName 250 {"text":250}
    handleTime 250 {"null":2,"integer":245,"decimal":3}
    talkTime 250 {"null":1,"integer":249}
    wrapUpTime 250 {"null":2,"integer":247,"decimal":1}
    callsHandled 250 {"null":2,"integer":247,"decimal":1}
    avgHandleTime 250 {"null":3,"integer":3,"decimal":244}
    "#);
}

/// A line for each column of the commit's report: its name, its rows and the kinds of their values.
fn describe_columns(commit: &delivery::documents::Commit) -> String {
    let report = &serde_json::to_value(commit).unwrap()["columnReport"];
    assert_eq!(report["rows"], commit.rows);
    let columns = report["columns"].as_array().unwrap().iter();
    let lines: Vec<String> = columns
        .map(|column| {
            let name = column["name"].as_str().unwrap();
            format!("{name} {} {}", column["rows"], column["kinds"])
        })
        .collect();
    lines.join("\n")
}

/// The commit without what is different each time: hashes, and names that nobody else uses.
fn as_json(commit: &delivery::documents::Commit) -> String {
    let mut json = serde_json::to_value(commit).unwrap();
    json.as_object_mut()
        .unwrap()
        .retain(|field, _| field != "columnReport");
    for part in json["parts"].as_array_mut().unwrap() {
        let key = part["key"].as_str().unwrap();
        let (known, unique) = key.rsplit_once('-').unwrap();
        let extension = unique.split_once('.').unwrap().1;
        assert_eq!(unique.len(), 32 + 1 + extension.len());
        part["key"] = format!("{known}-….{extension}").into();
        for field in ["bytes", "sha256"] {
            part[field] = Value::from("…");
        }
    }
    for field in ["content", "definitionHash"] {
        assert_eq!(json[field].as_str().unwrap().len(), 64);
        json[field] = "…".into();
    }
    serde_json::to_string_pretty(&json).unwrap()
}

#[tokio::test]
async fn ndjson_is_compressed_with_zstd() {
    check("ndjson", "zstd", ".ndjson.zst").await;
}

#[tokio::test]
async fn ndjson_is_not_compressed() {
    check("ndjson", "none", ".ndjson").await;
}

#[tokio::test]
async fn csv_is_compressed_with_gzip() {
    check("csv", "gzip", ".csv.gz").await;
}

#[tokio::test]
async fn csv_is_compressed_with_zstd() {
    check("csv", "zstd", ".csv.zst").await;
}

#[tokio::test]
async fn csv_is_not_compressed() {
    let pipeline = check("csv", "none", ".csv").await;
    let part = pipeline.world.part(&pipeline.log()[0].parts[0]).unwrap();
    let header = "agentId,agentName,queueId,queueName,handleTime,talkTime,wrapUpTime,callsHandled,avgHandleTime";
    assert_eq!(lines(&part).next(), Some(header.as_bytes()));
}

#[tokio::test]
async fn a_day_without_rows_is_a_commit_without_parts() {
    let pipeline = PipelineBuilder::daily().rows(0, 100).start().await;
    pipeline.deliver().await;
    let commit = pipeline.commit();
    assert!(commit.empty);
    assert_eq!(commit.parts, []);
    assert_eq!(pipeline.started(), 1);
}

//! Very many reports at once, and reports that are very old: what one of them takes stays the same.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use asl::{Description, EventDetail, Status};
use delivery::documents::{Commit, GenerationRecord};
use delivery::{Expectation, ScheduledEvent};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use local::world::BUCKET;
use local_aws::Call;
use pipeline_tests::harness::{
    FIRED_AT, Pipeline, PipelineBuilder, day_before, delivered, history, time, while_it_moves,
};
use serde::Serialize;
use serde_json::json;

const TOO_MANY: &str = "Lambda.TooManyRequestsException";

/// So many reports are due at the same moment, unless `PROCESSES_REPORTS` says another number. The nightly workflow plays a thousand.
const REPORTS: usize = 100;

/// Rows of a report, and of a page.
const ROWS: (u64, u32) = (24, 8);

/// How long logs are, in commits of a day each: ten days, nearly a year and ten years.
const LENGTHS: [i64; 3] = [10, 350, 3_650];

/// So many commits finalize reads at most of a report of a day, to compare with.
const COMPARED: usize = 80;

/// So many versions of a table are read at most: those behind its last checkpoint.
const BEHIND_A_CHECKPOINT: usize = 100;

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// How often each operation of S3 was called, by the function that called it.
type Counts = BTreeMap<(String, String), usize>;

fn count_calls<'a>(calls: impl Iterator<Item = &'a Call>) -> Counts {
    let mut counts = Counts::new();
    for call in calls {
        let caller = call.caller.as_ref().unwrap();
        let key = (caller.function.clone(), call.operation.clone());
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// The calls that handlers make of S3, each with what it is about: the object's key, or what the keys begin with that it lists.
fn calls_of_handlers(pipeline: &Pipeline) -> Vec<(String, Call)> {
    let calls = pipeline.world.gateway().calls().into_iter();
    let of_handlers = calls.filter(|call| call.caller.is_some());
    let of_s3 = of_handlers.filter(|call| call.service == local_aws::Service::S3);
    of_s3.map(|call| (subject(&call), call)).collect()
}

fn subject(call: &Call) -> String {
    let prefix = call
        .query
        .split('&')
        .find_map(|it| it.strip_prefix("prefix="));
    match prefix {
        Some(prefix) => prefix.replace("%2F", "/"),
        None => call.resource.split_once('/').unwrap().1.to_owned(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a switch for whoever runs the test by hand, and for the nightly workflow"
)]
fn number_of_reports() -> usize {
    std::env::var("PROCESSES_REPORTS").map_or(REPORTS, |number| number.parse().unwrap())
}

/// Lets so many reports be due at the same moment, and gives what each of them called once all are delivered.
async fn deliver_at_once(reports: usize) -> Vec<Counts> {
    let pipeline = PipelineBuilder::daily().rows(ROWS.0, ROWS.1).start().await;
    let arns: Vec<Arc<str>> = {
        let _still = pipeline.world.clock().busy();
        let fire = |report| {
            let mut definition = pipeline.definition.clone();
            definition["name"] = json!(format!("Report {report}"));
            let event = local::scheduled_event(definition, time(FIRED_AT));
            pipeline.world.fire(event.to_json()).unwrap()
        };
        (0..reports).map(fire).collect()
    };
    let all = join_all(arns.iter().map(|arn| pipeline.world.finish(arn)));
    for ended in while_it_moves(&pipeline.world, all).await {
        check_end(&pipeline, &delivered(ended.unwrap()));
    }
    history::check_lean(&pipeline.world);
    let log = pipeline.world.log().unwrap();
    assert_eq!(log.len(), reports);
    for commit in &log {
        assert_eq!((commit.version, commit.unique), (1, ROWS.0), "{commit:?}");
        assert_eq!(pipeline.world.rows(commit).unwrap().len() as u64, ROWS.0);
    }
    let mut calls: BTreeMap<String, Vec<Call>> = BTreeMap::new();
    for (subject, call) in calls_of_handlers(&pipeline) {
        let report = subject.split('/').nth(2).unwrap_or(&subject).to_owned();
        calls.entry(report).or_default().push(call);
    }
    calls
        .values()
        .map(|calls| count_calls(calls.iter()))
        .collect()
}

/// Nothing but a lack of instances was ever in the way of an execution.
fn check_end(pipeline: &Pipeline, ended: &Description) {
    for event in pipeline
        .world
        .engine()
        .history(&ended.execution_arn)
        .unwrap()
    {
        if let EventDetail::TaskFailed { error, cause, .. } = event.detail {
            assert_eq!(error, TOO_MANY, "{cause:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reports_that_are_due_at_the_same_moment_all_land_and_each_takes_what_it_takes_alone() {
    let alone = deliver_at_once(1).await;
    let reports = number_of_reports();
    let crowd = deliver_at_once(reports).await;
    // Every call is about one report, and none lists or reads what is another's.
    assert_eq!(crowd.len(), reports);
    for counts in &crowd {
        assert_eq!(*counts, alone[0]);
    }
}

/// What two executions of a report call whose log has so many commits: the delivery of a day, and the question whether it is there.
async fn deliver_behind(commits: i64, has_table: bool) -> [Counts; 2] {
    let setup = PipelineBuilder::daily().rows(ROWS.0, ROWS.1);
    let setup = if has_table {
        setup.define("/pipeline/table", json!({"format": "delta"}))
    } else {
        setup
    };
    let pipeline = setup.start().await;
    delivered(pipeline.ask_for(day_before(commits)).await);
    lengthen_log(&pipeline, commits);
    // Now every commit is in the table.
    pipeline.deliver().await;
    let next_day = time(FIRED_AT) + DAY;
    let deliver = local::scheduled_event(pipeline.definition.clone(), next_day);
    let delivery = count_execution(&pipeline, next_day, deliver).await;
    let asked_at = next_day + SignedDuration::from_hours(3);
    let ask = local::scheduled_event(pipeline.definition.clone(), asked_at);
    let ask = ask.with_expectation(Expectation::Delivered);
    [delivery, count_execution(&pipeline, asked_at, ask).await]
}

/// What an execution calls that is started at this time and succeeds.
async fn count_execution(pipeline: &Pipeline, at: Timestamp, event: ScheduledEvent) -> Counts {
    drop(pipeline.world.clock().sleep_until(at).await);
    let before = calls_of_handlers(pipeline).len();
    let ended = pipeline.play(event.to_json()).await;
    assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
    let calls = calls_of_handlers(pipeline);
    count_calls(calls[before..].iter().map(|(_, call)| call))
}

/// Stores what is left of the days behind the first one: a commit without rows, and the request for it.
fn lengthen_log(pipeline: &Pipeline, commits: i64) {
    let first = pipeline.log().remove(0);
    let keys = pipeline.world.store().keys(BUCKET, "");
    let find = |end: &str| keys.iter().find(|key| key.ends_with(end)).unwrap();
    let (log_key, open_key) = (find("/_log/00000000000000000001.json"), find("/open.json"));
    let opened = pipeline.world.store().read(BUCKET, open_key).unwrap();
    let opened: GenerationRecord = serde_json::from_slice(&opened).unwrap();
    for version in 2..=commits {
        let window = day_before(commits + 1 - version);
        let commit = Commit {
            version: version.unsigned_abs(),
            window,
            rows: 0,
            unique: 0,
            empty: true,
            parts: Vec::new(),
            committed_at: window.end() + SignedDuration::from_hours(6),
            ..first.clone()
        };
        let record = GenerationRecord {
            base_version: commit.version - 1,
            window,
            ..opened.clone()
        };
        let name = format!("{:020}", commit.version);
        store(
            pipeline,
            &log_key.replace("00000000000000000001", &name),
            &commit,
        );
        store(
            pipeline,
            &open_key.replace(&first.window.key(), &window.key()),
            &record,
        );
    }
}

fn store(pipeline: &Pipeline, key: &str, document: &impl Serialize) {
    let path: PathBuf = pipeline.world.store().object_path(BUCKET, key);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, serde_json::to_vec(document).unwrap()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_of_ten_years_takes_no_more_calls_than_one_of_a_year() {
    let [young, year, old] = LENGTHS;
    let young = deliver_behind(young, true).await;
    let year = deliver_behind(year, true).await;
    let old = deliver_behind(old, false).await;
    for (nth, old) in old.iter().enumerate() {
        for (call, count) in old {
            assert_eq!(count, &year[nth][call], "{call:?} of execution {nth}");
            // A log of ten days has fewer commits than are looked at; everything else is the same from the first day on.
            let more = match &*call.1 {
                "GetObject" => COMPARED,
                _ => 0,
            };
            assert!(
                *count <= young[nth][call] + more,
                "{call:?} of execution {nth}"
            );
        }
    }
    let read = &year[0][&("publish".to_owned(), "GetObject".to_owned())];
    assert!(
        *read <= BEHIND_A_CHECKPOINT + 6,
        "publish reads {read} objects"
    );
}

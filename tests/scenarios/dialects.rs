//! The APIs that CXone publishes: each lands its days, whatever the API is like.

use std::collections::BTreeMap;
use std::time::Instant;

use asl::Status;
use cxone_sim::Kind;
use definition::Api;
use delivery::documents::Commit;
use jiff::SignedDuration;
use local_aws::{Action, Call};
use serde_json::{Value, json};

use crate::killed::{interrupt_each, writes};
use pipeline_tests::harness::lines;
use pipeline_tests::harness::{Pipeline, PipelineBuilder, day_before, delivered, time};

const PUBLISHED: [&str; Api::ALL.len() - 1] = [
    "report-jobs",
    "data-extraction",
    "data-download",
    "contacts",
];

fn api(pipeline: &Pipeline) -> String {
    pipeline.definition["pipeline"]["api"]
        .as_str()
        .unwrap()
        .to_owned()
}

/// The only commit, which holds what the tenant has: contacts byte for byte, files field for field.
fn published_commit(pipeline: &Pipeline) -> Commit {
    let mut log = pipeline.log();
    assert_eq!(log.len(), 1, "{log:#?}");
    let commit = log.remove(0);
    check_published(pipeline, &commit);
    commit
}

fn check_published(pipeline: &Pipeline, commit: &Commit) {
    assert_eq!(commit.source.api.as_str(), api(pipeline));
    let runs = commit
        .runs
        .iter()
        .map(|run| sims_run(pipeline, commit, run));
    let runs: Vec<String> = runs.collect();
    if api(pipeline) == "contacts" {
        let truth = runs
            .iter()
            .flat_map(|run| pipeline.tenant().truth(run).unwrap());
        pipeline.check_lines(commit, truth);
        return;
    }
    pipeline.check_parts(commit);
    let truth = runs.iter().flat_map(|run| records_of(pipeline, run));
    let mut truth = truth.collect::<Vec<_>>().into_iter();
    for part in &commit.parts {
        for line in lines(&pipeline.world.part(part).unwrap()) {
            assert_eq!(Some(fields(line)), truth.next());
        }
    }
    assert_eq!(truth.next(), None, "rows are missing");
}

/// What the tenant calls a run. An API without runs has one for each time that it was asked.
fn sims_run(pipeline: &Pipeline, commit: &Commit, run: &delivery::documents::CommitRun) -> String {
    let known = pipeline.tenant().truth(run.run_id.as_str()).is_some();
    if known {
        return run.run_id.to_string();
    }
    assert_eq!(commit.runs.len(), 1, "which of them it was is not known");
    let runs = pipeline.tenant().runs();
    let mut of_api = runs.iter().filter(|it| it.api.name() == api(pipeline));
    of_api.next_back().unwrap().id.clone()
}

/// The records of a run as columns and texts.
fn records_of(pipeline: &Pipeline, run: &str) -> Vec<BTreeMap<String, String>> {
    let columns = pipeline.tenant().columns(run).unwrap();
    let records: Vec<u8> = pipeline.tenant().records(run).unwrap().flatten().collect();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(&*records);
    let record = |record: Result<csv::StringRecord, csv::Error>| {
        let record = record.unwrap();
        let texts = record.iter().map(str::to_owned);
        columns.iter().cloned().zip(texts).collect()
    };
    reader.records().map(record).collect()
}

/// A landed row as columns and texts; what a file leaves empty is empty.
fn fields(row: &[u8]) -> BTreeMap<String, String> {
    let row: BTreeMap<String, Value> = serde_json::from_slice(row).unwrap();
    let text = |value: Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => panic!("{other} is not as it stands in the file"),
    };
    row.into_iter()
        .map(|(column, value)| (column, text(value)))
        .collect()
}

#[tokio::test]
async fn a_day_of_each_published_api_lands() {
    for api in PUBLISHED {
        let pipeline = PipelineBuilder::of_api(api).start().await;
        let ended = pipeline.deliver().await;
        let commit = published_commit(&pipeline);
        assert_eq!(commit.unique, 250, "{api}");
        let states = pipeline.states(&ended);
        let polled = states.iter().any(|state| state == "PollOnce");
        assert_eq!(polled, api == "report-jobs", "{states:?}");
        assert_eq!(pipeline.world.alerts(), [], "{api}");
        assert!(commit.abandoned.is_empty());
        // Again it is delivered already, and nobody is asked for anything.
        let before = pipeline.tenant().runs().len();
        let again = pipeline.fire().await;
        assert_eq!(again.state, "Nothing to do", "{api}");
        assert_eq!(pipeline.tenant().runs().len(), before);
    }
}

#[tokio::test]
async fn the_commit_says_which_clock_its_times_are_from() {
    for (api, expected) in [
        ("report-jobs", "business-unit template"),
        ("data-extraction", "UTC requested"),
        ("data-download", "-07:00 requested"),
        ("contacts", "UTC requested"),
    ] {
        let mut setup = PipelineBuilder::of_api(api);
        if api == "data-download" {
            setup = setup
                .define("/report/utcOffset", json!("-07:00"))
                .tenant(|tenant| tenant.user_offset = -420);
        }
        let pipeline = setup.start().await;
        pipeline.deliver().await;
        let source = published_commit(&pipeline).source;
        let said = format!("{} {}", source.time_zone, source.range.as_str());
        assert_eq!(said, expected, "{api}");
    }
}

#[tokio::test]
async fn a_file_of_a_report_job_is_as_users_say_that_it_is() {
    let setup = PipelineBuilder::of_api("report-jobs")
        .fault("csv-bom")
        .fault("csv-doubled-crlf")
        .fault("total-row");
    let pipeline = setup.start().await;
    pipeline.deliver().await;
    let commit = published_commit(&pipeline);
    assert_eq!((commit.unique, commit.summary_rows), (250, 1));
}

/// Each day is one commit with all its rows, whatever call of these is interrupted, and calls keep their distance.
async fn kill_at_each(api: &str, action: &Action, wanted: fn(&Call) -> bool) {
    let pipeline = PipelineBuilder::of_api(api).rows(20, 10).start().await;
    let check_day = |_, commits| {
        let log = pipeline.log();
        assert_eq!(log.len(), commits, "{api}, {action:?}");
        check_published(&pipeline, log.last().unwrap());
        assert_eq!(pipeline.tenant().spacing_violations(), 0, "day {commits}");
    };
    interrupt_each(&pipeline, action, wanted, check_day).await;
}

#[tokio::test]
async fn an_extraction_may_be_killed_before_anything_that_a_handler_does() {
    kill_at_each("data-extraction", &Action::KillBefore, |_| true).await;
}

#[tokio::test]
async fn an_extraction_may_be_killed_after_anything_that_a_handler_writes() {
    kill_at_each("data-extraction", &Action::KillAfter, writes).await;
}

#[tokio::test]
async fn a_data_download_may_be_killed_before_anything_that_a_handler_does() {
    kill_at_each("data-download", &Action::KillBefore, |_| true).await;
}

#[tokio::test]
async fn calls_of_three_extractions_at_once_are_kept_apart() {
    let pipeline = PipelineBuilder::of_api("data-extraction").start().await;
    let names = ["One", "Two", "Three"];
    let arns: Vec<_> = {
        let _still = pipeline.world.clock().busy();
        let event = |name: &str| {
            let mut event = pipeline.event().to_json();
            event["detail"]["definition"]["name"] = name.into();
            event
        };
        names
            .map(|name| pipeline.world.fire(event(name)).unwrap())
            .into()
    };
    for arn in arns {
        let ended = pipeline.world.finish(&arn).await.unwrap();
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
    }
    let calls = pipeline.tenant().extraction_calls();
    assert_eq!(pipeline.tenant().spacing_violations(), 0, "{calls:?}");
    assert!(calls.len() >= 6, "{calls:?}");
    for pair in calls.windows(2) {
        let apart = pair[1].duration_since(pair[0]).as_secs();
        assert!(apart >= 30, "two calls were {apart} s apart");
    }
    let commits = pipeline.world.log().unwrap();
    assert_eq!(commits.len(), 3);
    for commit in &commits {
        check_published(&pipeline, commit);
    }
}

#[tokio::test]
async fn days_are_extracted_one_by_one() {
    // The tenant gives contacts of different days the same numbers.
    let key = json!(["contactId", "handleTime", "holdTime", "avgWaitTime"]);
    let setup = PipelineBuilder::of_api("data-extraction").define("/pipeline/key", key);
    let pipeline = setup.start().await;
    let (start, end) = (time("2026-11-18T00:00:00Z"), time("2026-11-22T00:00:00Z"));
    let window = definition::Window::new(start, end).unwrap();
    delivered(pipeline.ask_for(window).await);
    let commit = published_commit(&pipeline);
    let segments: Vec<_> = commit.runs.iter().map(|run| run.segment.as_str()).collect();
    assert_eq!(segments, ["000", "001", "010", "011"]);
    assert_eq!(commit.unique, 1_000);
    assert_eq!(pipeline.tenant().spacing_violations(), 0);
}

#[tokio::test]
async fn a_job_that_hangs_is_abandoned_and_the_commit_says_so() {
    for api in ["report-jobs", "data-extraction"] {
        let setup = PipelineBuilder::of_api(api).fault("processing-forever:run=1");
        let pipeline = setup.start().await;
        pipeline.deliver().await;
        let commit = published_commit(&pipeline);
        let hung = &pipeline.tenant().runs()[0];
        let [abandoned] = &commit.abandoned[..] else {
            panic!("{api}: {:?}", commit.abandoned);
        };
        assert_eq!(abandoned.run_id.as_str(), hung.id);
        let taken = commit.runs[0]
            .triggered_at
            .duration_since(abandoned.triggered_at);
        assert!(taken >= SignedDuration::from_mins(45), "{api}");
        assert_eq!(pipeline.requests(Kind::Cancel).len(), 0, "{api}");
        let alerts = pipeline.world.alerts();
        assert_eq!(alerts.len(), 1, "{api}");
        assert!(alerts[0].message.contains("abandoned"), "{alerts:?}");
    }
}

#[tokio::test]
async fn a_window_that_a_template_does_not_have_is_refused() {
    let pipeline = PipelineBuilder::of_api("report-jobs").start().await;
    for replay in [false, true] {
        let mut event = pipeline.event().with_window(day_before(1));
        if replay {
            event = event
                .with_replay(local::replay("late rows"))
                .with_id("wish");
        }
        let ended = pipeline.play(event.to_json()).await;
        assert_eq!(ended.error.as_deref(), Some("Cxone.Config"));
        let cause = ended.cause.unwrap();
        assert!(cause.contains("it takes no dates"), "{cause}");
    }
    // What was scheduled for another day is over, too.
    let mut late = pipeline.event().to_json();
    late["time"] = "2026-11-20T05:30:00Z".into();
    let ended = pipeline.play(late).await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.Config"));
    assert!(ended.cause.unwrap().contains("is over"));
    assert_eq!(pipeline.tenant().runs().len(), 0);
    // The template's own window can be had again as long as it is that.
    pipeline.deliver().await;
    pipeline.replay("again").await;
    assert_eq!(pipeline.log().len(), 2);
}

#[tokio::test]
async fn a_permission_that_is_missing_is_told_from_a_throttle_after_ten_minutes() {
    let setup = PipelineBuilder::of_api("data-extraction").fault("extraction-forbidden");
    let pipeline = setup.start().await;
    let started = pipeline.world.clock().now();
    let ended = pipeline.fail("Cxone.Auth").await;
    let taken = pipeline.world.clock().now().duration_since(started);
    assert!(
        (10..15).contains(&taken.as_mins()),
        "given up after {taken}"
    );
    let cause = ended.cause.clone().unwrap();
    for word in ["permission", "somebody else", "redrive"] {
        assert!(cause.contains(word), "{cause}");
    }
    pipeline.set_faults(&[]);
    delivered(pipeline.redrive(&ended).await);
    published_commit(&pipeline);
    assert_eq!(pipeline.tenant().spacing_violations(), 0);
}

/// What a fault of a published API comes to.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    /// A commit with all rows, after so many runs that ended without their data.
    Lands(usize),
    /// The execution fails with this error, and nothing is committed.
    Fails(&'static str),
}

use Outcome::{Fails, Lands};

#[rustfmt::skip]
const FAULTS: &[(&str, &str, Outcome)] = &[
    ("report-jobs", "job-form:as=wrapped", Lands(0)),
    ("report-jobs", "job-form:as=flat", Lands(0)),
    ("report-jobs", "result-url-late:looks=2", Lands(0)),
    ("report-jobs", "result-gone", Lands(1)),
    ("report-jobs", "file-exists", Lands(0)),
    // The alert says that there is a column that the definition does not name.
    ("report-jobs", "csv-drift:as=new", Lands(1)),
    ("report-jobs", "csv-drift:as=missing", Fails("Cxone.Contract")),
    ("report-jobs", "base64:as=truncated,times=forever", Fails("Cxone.Contract")),
    ("report-jobs", "base64:as=lines", Lands(0)),
    ("report-jobs", "file-shape:as=file-first", Lands(0)),
    ("data-extraction", "bare-id:as=unquoted", Lands(0)),
    ("data-extraction", "job-expired:run=1", Lands(1)),
    ("data-extraction", "link-expired", Lands(0)),
    ("data-extraction", "link-expired:looks=2", Lands(0)),
    ("data-extraction", "link-expired:looks=3", Fails("Cxone.Auth")),
    ("data-extraction", "download-expired:status=401,times=forever", Fails("Cxone.Config")),
    ("data-extraction", "link-host", Fails("Cxone.Config")),
    ("report-jobs", "link-host", Lands(0)),
    ("report-jobs", "download-url:to=other-host", Lands(0)),
    ("data-download", "link-host & answer-by:as=uri", Lands(0)),
    // A run that is done and has no file is followed by another one, of three that have none the day fails.
    ("data-extraction", "completed-bare", Lands(1)),
    ("report-jobs", "completed-bare & file-shape:as=missing", Fails("Cxone.Contract")),
    ("data-extraction", "completed-bare:times=forever", Fails("Cxone.RunsExhausted")),
    ("data-extraction", "csv-stray-quote", Fails("Cxone.Contract")),
    ("report-jobs", "csv-stray-quote:as=behind", Fails("Cxone.Contract")),
    ("data-download", "csv-stray-quote:as=within", Lands(0)),
    ("data-extraction", "file-gzip", Lands(0)),
    ("report-jobs", "file-gzip", Lands(0)),
    ("report-jobs", "file-gzip:of=base64", Lands(0)),
    ("report-jobs", "file-type:as=text/csv", Lands(0)),
    ("data-download", "file-gzip:of=base64", Lands(0)),
    ("data-extraction", "file-type", Lands(0)),
    ("report-jobs", "file-type", Lands(0)),
    ("data-extraction", "file-type:as=text/html", Fails("Cxone.Contract")),
    ("data-extraction", "csv-foreign:as=semicolons", Fails("Cxone.Contract")),
    ("report-jobs", "csv-foreign:as=title", Fails("Cxone.Contract")),
    ("data-extraction", "extraction-throttled", Lands(0)),
    ("data-download", "error-message", Lands(1)),
    ("data-download", "answer-by:as=uri", Lands(0)),
    ("data-download", "answer-by:as=both", Lands(0)),
    ("data-download", "file-name-taken", Lands(0)),
    ("contacts", "next-link:as=missing", Lands(0)),
    ("contacts", "total-text", Lands(0)),
    ("contacts", "unavailable", Lands(0)),
];

#[tokio::test]
async fn each_fault_of_a_published_api_has_its_outcome() {
    let mut wrong = Vec::new();
    for (api, fault, expected) in FAULTS {
        let setup = PipelineBuilder::of_api(api).rows(60, 20);
        let setup = fault.split(" & ").fold(setup, PipelineBuilder::fault);
        let pipeline = setup.start().await;
        let ended = pipeline.fire().await;
        let log = pipeline.log();
        let alerts = pipeline.world.alerts().len();
        let as_expected = match expected {
            Lands(dead) => ended.state == "Delivered" && log.len() == 1 && alerts == *dead,
            Fails(error) => ended.error.as_deref() == Some(error) && log.is_empty(),
        };
        if !as_expected {
            let (error, cause) = (ended.error, ended.cause);
            wrong.push(format!(
                "{api} {fault}: expected {expected:?}: {} {error:?} {cause:?}, {alerts} alerts",
                ended.state
            ));
        } else if let ([commit], "report-jobs" | "data-extraction") = (&log[..], *api) {
            assert_eq!(commit.unique, 60, "{api} {fault}");
        }
        assert_eq!(pipeline.tenant().spacing_violations(), 0, "{api} {fault}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_link_that_leads_nowhere_for_a_minute_is_waited_for_by_the_state_machine() {
    let setup = PipelineBuilder::of_api("data-download")
        .fault("answer-by:as=uri")
        .fault("uri-late:seconds=60");
    let pipeline = setup.start().await;
    let started = Instant::now();
    let ended = pipeline.deliver().await;
    published_commit(&pipeline);
    let waited = |state: &&String| *state == "Wait for the tenant";
    assert!(pipeline.states(&ended).iter().filter(waited).count() >= 3);
    assert!(started.elapsed().as_secs() < 14, "a handler has waited");
}

/// What fetch-page may hold.
const MOST_MEMORY: u64 = 64 << 20;

/// Of base64, in one answer.
const LARGE: u64 = 200_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_megabytes_of_base64_pass_in_little_memory() {
    let rows = 2_300_000;
    let setup = PipelineBuilder::of_api("report-jobs").rows(rows, 10_000);
    let pipeline = setup
        .define("/pipeline/compression", json!("none"))
        .tenant(|tenant| tenant.gzip = false)
        .start()
        .await;
    let started = Instant::now();
    pipeline.deliver().await;
    let log = pipeline.log();
    assert_eq!(log[0].unique, rows);
    let run = &pipeline.tenant().runs()[0].id;
    let bytes: u64 = pipeline
        .tenant()
        .records(run)
        .unwrap()
        .map(|record| record.len() as u64)
        .sum();
    let packed = bytes.div_ceil(3) * 4;
    let peak = pipeline.world.lambda().peak_memory("fetch-page").unwrap();
    println!(
        "{rows} rows, {packed} bytes of base64: delivered in {:.1} s, fetch-page {} MiB",
        started.elapsed().as_secs_f64(),
        peak >> 20
    );
    assert!(packed >= LARGE, "{packed} bytes only");
    assert!(peak < MOST_MEMORY, "{peak} bytes");
}

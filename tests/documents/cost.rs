//! What AWS bills for a report, counted by the local engine: the deployed state machine and executables, in virtual time.
//!
//! Everything but the seconds is counted. How long CXone takes for a page is known to nobody here, so that it is assumed.

use std::collections::BTreeMap;
use std::time::Duration;

use asl::EventDetail;
use delivery::Expectation;
use jiff::SignedDuration;
use local_aws::{Call, Service};
use pipeline_tests::harness::{FIRED_AT, Pipeline, PipelineBuilder, note, time};
use serde_json::Value;

/// Rows of a page.
const PAGE_ROWS: u32 = 100;

/// How long CXone computes the report.
const RUN: Duration = Duration::from_mins(5);

/// How long fetch-page is assumed to take for a page, nearly all of which it waits for CXone.
const PAGE_SECONDS: f64 = 0.35;

/// How long any invocation is assumed to take beside its pages.
const INVOCATION_SECONDS: f64 = 1.0;

/// How long an invocation of fetch-page takes pages.
const BATCH_SECONDS: f64 = 600.0;

/// No more turns than these are allowed for the largest report.
const TURNS_MAX: u64 = 100;

/// What one execution was billed for.
#[derive(Debug, Default, PartialEq)]
struct Bill {
    transitions: u64,
    events: u64,
    /// By function.
    invocations: BTreeMap<String, u64>,
    /// Requests of S3 by how they are priced: GET and HEAD; PUT and POST; LIST.
    gets: u64,
    puts: u64,
    lists: u64,
    /// Calls of Secrets Manager.
    secrets: u64,
    /// The memory of all invocations, in GB: what would be billed in GB-seconds if each took a second.
    gigabytes: f64,
}

/// What a bill follows from.
struct Report {
    pages: u64,
    /// How often CXone asked for a pause.
    pauses: u64,
    parts: u64,
    /// Reads of sidecars.
    pieces: u64,
    bill: Bill,
}

impl Bill {
    /// Counts what an execution has done; the calls are those of the handlers meanwhile.
    fn of_execution(pipeline: &Pipeline, arn: &str, calls: &[Call]) -> Self {
        let mut bill = Self::default();
        for event in pipeline.world.engine().history(arn).unwrap() {
            bill.events += 1;
            match event.detail {
                // A retry of a task is billed as well.
                EventDetail::StateEntered { .. } | EventDetail::TaskFailed { .. } => {
                    bill.transitions += 1;
                }
                EventDetail::TaskScheduled { parameters, .. } => {
                    let function = bill.count_invocation(&parameters);
                    bill.gigabytes += memory_of(pipeline, &function);
                }
                _ => {}
            }
        }
        for call in calls {
            bill.count_call(call);
        }
        bill
    }

    fn count_invocation(&mut self, parameters: &str) -> String {
        let parameters: Value = serde_json::from_str(parameters).unwrap();
        let function = parameters["FunctionName"].as_str().unwrap();
        let name = function.rsplit(':').next().unwrap().to_owned();
        *self.invocations.entry(name.clone()).or_default() += 1;
        name
    }

    fn count_call(&mut self, call: &Call) {
        match (call.service, &*call.operation) {
            (Service::Secrets, _) => self.secrets += 1,
            (Service::S3, "GetObject" | "HeadObject") => self.gets += 1,
            (Service::S3, "ListObjectsV2") => self.lists += 1,
            (
                Service::S3,
                "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload",
            ) => self.puts += 1,
            other => panic!("nobody knows what {other:?} costs"),
        }
    }

    fn count_of(&self, function: &str) -> u64 {
        self.invocations.get(function).copied().unwrap_or(0)
    }

    fn invocations(&self) -> u64 {
        self.invocations.values().sum()
    }
}

/// The memory of a function, in GB.
fn memory_of(pipeline: &Pipeline, function: &str) -> f64 {
    let mut megabytes = 0;
    let lambda = pipeline.world.lambda();
    lambda.configure(function, |it| megabytes = it.memory_mb);
    f64::from(megabytes) / 1024.0
}

fn handler_calls(pipeline: &Pipeline) -> Vec<Call> {
    let mut calls = pipeline.world.gateway().calls();
    calls.retain(|call| call.caller.is_some());
    calls
}

impl Report {
    /// Delivers a report of so many pages. CXone asks for a pause as often as an invocation would end for its time.
    async fn deliver(pages: u64, run: Duration, one_page_a_batch: bool) -> (Pipeline, Self) {
        let pauses = batches_of(pages) - 1;
        let between = pages / (pauses + 1) + 1;
        let setup = PipelineBuilder::daily()
            .rows(pages * u64::from(PAGE_ROWS), PAGE_ROWS)
            .tenant(|tenant| tenant.processing = run);
        let setup = (1..=pauses).fold(setup, |setup, nth| {
            setup.fault(&format!(
                "throttled:on=page,at={},seconds=30",
                nth * between
            ))
        });
        let pipeline = setup.start().await;
        if one_page_a_batch {
            pipeline.one_page_a_batch();
        }
        let ended = pipeline.deliver().await;
        let commit = pipeline.log().remove(0);
        assert_eq!(commit.unique, pages * u64::from(PAGE_ROWS));
        let calls = handler_calls(&pipeline);
        let is_piece =
            |call: &&Call| call.operation == "GetObject" && call.resource.contains("/data/");
        let report = Self {
            pages,
            pauses,
            parts: commit.parts.len() as u64,
            pieces: calls.iter().filter(is_piece).count() as u64,
            bill: Bill::of_execution(&pipeline, &ended.execution_arn, &calls),
        };
        (pipeline, report)
    }

    fn polls(&self) -> u64 {
        self.bill.count_of("poll-once")
    }

    fn batches(&self) -> u64 {
        self.bill.count_of("fetch-page")
    }

    /// Holds what was counted against the formulas of the table.
    fn check_formulas(&self) {
        let (polls, batches, pauses) = (self.polls(), self.batches(), self.pauses);
        let (parts, pieces, bill) = (self.parts, self.pieces, &self.bill);
        assert_eq!(bill.transitions, 8 + 3 * polls + 2 * batches + pauses);
        assert_eq!(bill.events, 27 + 9 * polls + 7 * batches + 2 * pauses);
        assert_eq!(bill.invocations(), 3 + polls + batches);
        assert_eq!(bill.gets, 5 + 4 * batches + 2 * parts + pieces);
        assert_eq!(bill.puts, 4 + batches + 2 * parts);
        assert_eq!(bill.lists, 11 + batches);
        assert_eq!(bill.secrets, 7);
        let fixed = 0.25 * whole(2 + polls) + 0.5 * whole(1 + batches);
        assert!((bill.gigabytes - fixed).abs() < 0.001, "{bill:?}");
    }

    fn gigabyte_seconds(&self) -> f64 {
        INVOCATION_SECONDS * self.bill.gigabytes + 0.5 * PAGE_SECONDS * whole(self.pages)
    }
}

/// How many invocations of fetch-page it takes for so many pages.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a small number that is not negative"
)]
fn batches_of(pages: u64) -> u64 {
    (whole(pages) * PAGE_SECONDS / BATCH_SECONDS)
        .ceil()
        .max(1.0) as u64
}

#[expect(clippy::cast_precision_loss, reason = "a small number")]
fn whole(number: u64) -> f64 {
    number as f64
}

/// What the question costs, three hours later, whether the report's day is there.
async fn ask_for_delivery(pipeline: &Pipeline) -> Bill {
    let at = time(FIRED_AT) + SignedDuration::from_hours(3);
    drop(pipeline.world.clock().sleep_until(at).await);
    let event = local::scheduled_event(pipeline.definition.clone(), at)
        .with_expectation(Expectation::Delivered);
    let before = handler_calls(pipeline).len();
    let ended = pipeline.play(event.to_json()).await;
    assert_eq!(note(&ended), "");
    let calls = handler_calls(pipeline);
    Bill::of_execution(pipeline, &ended.execution_arn, &calls[before..])
}

/// The rows of the table: what is counted, and how it follows from the report.
const ROWS: [(&str, &str); 8] = [
    ("state transitions", "8 + 3 p + 2 f + w"),
    (
        "events of the execution's history, of 25,000 at most",
        "27 + 9 p + 7 f + 2 w",
    ),
    ("invocations of Lambda", "3 + p + f"),
    ("S3, GET and HEAD", "5 + 4 f + 2 r + s"),
    ("S3, PUT and POST", "4 + f + 2 r"),
    ("S3, LIST", "11 + f"),
    ("Secrets Manager, calls", "7"),
    (
        "GB-seconds, if a page takes 0.35 s",
        "(2 + p) / 4 + (1 + f) / 2 + pages × 0.35 / 2",
    ),
];

/// List prices of us-east-1 in US dollars, in the order of the rows; what is not billed costs nothing.
const PRICES: [f64; 8] = [
    0.025 / 1e3,
    0.0,
    0.20 / 1e6,
    0.000_4 / 1e3,
    0.005 / 1e3,
    0.005 / 1e3,
    0.05 / 1e4,
    0.000_013_333_4,
];

fn figures_of(bill: &Bill, gigabyte_seconds: f64) -> Vec<f64> {
    let counted = [
        bill.transitions,
        bill.events,
        bill.invocations(),
        bill.gets,
        bill.puts,
        bill.lists,
        bill.secrets,
    ];
    let counted = counted.into_iter().map(whole);
    counted.chain([gigabyte_seconds]).collect()
}

fn draw_table(reports: &[Report], question: &Bill) -> String {
    let columns = reports
        .iter()
        .map(|report| figures_of(&report.bill, report.gigabyte_seconds()));
    let asked = figures_of(question, INVOCATION_SECONDS * question.gigabytes);
    let columns: Vec<Vec<f64>> = columns.chain([asked]).collect();
    let mut lines = draw_head(reports);
    for (nth, (name, formula)) in ROWS.iter().enumerate() {
        let cells: Vec<String> = columns.iter().map(|it| write_number(it[nth])).collect();
        lines.push(format!("| {name} | {} | {formula} |", cells.join(" | ")));
    }
    let prices = columns.iter().map(|column| {
        let sum: f64 = column
            .iter()
            .zip(PRICES)
            .map(|(it, price)| it * price)
            .sum();
        format!("{:.3}", sum * 100.0)
    });
    let prices: Vec<String> = prices.collect();
    lines.push(format!("| **US cents** | {} | |", prices.join(" | ")));
    lines.join("\n") + "\n"
}

fn draw_head(reports: &[Report]) -> Vec<String> {
    let pages = reports.iter().map(|report| match report.pages {
        1 => "1 page".to_owned(),
        pages => format!("{} pages", group_digits(pages)),
    });
    let pages: Vec<String> = pages.collect();
    let mut lines = vec![
        format!("| | {} | is it there? | a report |", pages.join(" | ")),
        "| --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    let mut add = |name: &str, figure: fn(&Report) -> u64| {
        let cells = reports.iter().map(|report| group_digits(figure(report)));
        let cells: Vec<String> = cells.collect();
        lines.push(format!("| {name} | {} | | |", cells.join(" | ")));
    };
    add("p: polls of the run", Report::polls);
    add("f: invocations that fetch pages", Report::batches);
    add("w: pauses that CXone asked for", |report| report.pauses);
    add("r: parts", |report| report.parts);
    add("s: reads of sidecars", |report| report.pieces);
    lines
}

/// A count, or a time with one digit behind the point.
fn write_number(number: f64) -> String {
    let rounded = (number * 10.0).round() / 10.0;
    if rounded.fract() == 0.0 {
        format!("{rounded:.0}")
            .parse()
            .map_or_else(|_| rounded.to_string(), group_digits)
    } else {
        format!("{rounded:.1}")
    }
}

fn group_digits(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (nth, digit) in digits.chars().enumerate() {
        if nth > 0 && (digits.len() - nth).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_readme_says_what_a_report_costs() {
    let mut reports = Vec::new();
    let (pipeline, smallest) = Report::deliver(1, RUN, false).await;
    let question = ask_for_delivery(&pipeline).await;
    reports.push(smallest);
    for pages in [100, 10_000] {
        reports.push(Report::deliver(pages, RUN, false).await.1);
    }
    let turns = reports[2].polls() + reports[2].batches();
    assert!(turns < TURNS_MAX, "{turns} turns");
    super::hold("README.md", "cost", &draw_table(&reports, &question));
    // Others, so that the formulas hold not for the reports of the table alone.
    reports.push(Report::deliver(3, Duration::ZERO, false).await.1);
    reports.push(Report::deliver(20, RUN, true).await.1);
    for report in &reports {
        report.check_formulas();
    }
}

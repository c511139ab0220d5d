//! B06: whatever the input, what travels between the states stays small.
#![expect(clippy::unwrap_used, reason = "what is not valid is a failed test")]

use definition::{ReportName, RunId, TenantId, Window};
use delivery::{
    Committed, EndReason, FetchOut, FinalizeOut, Next, Outcome, Pages, PollOut, PublishWork,
    RunCount, Saw, TriggerOut, Version, Work,
};
use serde::Serialize;

/// What a state may hold; Step Functions allows 262,144 bytes.
const MOST: usize = 8 * 1024;

/// The largest there can be: every name as long as it may be, in characters of four bytes.
fn largest() -> Work {
    let window: Window = "20261121T000000Z-20261122T000000Z".parse().unwrap();
    Work {
        tenant: TenantId::new("t".repeat(63)).unwrap(),
        report: ReportName::new("\u{1F4DE}".repeat(100)).unwrap(),
        window,
        generation: u32::MAX,
        segment: "01".repeat(12).parse().unwrap(),
        run: u32::MAX,
        run_id: RunId::new("r".repeat(128)).unwrap(),
        triggered_at: jiff::Timestamp::MAX,
        deadline_at: jiff::Timestamp::MAX,
        dialect: definition::Dialect::ReportJobs {
            api_version: u16::MAX,
        },
        direct: false,
        may_be_empty: true,
    }
}

fn check(message: &impl Serialize) {
    let bytes = serde_json::to_vec(message).unwrap().len();
    assert!(bytes < MOST, "{bytes} bytes");
}

#[test]
fn the_largest_messages_stay_below_8_kib() {
    let work = largest();
    let said = "\"\\\u{7}\u{1F4DE}".repeat(100_000);
    let ended = work.ended(EndReason::Failed, &said);
    check(&TriggerOut {
        v: Version,
        generation: Some(u32::MAX),
        next: Next::Run {
            work,
            count: Some(RunCount {
                number: u32::MAX,
                allowed: u32::MAX,
                halves_if_cut_off: true,
            }),
        },
    });
    check(&PollOut {
        v: Version,
        saw: Saw::Ended,
        state: "\"".repeat(40),
        wait_seconds: u64::MAX,
        cancelled: true,
        ended: Some(ended.clone()),
    });
    check(&FetchOut {
        v: Version,
        pages: Pages::Ended,
        wait_seconds: u64::MAX,
        stalled_since: Some(jiff::Timestamp::MAX),
        looks_without_file: u32::MAX,
        batches: u32::MAX,
        page_count: u64::MAX,
        row_count: u64::MAX,
        ended: Some(ended),
    });
    // A commit has at most so many warnings, and each at most so many bytes.
    check(&FinalizeOut {
        v: Version,
        outcome: Outcome::Committed(Committed {
            version: u64::MAX,
            rows: u64::MAX,
            duplicates: u64::MAX,
            replaced: u64::MAX,
            warnings: vec!["\"".repeat(383); 9],
            doubts_rows: true,
            fill: Some("x".repeat(150)),
            empty: false,
            unchanged: false,
            withdrawn: false,
            first_delivery: false,
            run_seconds: u64::MAX,
            table: Some(PublishWork {
                tenant: TenantId::new("t".repeat(63)).unwrap(),
                report: ReportName::new("\u{1F4DE}".repeat(100)).unwrap(),
                version: u64::MAX,
            }),
        }),
    });
}

//! Tables of failures: what the tenant does wrong, the call that meets it, and what comes of it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use cxone::{AccessToken, CancelOutcome, Error, Limits, TokenGrant};
use cxone_sim::{Kind, Options, Tenant};
use definition::RunStatus;
use serde_json::value::RawValue;

use crate::harness::{
    ClientUnderTest, Read, client, credentials, definition, faults, limits, small,
};

/// No call may take longer, whatever happens to it.
const LONGEST: Duration = Duration::from_secs(25);

/// The call that a failure happens to; what has to come before it goes well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Grant,
    Register,
    Start,
    Look,
    /// All pages of a JSON delivery.
    Pages,
    /// The file of a CSV delivery.
    File,
    Cancel,
}

/// What the call has to say.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outcome {
    /// The right answer; of pages and files, the very rows that the tenant has.
    Good,
    /// A look at a run that is not done, in these words.
    Pending(&'static str),
    /// A look at a run that failed, with a message that begins like this.
    Failed(&'static str),
    Cancelled(CancelOutcome),
    /// A token that lives this many seconds.
    Lives(u64),
    Throttled(Option<u64>),
    /// With this in its reason.
    Unavailable(&'static str),
    Ambiguous(&'static str),
    Unauthorized(&'static str),
    Forbidden(&'static str),
    NotFound(u16),
    Rejected(u16, &'static str),
    NotCompleted(&'static str),
    /// With this in its explanation.
    Contract(&'static str),
    Config(&'static str),
    LinkRefused(&'static str),
    /// Of a page, with this in what the run says of itself.
    RunFailed(&'static str),
}

/// What the call said.
#[derive(Debug)]
enum Got {
    Grant(TokenGrant),
    Schedule,
    Run,
    Look(RunStatus),
    Pages(Read),
    Cancelled(CancelOutcome),
}

/// A failure's id, the faults that bring it about, the call that meets it, and what comes of it.
pub(crate) type Case = (&'static str, &'static str, Call, Outcome);

/// Plays all cases at once, each against a tenant of its own, and tells all that went wrong.
pub(crate) async fn check(cases: &[Case]) {
    check_within(limits(), cases).await;
}

/// The same, with limits of the client that matter.
pub(crate) async fn check_within(limits: Limits, cases: &[Case]) {
    let played = cases.iter().map(|case| play(limits, case));
    let played = futures_util::future::join_all(played).await;
    let wrong = cases.iter().zip(played).filter_map(|(case, played)| {
        let what = played.err()?;
        Some(format!("{} {:?} {:?}: {what}", case.0, case.1, case.2))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(
        wrong.is_empty(),
        "{} of {} cases:\n{}",
        wrong.len(),
        cases.len(),
        wrong.join("\n")
    );
}

async fn play(limits: Limits, (_, spec, call, expected): &Case) -> Result<(), String> {
    let format = if *call == Call::File { "csv" } else { "json" };
    let options = Options {
        faults: faults(spec),
        ..small()
    };
    let under_test = if *call == Call::Grant {
        // Its first token is what the case is about.
        let tenant = Tenant::start(options).await.unwrap();
        ClientUnderTest {
            client: client(&tenant.base_url(), limits),
            tenant,
            token: AccessToken::new("canary-unused-token").unwrap(),
            definition: definition(format),
        }
    } else {
        ClientUnderTest::with(options, limits, format).await
    };
    let began = Instant::now();
    let got = tokio::time::timeout(LONGEST, under_test.make(*call))
        .await
        .map_err(|_| "it took too long".to_owned())?;
    let took = began.elapsed();
    under_test.asked_once(*call)?;
    if under_test.tenant.decoy_hits() > 0 {
        return Err("the other host was called".to_owned());
    }
    match &got {
        Err(error) => {
            under_test.tells_nothing(error)?;
            step(*call, error)?;
        }
        Ok(Got::Pages(read)) if *expected == Outcome::Good => {
            // A file has other bytes for the same row; its cells are what is compared.
            if *call == Call::File {
                under_test.is_whole(read, cells)?;
            } else {
                under_test.is_whole(read, <[u8]>::to_vec)?;
            }
        }
        Ok(_) => {}
    }
    if fits(expected, &got) {
        Ok(())
    } else {
        let got = got
            .map(|got| shown(&got))
            .map_err(|error| error.to_string());
        Err(format!("{got:?} after {took:?} instead of {expected:?}"))
    }
}

impl ClientUnderTest {
    async fn make(&self, call: Call) -> Result<Got, Error> {
        match call {
            Call::Grant => self.client.sign_in(&credentials()).await.map(Got::Grant),
            Call::Register => self.register().await.map(|_| Got::Schedule),
            Call::Start => self.start().await.map(|_| Got::Run),
            _ => {
                let run = self.start().await.unwrap();
                match call {
                    Call::Look => self.look(&run).await.map(Got::Look),
                    Call::Cancel => self.cancel(&run).await.map(Got::Cancelled),
                    _ => self.read(&run).await.map(Got::Pages),
                }
            }
        }
    }

    /// The client asks once: trying again is for those who know the deadline.
    fn asked_once(&self, call: Call) -> Result<(), String> {
        let kinds: &[Kind] = match call {
            Call::Grant => &[Kind::Token],
            Call::Register => &[Kind::CreateSchedule, Kind::UpdateSchedule],
            Call::Start => &[Kind::StartRun],
            Call::Look => &[Kind::Look],
            Call::Pages => &[Kind::Look, Kind::Download],
            Call::File => &[Kind::Download],
            Call::Cancel => &[Kind::Cancel],
        };
        for kind in kinds {
            let count = self.asked(*kind).len();
            if count > 1 {
                return Err(format!("{count} requests of {kind:?}"));
            }
        }
        Ok(())
    }

    fn is_whole<T: PartialEq>(&self, read: &Read, same: fn(&[u8]) -> T) -> Result<(), String> {
        let truth = self.truth();
        let total = Some(truth.len() as u64);
        let differs = |(got, right): (&Vec<u8>, &Vec<u8>)| same(got) != same(right);
        if let Some(at) = read.rows.iter().zip(&truth).position(differs) {
            let shown = [&read.rows[at], &truth[at]].map(|row| String::from_utf8_lossy(row));
            return Err(format!("row {at} is {} instead of {}", shown[0], shown[1]));
        }
        if read.rows.len() != truth.len() {
            return Err(format!(
                "{} rows instead of {}",
                read.rows.len(),
                truth.len()
            ));
        }
        let counted: u64 = read.ends.iter().map(|end| end.rows).sum();
        if Some(counted) != total || read.ends.iter().any(|end| end.total != total) {
            return Err(format!(
                "{counted} rows counted of {total:?}: {:?}",
                read.ends
            ));
        }
        Ok(())
    }
}

/// A row's names and values: texts as they are meant, everything else as it is spelled.
fn cells(row: &[u8]) -> BTreeMap<String, String> {
    let fields: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(row).unwrap();
    let meant = |raw: &RawValue| match serde_json::from_str::<String>(raw.get()) {
        Ok(text) => format!("text {text}"),
        Err(_) => raw.get().to_owned(),
    };
    fields
        .iter()
        .map(|(name, raw)| (name.clone(), meant(raw)))
        .collect()
}

/// An error says what was being done.
fn step(call: Call, error: &Error) -> Result<(), String> {
    let steps: &[&str] = match call {
        Call::Grant => &["sign in"],
        Call::Register => &["find schedule", "create schedule", "update schedule"],
        Call::Start => &["start run"],
        Call::Look => &["look at run"],
        Call::Pages => &["get page"],
        Call::File => &["get page", "download results"],
        Call::Cancel => &["cancel run"],
    };
    if steps.contains(&error.step()) {
        Ok(())
    } else {
        Err(format!("the step is {:?}", error.step()))
    }
}

fn fits(expected: &Outcome, got: &Result<Got, Error>) -> bool {
    match (expected, got) {
        (Outcome::Good, Ok(Got::Look(look))) => *look == RunStatus::Completed,
        (Outcome::Good, Ok(_)) => true,
        (Outcome::Pending(word), Ok(Got::Look(RunStatus::Pending { state, known }))) => {
            state == word && *known == ["queued", "processing"].contains(word)
        }
        (Outcome::Failed(begin), Ok(Got::Look(RunStatus::Failed { message }))) => {
            message.starts_with(begin)
                && message.len() <= 1024 + '…'.len_utf8()
                && !message.contains(char::is_control)
        }
        (Outcome::Cancelled(expected), Ok(Got::Cancelled(got))) => expected == got,
        (Outcome::Lives(seconds), Ok(Got::Grant(grant))) => {
            grant.lifetime == Duration::from_secs(*seconds) && grant.cacheable == (*seconds >= 120)
        }
        (expected, Err(error)) => fits_error(expected, error),
        _ => false,
    }
}

fn fits_error(expected: &Outcome, error: &Error) -> bool {
    match (expected, error) {
        (Outcome::Throttled(seconds), Error::Throttled { retry_after, .. }) => {
            retry_after.map(|wait| wait.as_secs()) == *seconds
        }
        (Outcome::Unavailable(part), Error::Unavailable { reason, .. })
        | (Outcome::Ambiguous(part), Error::Ambiguous { reason, .. }) => reason.contains(part),
        (Outcome::Unauthorized(word), Error::Unauthorized { code, .. }) => code == word,
        (Outcome::Forbidden(part), Error::Forbidden { text, .. }) => text.contains(part),
        (Outcome::NotFound(expected), Error::NotFound { status, .. }) => status == expected,
        (Outcome::Rejected(expected, part), Error::Rejected { status, text, .. }) => {
            status == expected && text.contains(part)
        }
        (Outcome::NotCompleted(word), Error::NotCompleted { state, .. }) => state == word,
        (Outcome::RunFailed(part), Error::RunFailed { message, .. }) => message.contains(part),
        (Outcome::Contract(part), Error::Contract { what, .. })
        | (Outcome::Config(part), Error::Config { what, .. })
        | (Outcome::LinkRefused(part), Error::LinkRefused { what, .. }) => what.contains(part),
        _ => false,
    }
}

fn shown(got: &Got) -> String {
    match got {
        Got::Pages(read) => format!("{} rows on {} pages", read.rows.len(), read.ends.len()),
        other => format!("{other:?}"),
    }
}

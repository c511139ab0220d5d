//! A model of the tenant: schedules, runs, pages, and what it does wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use cxone::{CancelOutcome, Error};
use definition::RunStatus;
use definition::{Dialect, PageToken, RunId, ScheduleId, Window};
use delivery::effects::{Fault, Page};
use jiff::{SignedDuration, Timestamp};

use crate::canaries::Kind;
use crate::fate::Fate;
use crate::rng::Rng;
use crate::source::Source;
use crate::story::DAY;

/// How close calls of an API may be that wants them apart.
const ALLOWED: SignedDuration = SignedDuration::from_secs(30);

#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub(crate) started: Timestamp,
    pub(crate) fate: Fate,
    /// What the source has for its window once the window is final.
    pub(crate) truth: Vec<String>,
    /// Whether its pages, taken together, hold every row of that.
    pub(crate) is_whole: bool,
    pub(crate) cancelled: bool,
    pub(crate) completed_early: bool,
    pages: Vec<Vec<String>>,
}

impl Run {
    fn row_count(&self) -> u64 {
        self.pages.iter().map(|page| page.len() as u64).sum()
    }
}

#[derive(Debug)]
pub(crate) struct Tenant {
    name: &'static str,
    pub(crate) dialect: Dialect,
    last_call: Option<Timestamp>,
    /// Two calls of an API that wants them apart were not, or one was meant for another tenant.
    pub(crate) misused: Option<String>,
    schedules: BTreeMap<String, ScheduleId>,
    pub(crate) runs: BTreeMap<RunId, Run>,
    pub(crate) source: Source,
    pub(crate) gives_total: bool,
    pub(crate) duplicates: bool,
    pub(crate) faulty: bool,
    /// What its page tokens look like: tokens, or addresses.
    tokens: Kind,
    /// What it says when a run fails. Where something is to be said, the first run does.
    pub(crate) says: Option<String>,
    /// Pages have this many rows, and each page is a batch.
    pub(crate) page_size: Option<usize>,
}

impl Tenant {
    pub(crate) fn new(name: &'static str, rng: &mut Rng, dialect: Dialect) -> Self {
        let pages = matches!(dialect, Dialect::Analytics | Dialect::Contacts { .. });
        Self {
            name,
            dialect,
            last_call: None,
            misused: None,
            schedules: BTreeMap::new(),
            runs: BTreeMap::new(),
            source: Source::new(name, rng),
            gives_total: rng.chance(600) && pages,
            duplicates: rng.chance(200),
            faulty: true,
            tokens: if rng.chance(300) {
                Kind::Link
            } else {
                Kind::Page
            },
            says: None,
            page_size: None,
        }
    }

    /// So many pages of two rows for the day.
    pub(crate) fn fill(&mut self, pages: u64) {
        self.page_size = Some(2);
        self.duplicates = false;
        self.source.fill(DAY.parse().unwrap(), pages);
    }

    /// Whether a file ends with a row that sums up the others.
    pub(crate) fn sums_up(&self) -> bool {
        matches!(self.dialect, Dialect::ReportJobs { .. })
    }

    /// Somebody calls the API.
    pub(crate) fn called(&mut self, now: Timestamp) {
        let last = self.last_call.replace(now);
        let apart = last.map(|last| now.duration_since(last));
        if let Some(apart) = apart.filter(|apart| *apart < ALLOWED)
            && self.dialect.spacing().is_some()
        {
            self.misused = Some(format!("two calls were {} s apart", apart.as_secs()));
        }
    }

    pub(crate) fn register(&mut self, name: &str) -> ScheduleId {
        let next = format!("sch-{}", self.schedules.len() + 1);
        self.schedules
            .entry(name.to_owned())
            .or_insert_with(|| ScheduleId::new(next).unwrap())
            .clone()
    }

    pub(crate) fn start(
        &mut self,
        rng: &mut Rng,
        now: Timestamp,
        schedule: Option<&ScheduleId>,
        window: Window,
    ) -> RunId {
        let registered =
            |schedule: &ScheduleId| self.schedules.values().any(|known| known == schedule);
        assert_eq!(
            schedule.is_some_and(registered),
            self.dialect == Dialect::Analytics,
            "a run of a schedule that is not registered"
        );
        let id = RunId::new(format!("run-{}", self.runs.len() + 1)).unwrap();
        let fate = self.fate(rng);
        let mut rows = self.source.rows(&window);
        if self.duplicates && rows.len() > 2 && rng.chance(500) {
            let copied = rows[rng.index(rows.len())].clone();
            rows.push(copied);
        }
        // What is no page is a file.
        let page_size = self.page_size.unwrap_or_else(|| match self.dialect {
            Dialect::Analytics | Dialect::Contacts { .. } => 1 + rng.index(6),
            _ => rows.len().max(1),
        });
        let truth = rows.clone();
        if matches!(fate, Fate::Shifts { .. }) {
            shift(&mut rows, page_size);
        }
        let is_whole = truth.iter().all(|row| rows.contains(row));
        if now < final_at(&window) {
            rows.clear();
        }
        let mut pages: Vec<Vec<String>> = rows.chunks(page_size).map(<[String]>::to_vec).collect();
        match self.dialect {
            // A data download gives its rows, or a page without rows and a link to them.
            Dialect::DataDownload { .. } if rng.chance(500) => pages.insert(0, Vec::new()),
            Dialect::Analytics | Dialect::Contacts { .. }
                if rng.chance(200) && self.page_size.is_none() =>
            {
                pages.insert(rng.index(pages.len() + 1), Vec::new());
            }
            _ => {}
        }
        if pages.is_empty() {
            pages.push(Vec::new());
        }
        self.runs.insert(
            id.clone(),
            Run {
                started: now,
                fate,
                truth,
                is_whole,
                cancelled: false,
                completed_early: false,
                pages,
            },
        );
        id
    }

    pub(crate) fn look(&self, now: Timestamp, id: &RunId) -> Result<RunStatus, Error> {
        const STEP: &str = "look at the run";
        let run = &self.runs[id];
        let age = now.duration_since(run.started).as_secs();
        let pending = Ok(RunStatus::Pending {
            state: "processing".to_owned(),
            known: true,
        });
        let since = |done: i64| {
            if age < done {
                Ok(RunStatus::Pending {
                    state: "processing".to_owned(),
                    known: true,
                })
            } else {
                Ok(RunStatus::Completed)
            }
        };
        if run.completed_early {
            return Ok(RunStatus::Completed);
        }
        if run.cancelled {
            return Err(Error::NotFound {
                step: STEP,
                status: 404,
            });
        }
        match run.fate {
            Fate::Fails(done) if age >= done => Ok(RunStatus::Failed {
                message: self.says.clone().unwrap_or_else(|| "table lock".to_owned()),
            }),
            Fate::Fails(_) | Fate::Hangs | Fate::CompletesWhenCancelled => pending,
            Fate::Vanishes { gone, .. } if age >= gone => Err(Error::NotFound {
                step: STEP,
                status: 404,
            }),
            Fate::Backwards { done } if age >= done && (age - done) % 90 > 60 => pending,
            Fate::Completes(done)
            | Fate::Vanishes { done, .. }
            | Fate::Expires { done, .. }
            | Fate::Circles { done, .. }
            | Fate::ChangesTotal { done, .. }
            | Fate::Shifts { done }
            | Fate::Backwards { done } => since(done),
        }
    }

    pub(crate) fn cancel(&mut self, now: Timestamp, id: &RunId) -> CancelOutcome {
        if matches!(
            self.look(now, id),
            Ok(RunStatus::Completed | RunStatus::Failed { .. })
        ) {
            return CancelOutcome::AlreadyEnded;
        }
        let run = self.runs.get_mut(id).unwrap();
        if run.fate == Fate::CompletesWhenCancelled {
            run.completed_early = true;
        } else {
            run.cancelled = true;
        }
        CancelOutcome::Accepted
    }

    fn page_token(&self, page: usize) -> PageToken {
        PageToken::new(format!("{}{page}", self.token_prefix())).unwrap()
    }

    /// How its page tokens begin, or its links, which are addresses of a host of its own.
    fn token_prefix(&self) -> String {
        format!("{}{}-", self.tokens.text(), self.name)
    }

    /// `None` for a token of another tenant, or of nobody.
    fn page_number(&self, token: &PageToken) -> Option<usize> {
        let number = token.as_str().strip_prefix(&self.token_prefix())?;
        number.parse().ok()
    }

    /// The page's rows, and what its answer says.
    pub(crate) fn page(
        &mut self,
        now: Timestamp,
        id: &RunId,
        token: Option<&PageToken>,
    ) -> Result<(Vec<String>, Page), Fault> {
        match self.look(now, id) {
            Ok(RunStatus::Completed) => {}
            Ok(RunStatus::Failed { message }) if self.dialect.is_direct() => {
                return Err(Fault::Failed(message));
            }
            Ok(_) => return Err(Fault::NotCompleted),
            Err(_) => return Err(Fault::Gone),
        }
        // The plainest of tokens, which fits any run: it is not the tenant that keeps runs apart.
        let Some(number) = token.map_or(Some(0), |token| self.page_number(token)) else {
            self.misused = Some(format!("{} was shown another's page token", self.name));
            return Err(Fault::TokenRefused);
        };
        let run = &self.runs[id];
        let Some(rows) = run.pages.get(number).cloned() else {
            return Err(Fault::TokenRefused);
        };
        let page_number = number as u64;
        // The link of a data download leads nowhere for a while.
        let link = matches!(self.dialect, Dialect::DataDownload { .. }) && number > 0;
        if link && now.duration_since(run.started) < SignedDuration::from_secs(75) {
            return Err(Fault::Throttled(Some(Duration::from_secs(15))));
        }
        if matches!(run.fate, Fate::Expires { page, .. } if page_number >= page) {
            return Err(Fault::TokenRefused);
        }
        let mut next = (number + 1 < run.pages.len()).then_some(number + 1);
        if let Fate::Circles { page, .. } = run.fate
            && next.is_some()
            && page_number >= page
        {
            next = Some(1);
        }
        let wrong = matches!(run.fate, Fate::ChangesTotal { page, .. } if page_number >= page);
        let total = run.row_count() + u64::from(wrong);
        let page = Page {
            rows: rows.len() as u64,
            next: next.map(|page| self.page_token(page)),
            total: self.gives_total.then_some(total),
            summary_rows: u64::from(self.sums_up() && next.is_none()),
            suspect_records: Vec::new(),
            unknown_fields: Vec::new(),
            close: false,
            stop: false,
        };
        Ok((rows, page))
    }
}

/// A day is final at 05:00 of the next one. Before that, runs find nothing.
fn final_at(window: &Window) -> Timestamp {
    let last = window.end().as_second() - 1;
    let midnight = Timestamp::from_second(last - last.rem_euclid(86_400)).unwrap();
    midnight + SignedDuration::from_hours(29)
}

/// What happens to pages when rows are inserted before them while they are read: from the second
/// page on a row is repeated, and the last row never shows.
fn shift(rows: &mut Vec<String>, page_size: usize) {
    if rows.len() > page_size {
        let repeated = rows[page_size - 1].clone();
        rows.insert(page_size, repeated);
        rows.pop();
    }
}

/// How long the tenant asks to be left alone, when it does.
pub(crate) fn pause(rng: &mut Rng) -> Option<Duration> {
    rng.chance(700)
        .then(|| Duration::from_secs(21 + rng.below(200)))
}

//! How a schedule is run, and what it came to.

use definition::{Api, Dialect};

use crate::consumer::Told;
use crate::habit::Habit;
use crate::invocation::Flows;
use crate::oracle::Counted;
use crate::rng::Rng;
use crate::session::Signed;
use crate::story::Story;
use crate::table::Published;

/// How a schedule is run.
#[derive(Clone, Copy)]
pub(crate) struct Setup {
    pub(crate) seed: u64,
    pub(crate) flows: Flows,
    /// Kill at exactly this effect, and let nothing else go wrong.
    pub(crate) kill_at: Option<u64>,
    /// What is asked for; by chance if none.
    pub(crate) story: Option<Story>,
    /// How the consumer works.
    pub(crate) habit: Habit,
    /// Which API; by chance if none.
    pub(crate) dialect: Option<Dialect>,
    /// A planted bug outside the decisions.
    pub(crate) outside: Option<OutsideBug>,
    /// Whether what is stored, logged and told is searched for secrets and rows. It costs nearly half of a schedule's time.
    pub(crate) searches: bool,
    /// A planted leak: the tenant's explanation of a failed run has this in it, as if nobody had taken it out.
    pub(crate) leak: Option<&'static str>,
    /// A day of so many pages, each of which is a batch of its own, in which nothing goes wrong.
    pub(crate) pages: Option<u64>,
}

/// A bug of what carries the effects out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutsideBug {
    /// Claims overwrite.
    ClaimsOverwrite,
    /// Swaps do not compare.
    SwapsOverwrite,
    /// The token secret is written whatever version is there.
    WritesBlindly,
    /// A process that serves two tenants keeps one token for both.
    MixesTenants,
}

impl OutsideBug {
    pub(crate) const ALL: [Self; 4] = [
        Self::ClaimsOverwrite,
        Self::SwapsOverwrite,
        Self::WritesBlindly,
        Self::MixesTenants,
    ];
}

/// Every API, and the one that most schedules are about.
pub(crate) const DIALECTS: [Dialect; Api::ALL.len()] = [
    Dialect::Analytics,
    Dialect::ReportJobs { api_version: 34 },
    Dialect::DataExtraction,
    Dialect::DataDownload { api_version: 34 },
    Dialect::Contacts { api_version: 34 },
];

pub(crate) fn any_dialect(rng: &mut Rng) -> Dialect {
    match rng.below(20) {
        0..3 => DIALECTS[1],
        3..8 => DIALECTS[2],
        8..10 => DIALECTS[3],
        10..12 => DIALECTS[4],
        _ => DIALECTS[0],
    }
}

/// What a schedule came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Figures {
    pub(crate) effects: u64,
    pub(crate) kills: u64,
    pub(crate) lost: u64,
    pub(crate) runs: u64,
    pub(crate) commits: u64,
    pub(crate) redrives: u64,
    pub(crate) zombies: u64,
    /// Schedules of two tenants.
    pub(crate) pairs: u64,
    /// Executions that were refused because of the windows that consumers held.
    pub(crate) refusals: u64,
    /// Versions whose parts were deleted after they were superseded.
    pub(crate) deleted: u64,
    /// How often it was told that an expected window was there.
    pub(crate) there: u64,
    /// How often it was told that it was overdue.
    pub(crate) overdue: u64,
    /// Windows that held the last truth after they were stated anew for the last time.
    pub(crate) last_truths: u64,
    /// What kinds of commits there were.
    pub(crate) counted: Counted,
    /// What was published in tables.
    pub(crate) published: Published,
    /// What happened to the consumer.
    pub(crate) told: Told,
    /// What happened to access tokens.
    pub(crate) signed: Signed,
    /// What was seen where it belongs, a bit a kind.
    pub(crate) seen: u8,
    pub(crate) executions: usize,
    /// Events of the longest history.
    pub(crate) events: usize,
    pub(crate) slots: usize,
}

impl Figures {
    pub(crate) fn add(&mut self, other: Self) {
        self.effects += other.effects;
        self.kills += other.kills;
        self.lost += other.lost;
        self.runs += other.runs;
        self.commits += other.commits;
        self.redrives += other.redrives;
        self.zombies += other.zombies;
        self.pairs += other.pairs;
        self.refusals += other.refusals;
        self.deleted += other.deleted;
        self.there += other.there;
        self.overdue += other.overdue;
        self.last_truths += other.last_truths;
        self.counted.add(other.counted);
        self.published.add(other.published);
        self.told.add(other.told);
        self.signed.add(other.signed);
        self.seen |= other.seen;
        self.executions += other.executions;
        self.slots += other.slots;
        self.events = self.events.max(other.events);
    }
}

//! What becomes of a run.

use definition::Dialect;

use crate::rng::Rng;
use crate::tenant::Tenant;

/// What becomes of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It completes after so many seconds.
    Completes(i64),
    /// It fails after so many seconds.
    Fails(i64),
    /// It is never done.
    Hangs,
    /// It is never done, but completes in the moment in which it is cancelled.
    CompletesWhenCancelled,
    /// It completes, and is forgotten later.
    Vanishes { done: i64, gone: i64 },
    /// Its page tokens are refused from this page on.
    Expires { done: i64, page: u64 },
    /// The token of this page leads back to the second page.
    Circles { done: i64, page: u64 },
    /// It gives another total from this page on.
    ChangesTotal { done: i64, page: u64 },
    /// The first row of each page repeats the last one of the page before, and another row is missing.
    Shifts { done: i64 },
    /// It says `completed`, takes it back, and says it again.
    Backwards { done: i64 },
}

impl Tenant {
    pub(crate) fn fate(&self, rng: &mut Rng) -> Fate {
        let done = i64::try_from(rng.below(600)).unwrap();
        let page = 1 + rng.below(3);
        let gone = done + i64::try_from(rng.below(120)).unwrap();
        let late = 2640 + i64::try_from(rng.below(120)).unwrap();
        match (self.dialect, rng.below(20)) {
            (Dialect::Contacts { .. }, 0) if self.faulty => {
                return Fate::ChangesTotal { done: 0, page };
            }
            (Dialect::Contacts { .. }, 1) if self.faulty && self.gives_total => {
                return Fate::Shifts { done: 0 };
            }
            (Dialect::DataDownload { .. }, 0) if self.faulty => return Fate::Fails(0),
            (Dialect::DataDownload { .. } | Dialect::Contacts { .. }, _) => {
                return Fate::Completes(0);
            }
            _ if !self.faulty => return Fate::Completes(done),
            (Dialect::Analytics, _) => {}
            (_, 0) => return Fate::Fails(done),
            (_, 1 | 2) => return Fate::Hangs,
            (_, 3 | 4) => return Fate::Vanishes { done, gone },
            (_, 5) => return Fate::Completes(late),
            _ => return Fate::Completes(done),
        }
        if self.says.is_some() && self.runs.is_empty() {
            return Fate::Fails(done);
        }
        match rng.below(20) {
            0 => Fate::Fails(done),
            1 | 2 => Fate::Hangs,
            3 => Fate::CompletesWhenCancelled,
            4 => Fate::Vanishes { done, gone },
            5 => Fate::Expires { done, page },
            6 => Fate::Circles { done, page },
            7 => Fate::ChangesTotal { done, page },
            8 if self.gives_total => Fate::Shifts { done },
            9 => Fate::Backwards { done },
            10 => Fate::Completes(late),
            _ => Fate::Completes(done),
        }
    }
}

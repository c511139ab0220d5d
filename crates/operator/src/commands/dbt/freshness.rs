//! How old the newest version of a report may be.

use definition::{Definition, Recurrence};

/// Hours after which the newest version is late, and after which a second one is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Freshness {
    pub(super) warn_after: u32,
    pub(super) error_after: u32,
}

impl Freshness {
    /// That of a report: a version is expected so long after the one before it as its schedule says. None for one that runs once.
    pub(super) fn of(definition: &Definition) -> Option<Self> {
        let schedule = &definition.schedule;
        let period = match schedule.recurrence {
            Recurrence::Once => return None,
            Recurrence::Hourly => schedule
                .every_hours
                .map_or(1, |hours| u32::from(hours.get())),
            Recurrence::Daily => 24,
            Recurrence::Weekly => 7 * 24,
            Recurrence::Monthly => 31 * 24,
        };
        let minutes = u32::try_from(definition.expected_after().as_mins()).unwrap_or_default();
        let allowed = minutes.div_ceil(60);
        Some(Self {
            warn_after: period + allowed,
            error_after: 2 * period + allowed,
        })
    }
}

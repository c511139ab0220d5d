//! The rows that a tenant has. They come late and are corrected.

use std::collections::BTreeMap;

use definition::Window;
use jiff::{SignedDuration, Timestamp};

use crate::canaries::Kind;
use crate::rng::Rng;

/// The days of which there are rows, from the first one on.
const FIRST_DAY: &str = "2026-11-19T00:00:00Z";
const DAYS: i64 = 4;

/// Rows by the second that they belong to.
#[derive(Debug)]
pub(crate) struct Source {
    customer: &'static str,
    rows: BTreeMap<i64, Vec<String>>,
    /// How many rows there ever were, so that each has a key of its own.
    made: u64,
}

impl Source {
    pub(crate) fn new(customer: &'static str, rng: &mut Rng) -> Self {
        let mut source = Self {
            customer,
            rows: BTreeMap::new(),
            made: 0,
        };
        let first: Timestamp = FIRST_DAY.parse().unwrap();
        for day in 0..DAYS {
            source.restate(rng, first + SignedDuration::from_hours(24 * day));
        }
        source
    }

    /// The rows of a window, in order.
    pub(crate) fn rows(&self, window: &Window) -> Vec<String> {
        self.rows
            .range(window.start().as_second()..window.end().as_second())
            .flat_map(|(_, rows)| rows.clone())
            .collect()
    }

    /// Other rows for the day.
    pub(crate) fn restate(&mut self, rng: &mut Rng, day: Timestamp) {
        let from = day.as_second();
        self.rows
            .retain(|second, _| !(from..from + 86_400).contains(second));
        let count = if rng.chance(100) { 0 } else { rng.below(24) };
        for number in 0..count {
            // A correction changes what a row says, never the time that it belongs to.
            let second = i64::try_from(Rng::new(number).below(86_400)).unwrap();
            let row = self.row(&format!("{}-{number}", from / 86_400), rng);
            self.rows.entry(from + second).or_default().push(row);
        }
    }

    /// Some rows of the day come only now, some are corrected, and some go.
    pub(crate) fn correct(&mut self, rng: &mut Rng, day: Timestamp) {
        let from = day.as_second();
        let seconds = self.rows.range(from..from + 86_400);
        let seconds: Vec<i64> = seconds.map(|(second, _)| *second).collect();
        for second in seconds {
            if rng.chance(200) {
                let key = format!("{}-c{}", from / 86_400, self.made);
                let corrected = self.row(&key, rng);
                self.rows.insert(second, vec![corrected]);
            } else if rng.chance(50) {
                self.rows.remove(&second);
            }
        }
        for _ in 0..rng.below(4) {
            let second = from + i64::try_from(rng.below(86_400)).unwrap();
            let late = self.row(&format!("{}-l{}", from / 86_400, self.made), rng);
            self.rows.entry(second).or_default().push(late);
        }
    }

    /// So many pages of two rows for the day, and nothing else.
    pub(crate) fn fill(&mut self, day: Timestamp, pages: u64) {
        let rows = |number| {
            [0, 1].map(|row| format!(r#"{{"agentId":"a-{number}-{row}","handleTime":1}}"#))
        };
        let rows = (0..pages).flat_map(rows).collect();
        self.rows = BTreeMap::from([(day.as_second(), rows)]);
    }

    fn row(&mut self, key: &str, rng: &mut Rng) -> String {
        self.made += 1;
        format!(
            r#"{{"agentId":"{}-{key}","handleTime":{},"note":{}}}"#,
            self.customer,
            rng.below(1000),
            serde_json::to_string(Kind::Row.text()).unwrap()
        )
    }
}

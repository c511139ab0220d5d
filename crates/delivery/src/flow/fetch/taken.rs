//! The pages that one batch has taken.

use definition::PageToken;
use definition::text::count_of;

use crate::EndReason;
use crate::columns::ColumnCounts;
use crate::documents::{CycleDetector, Part};
use crate::effects::{Fault, Page};
use crate::flow::fetch::cursor::Cursor;

/// No more pages are taken of one run. A run that has more is taken for one that never ends: its tokens may all be new, so that
/// the cycle detector can't tell.
const PAGES_MAX: u64 = 100_000;

/// A slot names no more unknown fields than this.
const UNKNOWN_FIELDS_MAX: usize = 32;

/// Why no more pages were taken.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    /// The run ended without its data, for this reason.
    Ended(EndReason, String),
    /// The next page could not be had.
    Fault(Fault),
}

/// What one batch has taken.
#[derive(Clone, Debug, Default)]
pub(super) struct TakenPages {
    pub(super) pages: u64,
    pub(super) rows: u64,
    pub(super) parts: Vec<Part>,
    pub(super) next: Option<PageToken>,
    pub(super) total: Option<u64>,
    pub(super) summary_rows: u64,
    pub(super) suspect_records: Vec<u64>,
    pub(super) columns: ColumnCounts,
    pub(super) cycle: CycleDetector,
    pub(super) unknown_fields: Vec<String>,
    pub(super) stopped: Option<Stop>,
}

impl TakenPages {
    /// No pages yet, behind the stored slots.
    pub(super) fn behind(cursor: &Cursor) -> Self {
        Self {
            next: cursor.next.clone(),
            total: cursor.total,
            cycle: cursor.cycle.clone(),
            ..Self::default()
        }
    }

    /// No pages, because the run ended without its data and its pages are worth nothing.
    pub(super) fn nothing(stopped: Stop) -> Self {
        Self {
            stopped: Some(stopped),
            ..Self::default()
        }
    }

    /// Adds a page. The answer says whether the page proves that the run can't be used.
    pub(super) fn add_page(&mut self, cursor: &Cursor, page: Page) -> Option<Stop> {
        let first = cursor.pages + self.pages == 0;
        if !first && page.total != self.total {
            let detail = "the total changed between pages".to_owned();
            return Some(Stop::Ended(EndReason::Unstable, detail));
        }
        self.pages += 1;
        self.rows += page.rows;
        self.total = page.total;
        self.summary_rows += page.summary_rows;
        self.suspect_records.extend(page.suspect_records);
        for name in page.unknown_fields {
            let is_new = !self.unknown_fields.contains(&name);
            if is_new && self.unknown_fields.len() < UNKNOWN_FIELDS_MAX {
                self.unknown_fields.push(name);
            }
        }
        let pages = cursor.pages + self.pages;
        let is_cycle = page
            .next
            .as_ref()
            .is_some_and(|next| self.cycle.observe(next));
        if is_cycle {
            return Some(Stop::Ended(
                EndReason::TokenLoop,
                format!("after {}", count_of(pages, "page")),
            ));
        }
        if pages >= PAGES_MAX && page.next.is_some() {
            // Another run would have as many.
            return Some(Stop::Fault(Fault::Contract(format!(
                "the run has {pages} pages and names one more, and no more are taken of a run. If the report is that large, ask for shorter windows, by a schedule that comes more often or by `pipeline.split`; if not, CXone's page tokens never end"
            ))));
        }
        self.next = page.next;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What becomes of a page behind so many others, all of whose tokens were new.
    fn behind(pages: u64, next: Option<&str>) -> Option<Stop> {
        let cursor = Cursor {
            pages,
            ..Cursor::default()
        };
        let page = Page {
            next: next.map(|token| PageToken::new(token).unwrap()),
            ..Page::default()
        };
        TakenPages::behind(&cursor).add_page(&cursor, page)
    }

    #[test]
    fn a_run_whose_new_tokens_never_end_fails_instead_of_being_followed_for_ever() {
        assert!(behind(PAGES_MAX - 2, Some("new")).is_none());
        assert!(
            behind(PAGES_MAX - 1, None).is_none(),
            "that was the last one"
        );
        for pages in [PAGES_MAX - 1, PAGES_MAX, PAGES_MAX + 5] {
            match behind(pages, Some("new")) {
                Some(Stop::Fault(Fault::Contract(why))) => {
                    assert!(why.contains("shorter windows"), "{why}");
                }
                other => panic!("{pages}: {other:?}"),
            }
        }
    }
}

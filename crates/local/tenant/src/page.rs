//! The pages of a completed run, in constant memory.

use std::ops::Range;

use crate::corrupt::{self, Corruption};
use crate::reply::Pieces;
use crate::row_writer::RowWriter;
use crate::run::Plan;

/// The size of a piece of a body.
const PIECE: usize = 64 << 10;

/// A row: its index and the variant of its metrics.
pub(crate) type Item = (u64, u64);
pub(crate) type Items = Box<dyn Iterator<Item = Item> + Send>;

/// How many pages a run has; an empty run has one.
pub(crate) fn page_count(plan: &Plan) -> u64 {
    let natural = plan.rows.div_ceil(plan.page_size).max(1);
    natural + u64::from(empty_page(plan).is_some_and(|page| page <= natural))
}

fn empty_page(plan: &Plan) -> Option<u64> {
    plan.fault("empty-page").map(crate::fault::Fault::page)
}

/// The indices of a page's own rows.
fn row_range(plan: &Plan, page: u64) -> Range<u64> {
    let place = match empty_page(plan) {
        Some(empty) if page == empty => return 0..0,
        Some(empty) if page > empty => page - 1,
        _ => page,
    };
    let start = (place * plan.page_size).min(plan.rows);
    start..(start + plan.page_size).min(plan.rows)
}

/// The rows of a page; `read` is the number of times that it was read before.
pub(crate) fn page_rows(plan: &Plan, page: u64, read: u64) -> Items {
    let repeats = plan.fault_of_page("page-repeats", page).is_some();
    let own = row_range(
        plan,
        if repeats {
            page.saturating_sub(1)
        } else {
            page
        },
    );
    let before = if page == 0 {
        0..0
    } else {
        row_range(plan, page - 1)
    };
    let last = |fault: &crate::fault::Fault| {
        before
            .end
            .saturating_sub(fault.number("rows"))
            .max(before.start)..before.end
    };
    let duplicates = plan.fault_of_page("duplicates", page).map_or(0..0, last);
    let shifted = plan.fault_of_page("shifted", page).map_or(0..0, last);
    let conflicts = plan.fault_of_page("conflict", page).map_or(0..0, last);
    let missing = shifted.end - shifted.start;
    let changes = plan.fault_of_page("rows-change", page).is_some();
    let variant = plan.revision + if changes { read } else { 0 };
    let again = duplicates.chain(shifted).map(move |index| (index, variant));
    let conflicts = conflicts.map(move |index| (index, variant + 1));
    let own = (own.start + missing).min(own.end)..own.end;
    let reversed = read % 2 == 1 && plan.fault_of_page("order-changes", page).is_some();
    let own: Box<dyn Iterator<Item = u64> + Send> = if reversed {
        Box::new(own.rev())
    } else {
        Box::new(own)
    };
    Box::new(
        again
            .chain(conflicts)
            .chain(own.map(move |index| (index, variant))),
    )
}

/// The body of a download.
pub(crate) fn csv_file(plan: &Plan) -> Pieces {
    let (header, footer) = (corrupt::csv_header(plan), corrupt::csv_footer(plan));
    let writer = RowWriter::new(plan.seed, &plan.shape, plan.window);
    let short = u64::from(
        plan.fault("completed-both")
            .is_some_and(|fault| fault.text("agree") == "no"),
    );
    let rows = plan.rows - short.min(plan.rows);
    let plan = plan.clone();
    let lines = (0..page_count(&plan)).flat_map(move |page| {
        let writer = writer.clone();
        let mut spoil = corrupt::csv_corruption(&plan, page);
        let items = page_rows(&plan, page, 0).filter(move |(index, _)| *index < rows);
        items.enumerate().map(move |(at, (index, variant))| {
            let mut line = Vec::with_capacity(256);
            writer.write_csv_variant(index, variant, &mut line);
            if let Some(spoil) = &mut spoil {
                spoil(at, &mut line);
            }
            line
        })
    });
    let whole = std::iter::once(header)
        .chain(Gather { parts: lines })
        .chain(std::iter::once(footer));
    Box::new(whole.filter(|piece| !piece.is_empty()))
}

/// The page that a page names as the next one.
pub(crate) fn next_page(plan: &Plan, page: u64) -> Option<u64> {
    if plan.fault_of_page("token-repeats", page).is_some() {
        return Some(page);
    }
    if let Some(fault) = plan.fault_of_page("token-cycles", page) {
        return Some(page.saturating_sub(fault.number("back")));
    }
    (page + 1 < page_count(plan)).then_some(page + 1)
}

/// The number of rows that a page reports for the whole run.
pub(crate) fn reported_total(plan: &Plan, page: u64) -> u64 {
    let changed = plan
        .fault("total-changes")
        .filter(|fault| page >= fault.page());
    let wrong = plan.fault("total-wrong");
    plan.rows
        + changed.map_or(0, |fault| fault.number("by"))
        + wrong.map_or(0, |fault| fault.number("by"))
}

/// The rows of a page in JSON, with what separates them, in pieces.
pub(crate) struct RowStream {
    items: Items,
    writer: RowWriter,
    corruption: Option<Corruption>,
    separator: &'static [u8],
    at: usize,
}

impl RowStream {
    pub(crate) fn new(
        plan: &Plan,
        items: Items,
        corruption: Option<Corruption>,
        separator: &'static [u8],
    ) -> Self {
        Self {
            items,
            writer: RowWriter::new(plan.seed, &plan.shape, plan.window),
            corruption,
            separator,
            at: 0,
        }
    }
}

impl Iterator for RowStream {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut piece = Vec::with_capacity(PIECE + 1_024);
        while piece.len() < PIECE {
            let Some((index, variant)) = self.items.next() else {
                break;
            };
            if self.at > 0 {
                piece.extend_from_slice(self.separator);
            }
            match &mut self.corruption {
                None => self.writer.write_json_variant(index, variant, &mut piece),
                Some(spoil) => {
                    let mut row = Vec::with_capacity(512);
                    self.writer.write_json_variant(index, variant, &mut row);
                    spoil(self.at, &mut row);
                    piece.append(&mut row);
                }
            }
            self.at += 1;
        }
        (!piece.is_empty()).then_some(piece)
    }
}

/// Small parts gathered into pieces.
struct Gather<I> {
    parts: I,
}

impl<I: Iterator<Item = Vec<u8>>> Iterator for Gather<I> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut piece = Vec::with_capacity(PIECE + 1_024);
        while piece.len() < PIECE {
            let Some(mut part) = self.parts.next() else {
                break;
            };
            piece.append(&mut part);
        }
        (!piece.is_empty()).then_some(piece)
    }
}

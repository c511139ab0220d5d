//! The pages of a completed run, in constant memory.

use std::ops::Range;

use serde_json::json;

use crate::definition::Format;
use crate::reply::Pieces;
use crate::rows::RowWriter;
use crate::run::Plan;
use crate::spoil;
use crate::token;

/// The size of a piece of a body.
const PIECE: usize = 64 << 10;

/// A row: its index, and which variant of its metrics.
pub(crate) type Item = (u64, u64);
type Items = Box<dyn Iterator<Item = Item> + Send>;

/// How many pages a run has; an empty run has one.
pub(crate) fn count(plan: &Plan) -> u64 {
    let natural = plan.rows.div_ceil(plan.page_size).max(1);
    natural + u64::from(empty_page(plan).is_some_and(|page| page <= natural))
}

fn empty_page(plan: &Plan) -> Option<u64> {
    plan.fault("empty-page").map(crate::fault::Fault::page)
}

/// The indices of a page's own rows.
fn range(plan: &Plan, page: u64) -> Range<u64> {
    let place = match empty_page(plan) {
        Some(empty) if page == empty => return 0..0,
        Some(empty) if page > empty => page - 1,
        _ => page,
    };
    let start = (place * plan.page_size).min(plan.rows);
    start..(start + plan.page_size).min(plan.rows)
}

/// A page's rows when it is read for the `read`th time, from 0.
fn items(plan: &Plan, page: u64, read: u64) -> Items {
    let repeats = plan.fault_of_page("page-repeats", page).is_some();
    let own = range(
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
        range(plan, page - 1)
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

/// The body of a completed run's page.
pub(crate) fn json(plan: &Plan, page: u64, read: u64) -> Pieces {
    let frame = Frame::of(plan, page);
    if plan
        .fault_of_page("data-shape", page)
        .is_some_and(|fault| fault.text("as") != "rows")
    {
        return Box::new(std::iter::once(frame.whole(plan, page)));
    }
    let rows = Rows {
        items: items(plan, page, read),
        writer: RowWriter::new(plan.seed, &plan.shape, plan.window),
        spoil: spoil::row(plan, page),
        separator: if plan.fault_of_page("pretty", page).is_some() {
            b",\n    "
        } else {
            b","
        },
        at: 0,
    };
    Box::new(
        std::iter::once(frame.before)
            .chain(rows)
            .chain(std::iter::once(frame.after)),
    )
}

/// The body of a page of contacts: the rows from `skip` on, read for the `read`th time.
pub(crate) fn contacts(
    plan: &Plan,
    version: u16,
    skip: u64,
    read: u64,
    now: jiff::Timestamp,
) -> Pieces {
    let page = skip / plan.page_size;
    let is_whole = skip.is_multiple_of(plan.page_size);
    let (items, next): (Items, _) = if is_whole {
        let next = next(plan, page).map(|page| page * plan.page_size);
        (items(plan, page, read), next)
    } else {
        // Nobody's page: no fault knows it.
        let end = (skip + plan.page_size).min(plan.rows);
        let revision = plan.revision;
        let items = (skip..end).map(move |index| (index, revision));
        (Box::new(items), (end < plan.rows).then_some(end))
    };
    let rows = Rows {
        items,
        writer: RowWriter::new(plan.seed, &plan.shape, plan.window),
        spoil: spoil::row(plan, page).filter(|_| is_whole),
        separator: b",",
        at: 0,
    };
    let links = links(plan, version, skip, next);
    let before = before_contacts(plan, page, &links, now);
    Box::new(
        std::iter::once(before)
            .chain(rows)
            .chain(std::iter::once(b"]}".to_vec())),
    )
}

/// What stands before the rows of a page of contacts.
fn before_contacts(
    plan: &Plan,
    page: u64,
    links: &serde_json::Value,
    now: jiff::Timestamp,
) -> Vec<u8> {
    let mark = if plan.fault_of_page("bom", page).is_some() {
        "\u{feff}"
    } else {
        ""
    };
    let total = match (plan.total, plan.fault("total-text")) {
        (false, _) => String::new(),
        (true, None) => format!("\"totalRecords\":{},", total(plan, page)),
        (true, Some(_)) => format!("\"totalRecords\":\"{}\",", total(plan, page)),
    };
    let polled = now.strftime("%Y-%m-%dT%H:%M:%S.000Z");
    format!(
        "{mark}{{\"businessUnitId\":4711,\"lastPollTime\":\"{polled}\",{total}\"_links\":{links},\"completedContacts\":["
    )
    .into_bytes()
}

/// The links of a page of contacts.
fn links(plan: &Plan, version: u16, skip: u64, next: Option<u64>) -> serde_json::Value {
    let path = |skip: u64| {
        format!(
            "/inContactAPI/services/v{version}.0/contacts/completed?startDate={}&endDate={}&skip={skip}&top={}",
            plan.window.start, plan.window.end, plan.page_size
        )
    };
    let mut links = json!({ "self": format!("{}{}", plan.base_url, path(skip)) });
    let odd = plan.fault("next-link").map(|fault| fault.text("as"));
    let empty = plan.fault("token-empty").map(|fault| fault.text("as"));
    let own = match (next, odd, empty) {
        (_, Some("missing"), _) | (None, _, Some("missing")) => return links,
        (Some(skip), Some("relative"), _) => json!(path(skip)),
        (Some(skip), Some(_), _) => json!(format!("{}{}", plan.decoy_url, path(skip))),
        (Some(skip), None, _) => json!(format!("{}{}", plan.base_url, path(skip))),
        (None, _, Some(_)) => json!(""),
        (None, _, None) => json!(null),
    };
    links["next"] = own;
    links
}

/// The body of a download.
pub(crate) fn csv(plan: &Plan) -> Pieces {
    let (header, footer) = (spoil::csv_header(plan), spoil::csv_footer(plan));
    let writer = RowWriter::new(plan.seed, &plan.shape, plan.window);
    let short = u64::from(
        plan.fault("completed-both")
            .is_some_and(|fault| fault.text("agree") == "no"),
    );
    let rows = plan.rows - short.min(plan.rows);
    let plan = plan.clone();
    let lines = (0..count(&plan)).flat_map(move |page| {
        let writer = writer.clone();
        let mut spoil = spoil::csv(&plan, page);
        let items = items(&plan, page, 0).filter(move |(index, _)| *index < rows);
        items.enumerate().map(move |(at, (index, variant))| {
            let mut line = Vec::with_capacity(256);
            writer.csv_variant(index, variant, &mut line);
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

/// What stands around the rows of a page.
struct Frame {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Frame {
    fn of(plan: &Plan, page: u64) -> Self {
        let about = [
            field("runId", &json!(plan.id)),
            field("state", &json!(spoil::state(plan, "completed"))),
        ];
        let mut before = about.to_vec();
        let mut after = tail(plan, page);
        if plan.fault_of_page("fields-first", page).is_some() {
            let decoy =
                r#""meta":{"data":[{"agentId":"decoy"}],"nextPageToken":"decoy","rows":[[],{}]}"#;
            before = [vec![decoy.to_owned()], after, before].concat();
            after = vec![
                r#""links":[{"rel":"self"}]"#.to_owned(),
                r#""quota":null"#.to_owned(),
            ];
        }
        let pretty = plan.fault_of_page("pretty", page).is_some();
        let (line, opening, closing) = if pretty {
            ("\n  ", "[\n    ", "\n  ]")
        } else {
            ("", "[", "]")
        };
        let mark = if plan.fault_of_page("bom", page).is_some() {
            "\u{feff}"
        } else {
            ""
        };
        let joint = format!(",{line}");
        let before = format!(
            "{mark}{{{line}{}{joint}\"data\":{opening}",
            before.join(&joint)
        );
        let after: String = after
            .iter()
            .flat_map(|field| [joint.as_str(), field])
            .collect();
        let end = if pretty { "\n}\n" } else { "}" };
        Self {
            before: before.into_bytes(),
            after: format!("{closing}{after}{end}").into_bytes(),
        }
    }

    /// The body when `data` is not an array.
    fn whole(mut self, plan: &Plan, page: u64) -> Vec<u8> {
        let data: &[u8] = match plan
            .fault_of_page("data-shape", page)
            .map(|fault| fault.text("as"))
        {
            Some("null") => b"null",
            Some("object") => b"{}",
            _ => b"\"rows\"",
        };
        self.before.pop();
        self.before.extend_from_slice(data);
        self.before.extend_from_slice(&self.after[1..]);
        self.before
    }
}

/// The fields after the rows.
fn tail(plan: &Plan, page: u64) -> Vec<String> {
    let token = match (
        next(plan, page),
        plan.fault("token-empty").map(|fault| fault.text("as")),
    ) {
        (Some(page), _) => Some(json!(token::write(plan, page))),
        (None, None) => Some(json!(null)),
        (None, Some("missing")) => None,
        (None, Some(_)) => Some(json!("")),
    };
    let total = plan.total.then(|| json!(total(plan, page)));
    let url = plan
        .fault("completed-both")
        .map(|_| spoil::download_url(plan));
    let fields = [
        ("nextPageToken", token),
        ("total", total),
        ("downloadUrl", url),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some(field(name, &value?)))
        .collect()
}

fn field(name: &str, value: &serde_json::Value) -> String {
    format!("\"{name}\":{value}")
}

fn next(plan: &Plan, page: u64) -> Option<u64> {
    if plan.fault_of_page("token-repeats", page).is_some() {
        return Some(page);
    }
    if let Some(fault) = plan.fault_of_page("token-cycles", page) {
        return Some(page.saturating_sub(fault.number("back")));
    }
    (page + 1 < count(plan)).then_some(page + 1)
}

pub(crate) fn total(plan: &Plan, page: u64) -> u64 {
    let changed = plan
        .fault("total-changes")
        .filter(|fault| page >= fault.page());
    let wrong = plan.fault("total-wrong");
    plan.rows
        + changed.map_or(0, |fault| fault.number("by"))
        + wrong.map_or(0, |fault| fault.number("by"))
}

/// A completed run's answer without rows: the CSV form, or the faulty one that has nothing to offer.
pub(crate) fn summary(plan: &Plan) -> serde_json::Value {
    let mut body = json!({ "runId": plan.id, "state": spoil::state(plan, "completed") });
    if plan.total {
        body["total"] = total(plan, 0).into();
    }
    if plan.format == Format::Csv && plan.fault("completed-bare").is_none() {
        body["downloadUrl"] = spoil::download_url(plan);
    }
    body
}

/// The rows of a page with their commas, in pieces.
struct Rows {
    items: Items,
    writer: RowWriter,
    spoil: Option<spoil::Spoil>,
    separator: &'static [u8],
    at: usize,
}

impl Iterator for Rows {
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
            match &mut self.spoil {
                None => self.writer.json_variant(index, variant, &mut piece),
                Some(spoil) => {
                    let mut row = Vec::with_capacity(512);
                    self.writer.json_variant(index, variant, &mut row);
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

//! The body of a page of contacts.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::corrupt;
use crate::page::{Items, RowStream, next_page, page_rows, reported_total};
use crate::reply::Pieces;
use crate::run::Plan;

/// The body of a page of contacts: the rows from `skip` on, read for the `read`th time.
pub(super) fn contacts_page(
    plan: &Plan,
    version: u16,
    skip: u64,
    read: u64,
    now: Timestamp,
) -> Pieces {
    let page = skip / plan.page_size;
    let is_whole = skip.is_multiple_of(plan.page_size);
    let (items, next): (Items, _) = if is_whole {
        let next = next_page(plan, page).map(|page| page * plan.page_size);
        (page_rows(plan, page, read), next)
    } else {
        // The rows do not start at a page, so no fault of a page applies.
        let end = (skip + plan.page_size).min(plan.rows);
        let revision = plan.revision;
        let items = (skip..end).map(move |index| (index, revision));
        (Box::new(items), (end < plan.rows).then_some(end))
    };
    let corruption = corrupt::row_corruption(plan, page).filter(|_| is_whole);
    let rows = RowStream::new(plan, items, corruption, b",");
    let links = page_links(plan, version, skip, next);
    let before = write_head(plan, page, &links, now);
    Box::new(
        std::iter::once(before)
            .chain(rows)
            .chain(std::iter::once(b"]}".to_vec())),
    )
}

/// The body up to the rows.
fn write_head(plan: &Plan, page: u64, links: &Value, now: Timestamp) -> Vec<u8> {
    let mark = if plan.fault_of_page("bom", page).is_some() {
        "\u{feff}"
    } else {
        ""
    };
    let total = match (plan.total, plan.fault("total-text")) {
        (false, _) => String::new(),
        (true, None) => format!("\"totalRecords\":{},", reported_total(plan, page)),
        (true, Some(_)) => format!("\"totalRecords\":\"{}\",", reported_total(plan, page)),
    };
    let polled = now.strftime("%Y-%m-%dT%H:%M:%S.000Z");
    format!(
        "{mark}{{\"businessUnitId\":4711,\"lastPollTime\":\"{polled}\",{total}\"_links\":{links},\"completedContacts\":["
    )
    .into_bytes()
}

/// The links of a page of contacts.
fn page_links(plan: &Plan, version: u16, skip: u64, next: Option<u64>) -> Value {
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

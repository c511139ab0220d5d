//! The body of a page of the guide's API.

use serde_json::{Value, json};

use crate::definition::Format;
use crate::page::{RowStream, next_page, page_rows, reported_total};
use crate::reply::Pieces;
use crate::run::Plan;
use crate::{corrupt, token};

/// The body of a completed run's page.
pub(super) fn analytics_page(plan: &Plan, page: u64, read: u64) -> Pieces {
    let frame = Frame::new(plan, page);
    if plan
        .fault_of_page("data-shape", page)
        .is_some_and(|fault| fault.text("as") != "rows")
    {
        return Box::new(std::iter::once(frame.with_odd_data(plan, page)));
    }
    let separator: &[u8] = match plan.fault_of_page("pretty", page) {
        Some(_) => b",\n    ",
        None => b",",
    };
    let corruption = corrupt::row_corruption(plan, page);
    let rows = RowStream::new(plan, page_rows(plan, page, read), corruption, separator);
    Box::new(
        std::iter::once(frame.before)
            .chain(rows)
            .chain(std::iter::once(frame.after)),
    )
}

/// A completed run's answer without rows: the CSV form, or the faulty one that has nothing to offer.
pub(super) fn summarise(plan: &Plan) -> Value {
    let mut body =
        json!({ "runId": corrupt::run_id(plan), "state": corrupt::state_text(plan, "completed") });
    if plan.total {
        body["total"] = corrupt::total(plan, reported_total(plan, 0));
    }
    if plan.format == Format::Csv && plan.fault("completed-bare").is_none() {
        body["downloadUrl"] = corrupt::download_url(plan);
    }
    body
}

/// What stands around the rows of a page.
struct Frame {
    before: Vec<u8>,
    after: Vec<u8>,
}

impl Frame {
    fn new(plan: &Plan, page: u64) -> Self {
        let about = [
            json_field("runId", &corrupt::run_id(plan)),
            json_field("state", &json!(corrupt::state_text(plan, "completed"))),
        ];
        let mut before = about.to_vec();
        let mut after = fields_after(plan, page);
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
    fn with_odd_data(mut self, plan: &Plan, page: u64) -> Vec<u8> {
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
fn fields_after(plan: &Plan, page: u64) -> Vec<String> {
    let token = match (
        next_page(plan, page),
        plan.fault("token-empty").map(|fault| fault.text("as")),
    ) {
        (Some(page), _) => Some(json!(token::write_token(plan, page))),
        (None, None) => Some(json!(null)),
        (None, Some("missing")) => None,
        (None, Some(_)) => Some(json!("")),
    };
    let total = plan
        .total
        .then(|| corrupt::total(plan, reported_total(plan, page)));
    let url = plan
        .fault("completed-both")
        .map(|_| corrupt::download_url(plan));
    let fields = [
        ("nextPageToken", token),
        ("total", total),
        ("downloadUrl", url),
    ];
    fields
        .into_iter()
        .filter_map(|(name, value)| Some(json_field(name, &value?)))
        .collect()
}

fn json_field(name: &str, value: &Value) -> String {
    format!("\"{name}\":{value}")
}

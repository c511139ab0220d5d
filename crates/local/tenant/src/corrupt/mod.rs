//! How faults corrupt state names, links, rows and records.

mod csv;
mod row;

use serde_json::{Value, json};

pub(crate) use csv::{csv_corruption, csv_footer, csv_header};
pub(crate) use row::row_corruption;

use crate::reply::{Delivery, Pieces, Reply};
use crate::run::Plan;

/// Changes a row, given its index in the page.
pub(crate) type Corruption = Box<dyn FnMut(usize, &mut Vec<u8>) + Send>;
/// Changes a row independent of its index.
type Change = Box<dyn Fn(&mut Vec<u8>) + Send>;

/// The id of a run, as an answer has it.
pub(crate) fn run_id(plan: &Plan) -> Value {
    let number = plan.fault("loose-forms").and(plan.id.parse::<u64>().ok());
    number.map_or_else(|| json!(plan.id), |number| json!(number))
}

/// A total, as an answer has it.
pub(crate) fn total(plan: &Plan, total: u64) -> Value {
    match plan.fault("loose-forms") {
        Some(_) => json!(total.to_string()),
        None => json!(total),
    }
}

/// The answer that a file comes in.
pub(crate) fn file_reply(plan: &Plan, kind: &'static str, file: Pieces) -> Reply {
    let mut reply = Reply::streamed(kind, file);
    if let Some(fault) = plan.fault("file-type") {
        reply = Reply {
            headers: vec![("Content-Type", fault.text("as").to_owned())],
            ..reply
        };
    }
    match plan.fault("file-gzip").map(|fault| fault.text("of")) {
        Some("answer") => reply.with_delivery(Delivery::GzipFile),
        _ => reply,
    }
}

/// The name of a state, in the case that a fault asks for.
pub(crate) fn state_text(plan: &Plan, state: &str) -> String {
    match plan.fault("state-case").map(|fault| fault.text("case")) {
        Some("upper") => state.to_uppercase(),
        Some("lower") => state.to_lowercase(),
        Some(_) => format!("{}{}", state[..1].to_uppercase(), state[1..].to_lowercase()),
        None => state.to_owned(),
    }
}

/// The `downloadUrl` of a run.
pub(crate) fn download_url(plan: &Plan) -> Value {
    let path = format!(
        "/download/{}.csv?sig={:x}",
        plan.number,
        link_signature(plan)
    );
    file_link(plan, &path)
}

/// A link to this path, or to where a fault leads it.
pub(crate) fn file_link(plan: &Plan, path: &str) -> Value {
    if let Some(fault) = plan.fault("link-host") {
        return json!(format!("https://{}{path}", fault.text("host")));
    }
    let own = format!("{}{path}", plan.base_url);
    let Some(fault) = plan.fault("download-url") else {
        return json!(own);
    };
    let host = plan.base_url.trim_start_matches("http://");
    json!(match fault.text("to") {
        "other-host" => format!("https://files.evil.example{path}"),
        "ip" => format!("https://203.0.113.7{path}"),
        "metadata" =>
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/".to_owned(),
        "mapped" => format!("https://[::ffff:169.254.169.254]{path}"),
        "ipv6" => format!("https://[fd00:ec2::254]{path}"),
        "decimal" => format!("https://2852039166{path}"),
        "octal" => format!("https://0251.0376.0251.0376{path}"),
        "hex" => format!("https://0xa9fea9fe{path}"),
        "full-width" => format!("https://169。254。169。254{path}"),
        "http" => format!("http://files.niceincontact.com{path}"),
        "port" => format!("https://files.niceincontact.com:8443{path}"),
        "userinfo" => format!("https://files.niceincontact.com@evil.example{path}"),
        "backslash" => format!("https://files.niceincontact.com\\@evil.example{path}"),
        "fragment" => format!("https://evil.example#files.niceincontact.com{path}"),
        "suffix" => format!("https://evilniceincontact.com{path}"),
        "file" => "file:///etc/passwd".to_owned(),
        "relative" => path.to_owned(),
        "empty" => String::new(),
        "null" => return Value::Null,
        "decoy" => format!("{}{path}", plan.decoy_url),
        _ => format!("https://{host}{path}"),
    })
}

/// The signature that a download link must have.
pub(crate) fn link_signature(plan: &Plan) -> u64 {
    crate::values::mix_bits(plan.seed, crate::values::hash_bytes(plan.id.as_bytes()))
}

/// Applies the change to the first row of the page only.
fn first_only(change: Change) -> Corruption {
    Box::new(move |at, row| {
        if at == 0 {
            change(row);
        }
    })
}

fn combine(mut spoils: Vec<Corruption>) -> Option<Corruption> {
    if spoils.is_empty() {
        return None;
    }
    Some(Box::new(move |at, row| {
        for spoil in &mut spoils {
            spoil(at, row);
        }
    }))
}

//! What differs between the APIs, found by asking the crate.

use definition::{Api, Definition, Findings};
use serde_json::{Value, json};

use crate::examples::read_example;

/// The table in which each API is a column.
pub(crate) fn write_table() -> String {
    let row = |name: &str, cell: fn(Api) -> String| {
        Api::ALL.iter().fold(format!("| {name} |"), |row, api| {
            row + " " + &cell(*api) + " |"
        }) + "\n"
    };
    let mut table = row("", |api| format!("`{api}`"));
    table += &"| --- ".repeat(Api::ALL.len() + 1);
    table += "|\n";
    table += &row("`pipeline.key` if it is left out", describe_key);
    table += &row(
        "windows are cut to, unless `pipeline.split` says otherwise",
        describe_split,
    );
    table += &row("`pipeline.split.largestWindow` is at most", |api| {
        find_longest_split(api).map_or("not allowed".to_owned(), |days| format!("`P{days}D`"))
    });
    table += &row("`pipeline.narrow`", |api| {
        describe_field(
            api,
            "/pipeline/narrow",
            &json!({ "smallestWindow": "PT1H" }),
        )
    });
    table += &row("`pipeline.fallback`", |api| {
        describe_field(api, "/pipeline/fallback", &json!({ "drop": ["talkTime"] }))
    });
    table += &row("`delivery.format`", |api| {
        describe_field(api, "/delivery/format", &json!("csv"))
    });
    table += &row("time zone of the API's dates", |api| {
        describe_zone(&example(api))
    });
    table += &row("a run can be cancelled", |api| {
        let can_cancel = example(api).dialect().can_cancel();
        if can_cancel { "yes" } else { "no" }.to_owned()
    });
    table += &row("least time between two calls of a tenant", |api| {
        let spacing = example(api).dialect().spacing();
        spacing.map_or("none".to_owned(), |spacing| {
            format!("{} s", spacing.as_secs())
        })
    });
    table
}

fn example(api: Api) -> Definition {
    Definition::parse(read_example(api)).unwrap().definition
}

/// The example of an API with another value somewhere; `null` takes a field out.
fn change(api: Api, pointer: &str, value: &Value) -> Result<(Definition, Vec<String>), Findings> {
    let mut changed: Value = serde_json::from_str(&read_example(api)).unwrap();
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    changed.pointer_mut(parent).unwrap()[field] = value.clone();
    let checked = Definition::from_value(&changed)?;
    let codes = checked
        .warnings
        .iter()
        .map(|warning| warning.code.to_string());
    Ok((checked.definition, codes.collect()))
}

fn describe_key(api: Api) -> String {
    match change(api, "/pipeline/key", &Value::Null) {
        Err(_) => "required".to_owned(),
        Ok(_) if api == Api::Analytics => "the grouping, or the dimensions without one".to_owned(),
        Ok((definition, _)) => format!("`{}`", definition.key_columns().join("`, `")),
    }
}

fn describe_split(api: Api) -> String {
    let window = example(api).largest_window();
    window.map_or("not cut".to_owned(), |window| {
        format!("`P{}D`", window.as_hours() / 24)
    })
}

/// The longest window in days that the API can be asked for.
fn find_longest_split(api: Api) -> Option<u32> {
    let is_allowed = |days: &u32| {
        let split = json!({ "largestWindow": format!("P{days}D") });
        change(api, "/pipeline/split", &split).is_ok()
    };
    (1..=31).filter(is_allowed).max()
}

fn describe_field(api: Api, pointer: &str, value: &Value) -> String {
    match change(api, pointer, value) {
        Err(_) => "not allowed",
        Ok((_, warnings)) if warnings.contains(&"CXD059".to_owned()) => "no effect",
        Ok(_) => "allowed",
    }
    .to_owned()
}

fn describe_zone(definition: &Definition) -> String {
    match definition.source().time_zone.as_str() {
        "UTC" => "UTC",
        "business-unit" => "the business unit's",
        _ => "`report.utcOffset`",
    }
    .to_owned()
}

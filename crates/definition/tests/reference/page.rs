//! The page, section by section.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use definition::{Api, Catalogue, FindingCode, ReportType, schema};
use serde_json::Value;

use crate::examples::{example_path, read_example};
use crate::fields::{one_line, resolve, write_table};
use crate::{apis, root};

const INTRODUCTION: &str = "\
<!-- Generated: UPDATE_DOCS=1 cargo test -p definition --test reference rewrites this page. -->
# Report definitions

A definition is one JSON file that says which report to fetch from CXone, when, and how to store its rows. This page describes every
field, every metric and dimension, and every finding of the checker. [Which API](../crates/cxone/APIS.md) helps to choose one.

Write a definition like this:

1. Choose the API, and copy [its example](#examples).
2. Change `name`, `pipeline.tenant`, `schedule` and the fields of `report`.
3. Run `cxr check FILE`. It lists everything that is wrong at once: where, what, and what to do. Errors have to be corrected; a warning
   names something that may surprise you.
4. `cxr schema` prints a JSON Schema, with which an editor completes fields and explains them while you type. A definition may name it:
   `\"$schema\": \"./definition.schema.json\"`.

A definition has at most 32 KiB. Fields that this page does not name are errors, so that a misspelt one is noticed. A field that is
optional may be left out or be `null`.

";

const FIELDS: &str = "\
## Fields of every definition

`report` differs from API to API; its fields are in the sections of the APIs. The third column says whether a field is required, or
what it is if you leave it out. A field of an optional object is required where the object is there.

";

const DATE_RANGE: &str = "\
## `report.dateRange`

The time that a report covers: `relative` for a schedule that recurs, `absolute` for one that runs once.

";

const APIS: &str = "\
## The APIs

What differs between the APIs. The column of `report-jobs` holds for `\"range\": \"template\"`; with `\"range\": \"dates\"` its windows
are narrowed and split as those of `data-download`.

";

const CATALOGUE: &str = "\
## Metrics and dimensions

What `report.metrics`, `report.dimensions` and `report.filters` of `analytics` may name, by `report.type`. The guide names the ones in
**bold**. The others are assumed, and CXone itself refuses what it does not have. If your tenant has more, name them in
`pipeline.declare`: then the definition passes wherever it is read. `cxr check --catalogue` takes a file of the form of
[catalogue.json](../crates/definition/catalogue.json) as well, but only `cxr` knows of that file, and an execution does not.

";

const TYPES: &str = "\
What their values are, for the tables that rows are loaded into (`cxr ddl`). The guide shows neither types nor units: the types follow from
the names, and a unit is not known of any. If you know better, say it in `pipeline.declare`.

";

const ENTITIES: &str = "\
## Reports and entities

The ids of reports (`report-jobs`, `data-download`) and the entities (`data-extraction`) are those of your tenant: `GET reports` of the
API lists the reports, and NICE's documentation of your products names the entities and the versions of their columns. The examples
below use these:

";

const FINDINGS: &str = "\
## Findings

A finding is printed as `FILE: SEVERITY CODE at WHERE: what is wrong; what to do`. WHERE is a JSON pointer: `/report/metrics/0` is the
first of the metrics. A code keeps its meaning for ever.

";

pub(crate) fn write_page() -> String {
    let schema: Value = serde_json::from_str(&schema()).unwrap();
    let mut page = INTRODUCTION.to_owned();
    page += FIELDS;
    page += &write_table(&schema, &without_report(&schema), "");
    page += "\n";
    page += &write_date_range(&schema);
    page += APIS;
    page += &apis::write_table();
    for api in Api::ALL {
        page += &write_api(&schema, *api);
    }
    page += "\n";
    page += &write_catalogue();
    page += &write_entities();
    page += &write_findings();
    page += &write_examples();
    page
}

/// The whole definition as the schema has it, with a report of which only the description is known.
fn without_report(schema: &Value) -> Value {
    let mut definition = schema.clone();
    definition["properties"]["report"]["type"] = Value::from("object");
    definition
}

fn write_date_range(schema: &Value) -> String {
    let range = &report_of(schema, Api::default())["properties"]["dateRange"];
    let range = resolve(schema, range);
    let mut text = DATE_RANGE.to_owned();
    for kind in range["oneOf"].as_array().unwrap() {
        let name = kind["properties"]["type"]["const"].as_str().unwrap();
        let mut kind = kind.clone();
        kind["properties"].as_object_mut().unwrap().remove("type");
        let description = one_line(&kind["description"]);
        writeln!(text, "`\"type\": \"{name}\"`: {description}\n").unwrap();
        text += &write_table(schema, &kind, "report.dateRange.");
        text += "\n";
    }
    text
}

/// The `report` block of an API.
fn report_of(schema: &Value, api: Api) -> Value {
    let all = schema["allOf"].as_array().unwrap();
    let of_api = |of: &&Value| {
        let pipeline = &of["if"]["properties"]["pipeline"];
        pipeline["properties"]["api"]["const"] == api.as_str()
    };
    let report = &all.iter().find(of_api).unwrap()["then"]["properties"]["report"];
    resolve(schema, report)
}

fn write_api(schema: &Value, api: Api) -> String {
    let report = report_of(schema, api);
    let description = one_line(&report["description"]);
    format!("\n### `{api}`\n\n{description}\n\n") + &write_table(schema, &report, "report.")
}

fn write_catalogue() -> String {
    let json = include_str!("../../catalogue.json");
    let written: Value = serde_json::from_str(json).unwrap();
    let mut text =
        CATALOGUE.to_owned() + "| `report.type` | metrics | dimensions |\n| --- | --- | --- |\n";
    for report_type in ReportType::ALL {
        let of_guide = |half: &str| -> BTreeSet<&str> {
            let names = written[report_type.as_str()][half].as_array().unwrap();
            names.iter().filter_map(Value::as_str).collect()
        };
        let catalogue = Catalogue::builtin();
        let metrics = write_names(catalogue.metrics(*report_type), &of_guide("metrics"));
        let dimensions = write_names(catalogue.dimensions(*report_type), &of_guide("dimensions"));
        writeln!(text, "| `{report_type}` | {metrics} | {dimensions} |").unwrap();
    }
    text + "\n" + &write_types(&written["columns"])
}

fn write_types(columns: &Value) -> String {
    let mut text = TYPES.to_owned() + "| column | type | meaning |\n| --- | --- | --- |\n";
    let sorted: BTreeMap<_, _> = columns.as_object().unwrap().iter().collect();
    for (name, column) in sorted {
        let (kind, meaning) = (&column["type"], one_line(&column["description"]));
        writeln!(
            text,
            "| `{name}` | {} | {meaning} |",
            kind.as_str().unwrap()
        )
        .unwrap();
    }
    text + "\n"
}

fn write_names<'a>(names: impl Iterator<Item = &'a str>, bold: &BTreeSet<&str>) -> String {
    let names = names.map(|name| {
        let stars = if bold.contains(name) { "**" } else { "" };
        format!("{stars}`{name}`{stars}")
    });
    names.collect::<Vec<_>>().join(", ")
}

fn write_entities() -> String {
    let mut text = ENTITIES.to_owned();
    for api in Api::ALL {
        let example: Value = serde_json::from_str(&read_example(*api)).unwrap();
        for field in ["reportId", "entityName", "entityVersion"] {
            if let Some(value) = example["report"][field].as_str() {
                writeln!(text, "- `{api}`: `\"{field}\": \"{value}\"`").unwrap();
            }
        }
    }
    text + "\n"
}

fn write_findings() -> String {
    let mut text = FINDINGS.to_owned()
        + "| code | severity | what is wrong | what to do |\n| --- | --- | --- | --- |\n";
    for code in FindingCode::ALL {
        let (severity, summary, advice) = (code.severity(), code.summary(), code.advice());
        writeln!(text, "| {code} | {severity} | {summary} | {advice} |").unwrap();
    }
    text + "\n"
}

fn write_examples() -> String {
    let mut text = "## Examples\n".to_owned();
    for api in Api::ALL {
        let path = example_path(*api);
        assert!(root().join(&path).is_file());
        let example = read_example(*api);
        let example = example.trim_end();
        write!(
            text,
            "\n### Example: `{api}`\n\n[{path}](../{path})\n\n```json\n{example}\n```\n"
        )
        .unwrap();
    }
    text
}

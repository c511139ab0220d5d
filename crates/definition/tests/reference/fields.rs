//! Tables of fields, from the JSON Schema.

use std::fmt::Write as _;

use serde_json::Value;

/// The part of the schema that a `$ref` names, or the part itself. What stands beside the `$ref` wins.
pub(crate) fn resolve(schema: &Value, part: &Value) -> Value {
    let alternatives = part["anyOf"].as_array();
    let present = alternatives.and_then(|all| all.iter().find(|one| one["type"] != "null"));
    let reference = part["$ref"]
        .as_str()
        .or(present.and_then(|p| p["$ref"].as_str()));
    let Some(reference) = reference else {
        return part.clone();
    };
    let mut resolved = schema.pointer(&reference[1..]).unwrap().clone();
    for (name, value) in part.as_object().unwrap() {
        if name != "$ref" && name != "anyOf" {
            resolved[name] = value.clone();
        }
    }
    resolved
}

/// A table with a row for each field of an object, and below each object or list of objects its fields.
pub(crate) fn write_table(schema: &Value, object: &Value, path: &str) -> String {
    let mut table = "| field | value | | meaning |\n| --- | --- | --- | --- |\n".to_owned();
    write_rows(schema, object, path, &mut table);
    table
}

fn write_rows(schema: &Value, object: &Value, path: &str, table: &mut String) {
    let object = resolve(schema, object);
    let fields = &object["properties"];
    for (name, is_required) in list_fields(&object) {
        let field = &fields[&name];
        let field = resolve(schema, field);
        let at = format!("{path}{name}");
        let need = describe_need(is_required, &field["default"]);
        let (value, meaning) = (describe_value(schema, &field), describe_meaning(&field));
        writeln!(table, "| `{at}` | {value} | {need} | {meaning} |").unwrap();
        write_rows(schema, &field, &format!("{at}."), table);
        if field["items"].is_object() {
            write_rows(schema, &field["items"], &format!("{at}[]."), table);
        }
    }
}

/// The names of an object's fields: the required ones in the order of the sources, then the others by name. The schema's
/// own order depends on features of `serde_json` that other crates turn on.
fn list_fields(object: &Value) -> Vec<(String, bool)> {
    let Some(fields) = object["properties"].as_object() else {
        return Vec::new();
    };
    let required = object["required"].as_array().into_iter().flatten();
    let required: Vec<&str> = required.filter_map(Value::as_str).collect();
    let is_required = |name: &&String| required.contains(&name.as_str());
    let mut optional: Vec<&String> = fields.keys().filter(|name| !is_required(name)).collect();
    optional.sort_unstable();
    let required = required.iter().filter(|name| fields.contains_key(**name));
    let required = required.map(|name| ((*name).to_owned(), true));
    required
        .chain(optional.into_iter().map(|name| (name.clone(), false)))
        .collect()
}

fn describe_need(is_required: bool, default: &Value) -> String {
    match default {
        _ if is_required => "required".to_owned(),
        Value::Null => "optional".to_owned(),
        default => format!("default `{}`", default.to_string().trim_matches('"')),
    }
}

fn describe_value(schema: &Value, field: &Value) -> String {
    if let Some(words) = words(field) {
        let words = words.map(|word| format!("`{}`", word["const"].as_str().unwrap()));
        return words.collect::<Vec<_>>().join(", ");
    }
    if field["oneOf"].is_array() {
        return "an object".to_owned();
    }
    let of = |kind: &str| match kind {
        "string" if field["pattern"] == "^UTC$" => "`UTC`",
        "string" => "a text",
        "integer" => "a whole number",
        "boolean" => "`true` or `false`",
        "object" => "an object",
        "array" if field["items"]["anyOf"].is_array() => "a list of texts or objects",
        "array" if resolve(schema, &field["items"])["type"] == "object" => "a list of objects",
        "array" => "a list of texts",
        other => panic!("a field of type {other}: {field}"),
    };
    match &field["type"] {
        Value::Array(kinds) => of(kinds[0].as_str().unwrap()).to_owned(),
        kind => of(kind.as_str().unwrap()).to_owned(),
    }
}

/// The description, and behind it what each word means if the field has one of some words.
fn describe_meaning(field: &Value) -> String {
    let mut meaning = one_line(&field["description"]);
    for word in words(field).into_iter().flatten() {
        let text = one_line(&word["description"]);
        write!(meaning, "<br>`{}`: {text}", word["const"].as_str().unwrap()).unwrap();
    }
    meaning
}

/// The words that a field may have.
fn words(field: &Value) -> Option<impl Iterator<Item = &Value>> {
    let all = field["oneOf"].as_array()?;
    let words = || all.iter().filter(|one| one["const"].is_string());
    words().next().is_some().then(words)
}

/// A description without line breaks, fit for a cell of a table.
pub(crate) fn one_line(description: &Value) -> String {
    let text = description.as_str().unwrap_or_default();
    text.split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace('|', "\\|")
}

//! Draws a state machine's definition as a Mermaid flowchart.

use std::collections::{BTreeSet, VecDeque};

use serde_json::Value;

/// Large letters and little space between them, so that the picture can be read at the width of a page.
const LAYOUT: &str = r#"%%{init: {"flowchart": {"nodeSpacing": 10, "rankSpacing": 20, "padding": 6}, "themeVariables": {"fontSize": "22px"}}}%%"#;

/// An arrow: its label, which may be empty, and the state that it points to.
type Arrow = (String, String);

/// Every state and every arrow of the definition, in the order in which they are reached from the start. The order of the
/// fields of a JSON object can't be relied on: some readers sort them, and the picture must be the same for all.
pub(crate) fn draw(definition: &Value) -> Result<String, String> {
    let states = reached(definition)?;
    let mut lines = vec![LAYOUT.to_owned(), "flowchart TD".to_owned()];
    for name in &states {
        let (open, close) = shape(&definition["States"][name])?;
        lines.push(format!("    {}{open}\"{name}\"{close}", id(name)));
    }
    for name in &states {
        for (label, target) in arrows(&definition["States"][name])? {
            let arrow = match label.as_str() {
                "" => "-->".to_owned(),
                label => format!("-->|\"{label}\"|"),
            };
            lines.push(format!("    {} {arrow} {}", id(name), id(&target)));
        }
    }
    Ok(lines.join("\n") + "\n")
}

/// The names of all states, breadth first from the start.
fn reached(definition: &Value) -> Result<Vec<String>, String> {
    let all = definition["States"].as_object().ok_or("no States")?;
    let mut names = Vec::new();
    let mut todo = VecDeque::from([text(definition, "StartAt")?]);
    while let Some(name) = todo.pop_front() {
        let state = all.get(&name).ok_or(format!("no state {name}"))?;
        if !names.contains(&name) {
            names.push(name);
            todo.extend(arrows(state)?.into_iter().map(|(_, target)| target));
        }
    }
    let drawn: BTreeSet<&String> = names.iter().collect();
    match all.keys().find(|name| !drawn.contains(name)) {
        Some(name) => Err(format!("no path leads to {name}")),
        None => Ok(names),
    }
}

/// Where a state leads to. Arrows to the same target become one, with both labels.
fn arrows(state: &Value) -> Result<Vec<Arrow>, String> {
    let mut arrows: Vec<Arrow> = Vec::new();
    for choice in list(state, "Choices") {
        let label = in_words(&text(choice, "Condition")?)?;
        add(&mut arrows, label, text(choice, "Next")?);
    }
    if state.get("Default").is_some() {
        add(&mut arrows, "otherwise".to_owned(), text(state, "Default")?);
    }
    if state.get("Next").is_some() {
        add(&mut arrows, String::new(), text(state, "Next")?);
    }
    for catch in list(state, "Catch") {
        add(&mut arrows, errors(catch), text(catch, "Next")?);
    }
    Ok(arrows)
}

fn add(arrows: &mut Vec<Arrow>, label: String, target: String) {
    match arrows.iter_mut().find(|(_, known)| *known == target) {
        Some((known, _)) if known.is_empty() => *known = format!("also {label}"),
        Some((known, _)) => *known = format!("{known};<br>{label}"),
        None => arrows.push((label, target)),
    }
}

fn errors(catch: &Value) -> String {
    let names: Vec<&str> = list(catch, "ErrorEquals")
        .filter_map(Value::as_str)
        .collect();
    match names[..] {
        ["States.ALL"] => "after<br>an error".to_owned(),
        _ => format!("after {}", names.join(" or ")),
    }
}

/// A Choice rule's condition as a label: the values that it compares with, or words for what holds no value.
fn in_words(condition: &str) -> Result<String, String> {
    let bare = condition
        .strip_prefix("{% ")
        .and_then(|rest| rest.strip_suffix(" %}"))
        .ok_or(format!("no expression: {condition}"))?;
    let parts: Result<Vec<String>, String> = bare.split(" and ").map(part_in_words).collect();
    Ok(parts?.join(",<br>"))
}

fn part_in_words(part: &str) -> Result<String, String> {
    let words = match part {
        "$millis() >= $toMillis($work.deadlineAt)" => "past the<br>deadline".to_owned(),
        "$work.direct = true" => "direct".to_owned(),
        "$cancels" => "for an<br>operator".to_owned(),
        "$states.input.cancelled = true" => "cancelled".to_owned(),
        "$exists($ended.run)" => "a run ended".to_owned(),
        "$exists($table.version)" => "with a<br>table".to_owned(),
        "$count($states.input.warnings) > 0" => "with<br>warnings".to_owned(),
        _ if part.starts_with("$states.input.") => quoted(part)?.join(" or<br>"),
        _ => match part.strip_prefix("$turns >= ") {
            Some(count) => format!("{count} turns"),
            None => {
                return Err(format!(
                    "no words for the condition {part:?}; add some here"
                ));
            }
        },
    };
    Ok(words)
}

/// The texts between quotes: `a` and `b` of `$states.input.next in ['a', 'b']`.
fn quoted(part: &str) -> Result<Vec<String>, String> {
    let texts = part.split('\'').skip(1).step_by(2);
    let texts: Vec<String> = texts.map(|text| text.replace('_', " ")).collect();
    if texts.is_empty() || part.contains("!=") {
        return Err(format!("no value to compare with in {part:?}"));
    }
    Ok(texts)
}

/// What stands around a state's name: a task is a box, a wait is round, a choice a diamond, an end a box with double sides.
fn shape(state: &Value) -> Result<(&'static str, &'static str), String> {
    match text(state, "Type")?.as_str() {
        "Task" => Ok(("[", "]")),
        "Wait" | "Pass" => Ok(("([", "])")),
        "Choice" => Ok(("{", "}")),
        "Succeed" => Ok(("[[", "]]")),
        other => Err(format!(
            "no shape for a state of type {other}; add one here"
        )),
    }
}

/// A name as Mermaid takes it: letters, digits and underscores.
fn id(name: &str) -> String {
    name.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

fn text(value: &Value, field: &str) -> Result<String, String> {
    let text = value[field].as_str().map(str::to_owned);
    text.ok_or(format!("no {field} in {value}"))
}

fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value[field].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_condition_that_nobody_put_into_words_is_refused() {
        let told = in_words("{% $states.input.saw = 'done' and $work.tries > 3 %}").unwrap_err();
        assert_eq!(
            told,
            r#"no words for the condition "$work.tries > 3"; add some here"#
        );
        assert!(in_words("{% $states.input.saw != 'done' %}").is_err());
    }

    #[test]
    fn a_state_without_a_path_to_it_is_refused() {
        let definition =
            json!({"StartAt": "A", "States": {"A": {"Type": "Succeed"}, "B": {"Type": "Succeed"}}});
        assert_eq!(draw(&definition).unwrap_err(), "no path leads to B");
    }

    #[test]
    fn what_is_caught_has_an_arrow() {
        let task = json!({"Type": "Task", "Next": "A", "Catch": [
            {"ErrorEquals": ["States.ALL"], "Next": "A"},
            {"ErrorEquals": ["X", "Y"], "Next": "B"},
        ]});
        let expected = [("also after<br>an error", "A"), ("after X or Y", "B")];
        let expected = expected.map(|(label, target)| (label.to_owned(), target.to_owned()));
        assert_eq!(arrows(&task).unwrap(), expected);
    }
}

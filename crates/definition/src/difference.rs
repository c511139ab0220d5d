//! In which fields two JSON documents differ.

use serde_json::Value;

/// The JSON pointers of the fields that differ, sorted. A list is one field.
#[must_use]
pub fn list_differences(before: &Value, after: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect_differences(before, after, "", &mut found);
    // The order of an object's fields depends on how serde_json was built.
    found.sort_unstable();
    found
}

fn collect_differences(before: &Value, after: &Value, at: &str, found: &mut Vec<String>) {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        if before != after {
            found.push(if at.is_empty() { "/" } else { at }.to_owned());
        }
        return;
    };
    let added = new.keys().filter(|name| !old.contains_key(*name));
    for name in old.keys().chain(added) {
        let at = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        let [before, after] = [old, new].map(|fields| fields.get(name).unwrap_or(&Value::Null));
        collect_differences(before, after, &at, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_that_differ_are_named_by_their_pointers() {
        let before = json!({"a": 1, "b": {"c": [1, 2], "d/e": "x"}, "f": {"g": 1}});
        let after = json!({"a": 1, "b": {"c": [2, 1], "d/e": "y", "h": true}});
        let found = list_differences(&before, &after);
        assert_eq!(found, ["/b/c", "/b/d~1e", "/b/h", "/f"]);
    }
}

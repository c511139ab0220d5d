//! `${Name}` placeholders, as `DefinitionSubstitutions` of SAM and CDK fill them in.

use std::collections::{BTreeMap, BTreeSet};

/// Placeholders and values that do not match one another.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubstituteError {
    /// A placeholder without a value.
    #[error("no value is given for the placeholder ${{{0}}}")]
    Missing(String),
    /// A value that no placeholder asks for.
    #[error("no placeholder asks for the value of {0}")]
    Unused(String),
}

/// Fills in every `${Name}` of `text`; each name needs a value, and each value a placeholder.
///
/// A value goes in as JSON string content: quotes and backslashes in it are escaped.
pub fn substitute(
    text: &str,
    values: &BTreeMap<String, String>,
) -> Result<String, SubstituteError> {
    let mut filled = String::with_capacity(text.len());
    let mut used = BTreeSet::new();
    let mut rest = 0;
    for (start, name) in find_placeholders(text) {
        let value = values
            .get(name)
            .ok_or_else(|| SubstituteError::Missing(name.to_owned()))?;
        filled.push_str(&text[rest..start]);
        let quoted = serde_json::Value::from(value.as_str()).to_string();
        filled.push_str(&quoted[1..quoted.len() - 1]);
        rest = start + name.len() + "${}".len();
        used.insert(name);
    }
    if let Some(name) = values.keys().find(|name| !used.contains(name.as_str())) {
        return Err(SubstituteError::Unused(name.clone()));
    }
    filled.push_str(&text[rest..]);
    Ok(filled)
}

/// Where the placeholders of a text start, and their names.
pub(crate) fn find_placeholders(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.match_indices("${").filter_map(|(start, opening)| {
        let rest = &text[start + opening.len()..];
        let name = &rest[..rest.find('}')?];
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic());
        let word = |c: char| c.is_ascii_alphanumeric() || "_.:".contains(c);
        (starts && name.chars().all(word)).then_some((start, name))
    })
}

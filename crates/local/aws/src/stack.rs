//! What `CloudFormation` fills in of the project's templates, as far as anything here reads them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// The values that a stack's placeholders stand for: its parameters, and what AWS says of it.
#[derive(Debug, Clone, Default)]
pub struct Stack(BTreeMap<String, String>);

impl Stack {
    #[must_use]
    pub fn new(values: &[(&str, &str)]) -> Self {
        let account = [
            ("AWS::AccountId", "000000000000"),
            ("AWS::Region", "us-east-1"),
        ];
        let values = account.iter().chain(values);
        Self(
            values
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    /// The value with each `Ref` and each `Fn::Sub` in it replaced by what it stands for.
    #[must_use]
    pub fn fill(&self, value: &Value) -> Value {
        match value {
            Value::Object(members) => self.fill_object(members),
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            other => other.clone(),
        }
    }

    fn fill_object(&self, members: &Map<String, Value>) -> Value {
        let mut all = members.iter();
        match (all.next(), all.next()) {
            (Some((function, Value::String(text))), None) if function == "Fn::Sub" => {
                self.substitute(text).into()
            }
            (Some((function, Value::String(name))), None) if function == "Ref" => self
                .0
                .get(name)
                .map_or(Value::Null, |value| value.as_str().into()),
            _ => members
                .iter()
                .map(|(name, value)| (name.clone(), self.fill(value)))
                .collect::<Map<_, _>>()
                .into(),
        }
    }

    /// Replaces `${Name}`. Where there is no such value the placeholder stays, and `${!Name}` stands for itself.
    #[must_use]
    pub fn substitute(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            filled.push_str(before);
            let (name, behind) = after.split_once('}').unwrap_or((after, ""));
            match self.0.get(name) {
                Some(value) => filled.push_str(value),
                None => filled.extend(["${", name.trim_start_matches('!'), "}"]),
            }
            rest = behind;
        }
        filled + rest
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn placeholders_are_filled_in_as_cloudformation_does() {
        let stack = Stack::new(&[("Name", "local")]);
        let template = json!({
            "Name": {"Fn::Sub": "${Name}-daily"},
            "State": {"Ref": "Name"},
            "Target": [{"Input": {"Fn::Sub": "{\"account\":\"${AWS::AccountId}\",\"text\":\"${!Name} ${Other}\"}"}}],
        });
        assert_eq!(
            stack.fill(&template),
            json!({
                "Name": "local-daily",
                "State": "local",
                "Target": [{"Input": "{\"account\":\"000000000000\",\"text\":\"${Name} ${Other}\"}"}],
            })
        );
    }
}

//! Filter patterns: a text that a line contains, or a condition on its JSON such as `{ $.level = "ERROR" && $.tenant = "acme" }`.

use serde_json::Value;

/// What lines are looked for.
#[derive(Debug, PartialEq)]
pub(super) enum Pattern {
    Everything,
    /// Lines that contain this text.
    Text(String),
    Json(Condition),
}

#[derive(Debug, PartialEq)]
pub(super) enum Condition {
    All(Vec<Condition>),
    Any(Vec<Condition>),
    Equals(String, String),
}

impl Pattern {
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self::Everything);
        }
        let Some(condition) = text
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
        else {
            return Ok(Self::Text(text.trim_matches('"').to_owned()));
        };
        let mut reader = Reader(condition.trim());
        let read = reader.read_any();
        read.filter(|_| reader.0.is_empty()).map(Self::Json).ok_or(
            "the local log groups know conditions of $.FIELD = \"TEXT\" with &&, || and brackets",
        )
    }

    pub(super) fn matches(&self, line: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Text(text) => line.contains(text.as_str()),
            Self::Json(condition) => {
                let line = serde_json::from_str(line);
                line.is_ok_and(|line: Value| line.is_object() && condition.holds(&line))
            }
        }
    }
}

impl Condition {
    fn holds(&self, line: &Value) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(line)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(line)),
            Self::Equals(field, text) => line[field].as_str() == Some(text),
        }
    }
}

/// What is left to be read of a condition.
struct Reader<'t>(&'t str);

impl<'t> Reader<'t> {
    fn read_any(&mut self) -> Option<Condition> {
        self.read_joined("||", Self::read_all, Condition::Any)
    }

    fn read_all(&mut self) -> Option<Condition> {
        self.read_joined("&&", Self::read_one, Condition::All)
    }

    fn read_joined(
        &mut self,
        sign: &str,
        read: fn(&mut Self) -> Option<Condition>,
        join: fn(Vec<Condition>) -> Condition,
    ) -> Option<Condition> {
        let mut parts = vec![read(self)?];
        while self.skip(sign).is_some() {
            parts.push(read(self)?);
        }
        Some(if parts.len() == 1 {
            parts.remove(0)
        } else {
            join(parts)
        })
    }

    fn read_one(&mut self) -> Option<Condition> {
        if self.skip("(").is_some() {
            let inner = self.read_any()?;
            return self.skip(")").map(|()| inner);
        }
        self.skip("$.")?;
        let end = self
            .0
            .find(|letter: char| !letter.is_ascii_alphanumeric())?;
        let field = self.take(end).to_owned();
        self.skip("=")?;
        self.skip("\"")?;
        let text = self.0.find('"').map(|end| self.take(end).to_owned())?;
        self.skip("\"")?;
        Some(Condition::Equals(field, text))
    }

    /// Reads a sign and the space behind it.
    fn skip(&mut self, sign: &str) -> Option<()> {
        let rest = self.0.trim_start().strip_prefix(sign)?;
        self.0 = rest;
        if sign != "\"" {
            self.0 = rest.trim_start();
        }
        Some(())
    }

    fn take(&mut self, end: usize) -> &'t str {
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_text_and_by_field() {
        let line = r#"{"level":"ERROR","window":"a/b c","run":null,"message":"it {is} \"so\""}"#;
        for (pattern, expected) in [
            ("", true),
            ("it {is}", true),
            ("\"is not there\"", false),
            (r#"{ $.level = "ERROR" }"#, true),
            (r#"{$.level="ERROR" && $.window = "a/b c"}"#, true),
            (r#"{ $.level = "WARN" || $.window = "a/b c" }"#, true),
            (
                r#"{ $.level = "WARN" && ($.level = "ERROR" || $.window = "a/b c") }"#,
                false,
            ),
            (
                r#"{ ($.level = "WARN" || $.level = "ERROR") && $.window = "a/b c" }"#,
                true,
            ),
            (r#"{ $.absent = "" }"#, false),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            assert_eq!(parsed.matches(line), expected, "{pattern}: {parsed:?}");
        }
        let field = Pattern::parse(r#"{ $.level = "ERROR" }"#).unwrap();
        assert!(!field.matches("no JSON"));
        for refused in [
            r#"{ $.level != "x" }"#,
            "{ level }",
            r#"{ $.a = "b" c }"#,
            "{ }",
        ] {
            assert!(Pattern::parse(refused).is_err(), "{refused}");
        }
    }
}

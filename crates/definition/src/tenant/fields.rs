//! The fields of a tenant's secret, and what each may hold.

use std::fmt;

use secrecy::{ExposeSecret as _, SecretString};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use url::Url;

use super::endpoint::check_endpoint;
use crate::text::line;

/// The fields that a tenant's secret may have.
const FIELDS: [&str; 11] = [
    "base_url",
    "token_url",
    "issuer",
    "tenant_id",
    "client_id",
    "client_secret",
    "client_auth",
    "access_key_id",
    "access_key_secret",
    "allowed_hosts",
    "api_hosts",
];

/// Those whose values nobody gets to see.
const SECRETS: [&str; 2] = ["client_secret", "access_key_secret"];

/// How much of an unknown field's name is repeated in an error.
const SHOWN: usize = 40;

pub(super) const TEXT: &str = "is not a text of at least one character";
pub(super) const ENDS: &str = "has white space or an invisible character at its start or end";
pub(super) const BLANK: &str = "has white space or an invisible character in it";
pub(super) const CONTROL: &str = "has a line end or another control character in it";
pub(super) const URL: &str = "is not a URL like https://host/path";
pub(super) const QUERY: &str = "has a query";
pub(super) const LIST: &str = "is not a list of texts";
pub(super) const HOST: &str =
    "lists something that is not a domain like niceincontact.com (no scheme, no path, no port)";

/// What is wrong with a tenant's secret. It names a field, and never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The value is no JSON.
    #[error("its value is not JSON (line {line}, column {column})")]
    NotJson {
        /// Where that shows, from 1.
        line: usize,
        /// Where that shows, from 1; 0 before the first character.
        column: usize,
    },
    /// The value is JSON, and no object.
    #[error("its value is not a JSON object")]
    NotAnObject,
    /// A field has a name that means nothing here.
    #[error("its field {0} is not known; correct its name or leave it out")]
    Unknown(String),
    /// A field occurs twice.
    #[error("its field {0} occurs twice; take the wrong one out")]
    Doubled(&'static str),
    /// A field is missing.
    #[error("its field {0} is missing")]
    Missing(&'static str),
    /// Of two ways to say the same, neither is there.
    #[error("its field {0} is missing, and so is what may stand instead: {1}")]
    NeitherOf(&'static str, &'static str),
    /// A field can't be used as it is.
    #[error("its field {0} {1}")]
    Wrong(&'static str, &'static str),
}

/// A field that a tenant's secret has.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    pub name: &'static str,
    pub value: FieldValue,
}

/// What a field holds.
#[derive(Debug, Clone)]
pub enum FieldValue {
    /// What may be shown: a text or a list of texts.
    Plain(Value),
    Secret(SecretString),
}

impl FieldValue {
    /// The value, if it may be shown.
    #[must_use]
    pub fn plain(&self) -> Option<&Value> {
        match self {
            Self::Plain(value) => Some(value),
            Self::Secret(_) => None,
        }
    }
}

impl PartialEq for FieldValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain(one), Self::Plain(other)) => one == other,
            (Self::Secret(one), Self::Secret(other)) => {
                one.expose_secret() == other.expose_secret()
            }
            _ => false,
        }
    }
}

/// The fields of a secret, each of which is known and there once.
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    pub(super) fn parse(text: &str) -> Result<Self, Problem> {
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Value = serde_json::from_str(text).map_err(|error| Problem::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
        let Value::Object(fields) = value else {
            return Err(Problem::NotAnObject);
        };
        let unknown = fields.keys().find(|name| !FIELDS.contains(&name.as_str()));
        if let Some(name) = unknown {
            return Err(Problem::Unknown(line(name, SHOWN)));
        }
        match find_doubled(text) {
            Some(name) => Err(Problem::Doubled(name)),
            None => Ok(Self(fields)),
        }
    }

    /// The fields that are there, in the order of the documentation.
    pub(super) fn into_list(mut self) -> Vec<Field> {
        let named = FIELDS.into_iter().filter_map(|name| {
            let value = match (self.0.remove(name)?, SECRETS.contains(&name)) {
                (Value::String(text), true) => FieldValue::Secret(text.into()),
                (value, _) => FieldValue::Plain(value),
            };
            Some(Field { name, value })
        });
        named.collect()
    }

    pub(super) fn has_any(&self, names: [&str; 2]) -> bool {
        names.iter().any(|name| self.0.contains_key(*name))
    }

    /// A text, without white space at its ends: a line end that came along when it was stored is not part of it.
    pub(super) fn read_text(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => {
                if text.starts_with(is_blank) || text.ends_with(is_blank) {
                    return Err(Problem::Wrong(name, ENDS));
                }
                Ok(Some(text))
            }
            Some(_) => Err(Problem::Wrong(name, TEXT)),
        }
    }

    /// A text without white space.
    pub(super) fn read_id(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let text = self.read_text(name)?;
        if text.is_some_and(|text| text.contains(is_blank)) {
            return Err(Problem::Wrong(name, BLANK));
        }
        Ok(text.map(str::to_owned))
    }

    pub(super) fn require_id(&self, name: &'static str) -> Result<String, Problem> {
        self.read_id(name)?.ok_or(Problem::Missing(name))
    }

    /// A text that may have spaces in it.
    pub(super) fn require_secret(&self, name: &'static str) -> Result<SecretString, Problem> {
        let text = self.read_text(name)?.ok_or(Problem::Missing(name))?;
        if text.contains(char::is_control) {
            return Err(Problem::Wrong(name, CONTROL));
        }
        Ok(text.into())
    }

    /// A URL that secrets may be sent to. White space in it is refused here, because the parser of URLs drops some.
    pub(super) fn read_url(&self, name: &'static str) -> Result<Option<Url>, Problem> {
        let Some(text) = self.read_id(name)? else {
            return Ok(None);
        };
        let url: Url = text.parse().map_err(|_| Problem::Wrong(name, URL))?;
        check_endpoint(&url).map_err(|what| Problem::Wrong(name, what))?;
        Ok(Some(url))
    }

    /// A URL that paths are appended to.
    pub(super) fn read_base(&self, name: &'static str) -> Result<Option<Url>, Problem> {
        let url = self.read_url(name)?;
        if url.as_ref().is_some_and(|url| url.query().is_some()) {
            return Err(Problem::Wrong(name, QUERY));
        }
        Ok(url)
    }

    pub(super) fn read_hosts(&self, name: &'static str) -> Result<Vec<String>, Problem> {
        let listed = match self.0.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(listed)) => listed,
            Some(_) => return Err(Problem::Wrong(name, LIST)),
        };
        let hosts = listed.iter().map(|host| match host {
            Value::String(host) if is_domain(host) => Ok(host.clone()),
            Value::String(_) => Err(Problem::Wrong(name, HOST)),
            _ => Err(Problem::Wrong(name, LIST)),
        });
        hosts.collect()
    }
}

/// A known field that occurs twice: of its values only the last would count, and the other may be the one that was meant.
fn find_doubled(text: &str) -> Option<&'static str> {
    let Names(names) = serde_json::from_str(text).ok()?;
    let count = |field: &str| names.iter().filter(|name| *name == field).count();
    FIELDS.into_iter().find(|field| count(field) > 1)
}

/// The names of an object's fields, as often as they occur.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor;
        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(NamesVisitor)
    }
}

/// White space, and what looks like nothing at all.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// A domain of two names at least, since one name alone would allow a whole top level. On this machine also a host with its port.
fn is_domain(text: &str) -> bool {
    let (host, port) = text
        .split_once(':')
        .map_or((text, None), |(host, port)| (host, Some(port)));
    if matches!(host, "localhost" | "127.0.0.1") {
        return port.is_none_or(|port| port.parse::<u16>().is_ok());
    }
    let domain = host.strip_prefix("*.").or(host.strip_prefix('.'));
    let domain = domain.unwrap_or(host);
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        !label.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    port.is_none() && domain.contains('.') && domain.split('.').all(is_label)
}

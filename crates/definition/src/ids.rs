//! Identifiers that are valid by construction.
//!
//! They end up in URLs, object keys and log lines, so that each allows exactly the characters that are harmless in all of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest page token that is taken, in bytes.
const PAGE_TOKEN_MAX: usize = 16 * 1024;

/// Why a text is not the identifier that it should be. The text itself is not repeated: it may be hostile or secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: {rule}")]
pub struct IdError {
    kind: &'static str,
    rule: &'static str,
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it is valid.
            pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text))
                } else {
                    Err(IdError { kind: $kind, rule: $rule })
                }
            }

            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier!(
    /// The id of one run, as the API gave it.
    RunId, "run id", "1 to 128 of A-Z a-z 0-9 . _ : -, starting with a letter or digit", is_api_id
);
identifier!(
    /// The id of a registered schedule, as the API gave it.
    ScheduleId, "schedule id", "1 to 128 of A-Z a-z 0-9 . _ : -, starting with a letter or digit", is_api_id
);
identifier!(
    /// The id of a report or of its template: a number of at most 64 bits, as CXone's reports have it.
    ReportId, "report id", "1 to 19 digits", is_number
);
identifier!(
    /// The name of an entity that can be extracted, such as `recording-interaction-metadata`.
    EntityName, "entity name", "1 to 128 of A-Z a-z 0-9 . _ : -, starting with a letter or digit", is_api_id
);
identifier!(
    /// The version of an entity's columns, such as `7`.
    EntityVersion, "entity version", "1 to 16 of A-Z a-z 0-9 . _ : -, starting with a letter or digit", is_version
);
identifier!(
    /// The tenant that a definition belongs to; the first part of every object key.
    TenantId, "tenant", "1 to 63 of a-z 0-9 -, starting with a letter or digit", is_tenant
);
identifier!(
    /// The name of a report; unique in a tenant, and what a schedule is found by.
    ReportName, "report name", "1 to 100 characters, no control characters, no space at either end", is_report_name
);

fn is_api_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    (1..=128).contains(&bytes.len())
        && bytes[0].is_ascii_alphanumeric()
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(b))
}

fn is_number(text: &str) -> bool {
    (1..=19).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_version(text: &str) -> bool {
    text.len() <= 16 && is_api_id(text)
}

fn is_tenant(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    (1..=63).contains(&bytes.len())
        && plain(&bytes[0])
        && bytes.iter().all(|b| plain(b) || *b == b'-')
}

fn is_report_name(text: &str) -> bool {
    // The length is checked in bytes first, so that a megabyte is not counted character by character.
    (1..=400).contains(&text.len())
        && text.chars().count() <= 100
        && text.trim() == text
        && !text.chars().any(char::is_control)
}

/// Where the next page begins: opaque, and as good as a key to the data, so that it never shows in a log.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PageToken(String);

impl PageToken {
    /// Takes the token if it is not empty and at most 16 KiB.
    pub fn new(text: impl Into<String>) -> Result<Self, IdError> {
        let text = text.into();
        if text.is_empty() || text.len() > PAGE_TOKEN_MAX {
            return Err(IdError {
                kind: "page token",
                rule: "1 byte to 16 KiB",
            });
        }
        Ok(Self(text))
    }

    /// The token, for the request that it belongs into.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for PageToken {
    type Error = IdError;
    fn try_from(text: String) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl From<PageToken> for String {
    fn from(token: PageToken) -> Self {
        token.0
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PageToken({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_that_could_climb_out_of_a_path_are_refused() {
        for bad in [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "a%2Fb",
            "a b",
            "a\r\nb",
            "-a",
            "é",
            "a\0",
            &"x".repeat(129),
        ] {
            assert!(
                RunId::new(bad).is_err() && ScheduleId::new(bad).is_err(),
                "{bad:?}"
            );
        }
        for good in ["a", "run-1", "0.x_y:z-", &"x".repeat(128)] {
            assert_eq!(RunId::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn tenants_and_names_have_their_own_rules() {
        for bad in ["", "-a", "A", "a_b", "a.b", &"a".repeat(64)] {
            assert!(TenantId::new(bad).is_err(), "{bad:?}");
        }
        assert!(TenantId::new("acme-eu-1").is_ok());
        for bad in [
            "",
            " a",
            "a\n",
            "a\tb",
            &"ü".repeat(101),
            &"x".repeat(1 << 20),
        ] {
            assert!(ReportName::new(bad).is_err());
        }
        assert!(ReportName::new("ü".repeat(100)).is_ok());
    }

    #[test]
    fn a_page_token_is_opaque_and_never_shown() {
        let token = PageToken::new("a&b=ü").unwrap();
        assert_eq!(format!("{token:?}"), "PageToken(6 bytes)");
        assert!(PageToken::new("").is_err() && PageToken::new("x".repeat(16 * 1024 + 1)).is_err());
        assert_eq!(serde_json::to_string(&token).unwrap(), "\"a&b=ü\"");
        assert!(serde_json::from_str::<PageToken>("\"\"").is_err());
        assert!(
            !serde_json::from_str::<RunId>("\"../canary\"")
                .unwrap_err()
                .to_string()
                .contains("canary")
        );
    }

    proptest! {
        #[test]
        fn an_id_is_taken_exactly_if_it_matches_its_pattern(text in "\\PC{0,6}|[a-zA-Z0-9._:/ -]{0,140}") {
            let mut chars = text.chars();
            let first = chars.next().is_some_and(|c| c.is_ascii_alphanumeric());
            let rest = chars.all(|c| c.is_ascii_alphanumeric() || "._:-".contains(c));
            prop_assert_eq!(RunId::new(text.as_str()).is_ok(), first && rest && text.len() <= 128);
        }
    }
}

//! Names that a warehouse takes, and texts that it reads as they are meant.

use sha2::{Digest, Sha256};

use super::rules::{Case, is_plain};
use crate::warehouse::Warehouse;

/// How many hexadecimal digits tell names apart that had to be shortened.
const DIGITS: usize = 8;

impl Warehouse {
    /// What a column is called there. A name of letters, digits and `_` is written as the warehouse reads it without quotes, so that
    /// nobody has to type them.
    #[must_use]
    pub fn name_column(self, name: &str) -> String {
        let safe = self.name_object(name);
        if (self.rules().is_taken)(&safe.to_lowercase()) {
            return self.name_object(&format!("column_{name}"));
        }
        safe
    }

    /// What anything is called there, such as a table.
    pub(super) fn name_object(self, name: &str) -> String {
        let rules = self.rules();
        let allowed = |c| if (rules.allows)(c) { c } else { '_' };
        let mut safe: String = name.chars().map(allowed).collect();
        let begins_with_digit = safe.starts_with(|c: char| c.is_ascii_digit());
        if begins_with_digit && !rules.allows_digit_first {
            safe.insert(0, '_');
        }
        let needs_no_quotes = safe.chars().all(is_plain) && !begins_with_digit;
        match rules.case {
            Case::Upper if needs_no_quotes => safe.make_ascii_uppercase(),
            Case::Lower if needs_no_quotes || !rules.is_case_sensitive => {
                safe.make_ascii_lowercase();
            }
            Case::Upper | Case::Lower | Case::Kept => {}
        }
        shorten(safe, rules.longest_name)
    }

    /// Whether two columns may not both have their names.
    pub(super) fn takes_for_one(self, one: &str, other: &str) -> bool {
        one == other
            || (!self.rules().is_case_sensitive && one.to_lowercase() == other.to_lowercase())
    }

    /// A name in quotes, so that it may be a word of the language.
    #[must_use]
    pub fn quote_name(self, name: &str) -> String {
        let quote = self.rules().quote;
        let doubled = name.replace(quote, &format!("{quote}{quote}"));
        format!("{quote}{doubled}{quote}")
    }

    /// A text as a constant of the language.
    #[must_use]
    pub fn quote_text(self, text: &str) -> String {
        let rules = self.rules();
        let text = if rules.has_backslash {
            text.replace('\\', "\\\\")
        } else {
            text.to_owned()
        };
        format!("'{}'", text.replace('\'', rules.apostrophe))
    }
}

/// Cuts a name that is too long. What follows instead of its end tells it from others that begin alike.
fn shorten(name: String, longest: usize) -> String {
    if name.len() <= longest {
        return name;
    }
    let mut end = longest - DIGITS - 1;
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let digest = hex::encode(Sha256::digest(&name));
    format!("{}_{}", &name[..end], &digest[..DIGITS])
}

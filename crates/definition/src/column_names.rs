//! `pipeline.columnNames`: what a column is called where the rows are stored.

use std::borrow::Cow;

use crate::enums::ColumnNames;
use crate::text::quote;

impl ColumnNames {
    /// The name under which a column is stored. Two columns may get the same one, which whoever stores them has to notice.
    #[must_use]
    pub fn rename(self, name: &str) -> Cow<'_, str> {
        match self {
            Self::AsIs => Cow::Borrowed(name),
            Self::Snake => Cow::Owned(to_snake(name)),
        }
    }

    /// Why rows with these two columns, which get the same name, are not stored.
    #[must_use]
    pub fn describe_collision(one: &str, other: &str) -> String {
        format!(
            "the columns {} and {} get the same name by pipeline.columnNames; leave one of them out of the report, or set pipeline.columnNames to as-is, and replay the window",
            quote(one),
            quote(other)
        )
    }
}

/// Letters and digits in lower case, and a `_` between words: where another character stands, before a capital that follows
/// a small letter or a digit, and before the last capital of several if a small letter follows.
fn to_snake(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (i, letter) in letters.iter().enumerate() {
        if !letter.is_alphanumeric() {
            push_break(&mut snake);
            continue;
        }
        let before = i.checked_sub(1).map(|before| letters[before]);
        let is_small = |c: Option<&char>| c.is_some_and(|c| c.is_lowercase());
        let begins_word = before.is_some_and(|before| {
            let after_small = before.is_lowercase() || before.is_numeric();
            after_small || (before.is_uppercase() && is_small(letters.get(i + 1)))
        });
        if letter.is_uppercase() && begins_word {
            push_break(&mut snake);
        }
        snake.extend(letter.to_lowercase());
    }
    let snake = snake.trim_end_matches('_');
    match snake.chars().next() {
        // A column's name can't be empty or begin with a digit.
        None => "_".to_owned(),
        Some(first) if first.is_numeric() => format!("_{snake}"),
        Some(_) => snake.to_owned(),
    }
}

fn push_break(snake: &mut String) {
    if !snake.is_empty() && !snake.ends_with('_') {
        snake.push('_');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_parted_and_nothing_is_left_that_a_warehouse_refuses() {
        for (name, snake) in [
            ("contactId", "contact_id"),
            ("Contact ID", "contact_id"),
            ("ACWSeconds", "acw_seconds"),
            ("acwSeconds", "acw_seconds"),
            ("Name (2)", "name_2"),
            ("  a\n\"b\"  ", "a_b"),
            ("2nd try", "_2nd_try"),
            ("%", "_"),
            ("", "_"),
            ("Tägliche Größe", "tägliche_größe"),
            ("v2Beta", "v2_beta"),
            ("already_snake", "already_snake"),
        ] {
            assert_eq!(ColumnNames::Snake.rename(name), snake, "{name:?}");
            assert_eq!(ColumnNames::Snake.rename(snake), snake, "{snake:?}");
            assert_eq!(ColumnNames::AsIs.rename(name), name);
        }
    }
}

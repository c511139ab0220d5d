//! Whether a value of a row fits the type of its column, and what it is there.

use std::borrow::Cow;

use definition::ColumnType;
use jiff::Timestamp;
use serde_json::value::RawValue;

/// What a row has in a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given<'a> {
    Null,
    Text(Cow<'a, str>),
    /// Anything else, as JSON.
    Json(&'a str),
}

/// A value of a row.
#[derive(Clone, Debug)]
pub(super) struct Cell<'a> {
    pub(super) given: Given<'a>,
    /// As it was written, where that is JSON.
    pub(super) json: Option<&'a RawValue>,
}

impl<'a> Cell<'a> {
    /// The value of a member of a JSON row. A text that no reader could decode stays JSON.
    pub(super) fn of_json(value: &'a RawValue) -> Self {
        let json = value.get();
        let given = match json.as_bytes() {
            b"null" => Given::Null,
            [b'"', .., b'"'] if !json.contains('\\') => {
                Given::Text(Cow::Borrowed(&json[1..json.len() - 1]))
            }
            [b'"', ..] => match serde_json::from_str(json) {
                Ok(text) => Given::Text(Cow::Owned(text)),
                Err(_) => Given::Json(json),
            },
            _ => Given::Json(json),
        };
        Self {
            given,
            json: Some(value),
        }
    }

    pub(super) fn of_csv(given: Given<'a>) -> Self {
        Self { given, json: None }
    }
}

/// What goes into the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fitted<'a> {
    Null,
    Text(Cow<'a, str>),
    /// A whole number, or a time in microseconds.
    Long(i64),
    Double(f64),
    Boolean(bool),
    /// It is none of the column's type.
    Misfit,
}

/// Fits a value into a column. A text that reads as what the column holds is taken for that, because in CSV everything is a text; an
/// empty one is no value, unless the column holds texts.
pub(super) fn fit<'a>(column_type: ColumnType, given: &Given<'a>) -> Fitted<'a> {
    let text = match given {
        Given::Null => return Fitted::Null,
        Given::Text(text) if column_type == ColumnType::String => {
            return Fitted::Text(text.clone());
        }
        Given::Json(json) if column_type == ColumnType::String => {
            return Fitted::Text(Cow::Borrowed(json));
        }
        Given::Text(text) if text.is_empty() => return Fitted::Null,
        Given::Text(text) => text,
        Given::Json(json) => *json,
    };
    let fitted = match column_type {
        ColumnType::String => None,
        ColumnType::Long => read_long(text).map(Fitted::Long),
        ColumnType::Double => read_double(text).map(Fitted::Double),
        ColumnType::Boolean => read_boolean(text).map(Fitted::Boolean),
        ColumnType::Timestamp => matches!(given, Given::Text(_))
            .then(|| text.parse::<Timestamp>().ok())
            .flatten()
            .map(|time| Fitted::Long(time.as_microsecond())),
    };
    fitted.unwrap_or(Fitted::Misfit)
}

fn read_boolean(text: &str) -> Option<bool> {
    let is = |word| text.eq_ignore_ascii_case(word);
    (is("true") || is("false")).then(|| is("true"))
}

/// A whole number, also if it is written with a fraction of zeros or an exponent.
fn read_long(text: &str) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53
    if !is_number(text) {
        return None;
    }
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let number: f64 = text.parse().ok()?;
    let is_whole = number.fract() == 0.0 && number.abs() <= EXACT && !is_digits(text);
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small")]
    is_whole.then_some(number as i64)
}

/// A number that a double holds. A whole number that would lose digits, such as an id, is none.
fn read_double(text: &str) -> Option<f64> {
    if !is_number(text) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whether it loses digits is the question"
    )]
    let loses_digits = || text.parse::<i128>().ok() != Some(number as i128);
    (number.is_finite() && !(is_digits(text) && loses_digits())).then_some(number)
}

/// Whether a text is a whole number without an exponent.
fn is_digits(text: &str) -> bool {
    !text.contains(['.', 'e', 'E'])
}

/// Whether a text is a number as JSON writes it: no spaces, no `+`, no zero before another digit.
fn is_number(text: &str) -> bool {
    let rest = text.strip_prefix('-').unwrap_or(text);
    let digits =
        |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let whole = digits(rest);
    if whole == 0 || whole > 1 && rest.starts_with('0') {
        return false;
    }
    let mut rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix('.') {
        let length = digits(fraction);
        if length == 0 {
            return false;
        }
        rest = &fraction[length..];
    }
    if let Some(exponent) = rest.strip_prefix(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        let length = digits(exponent);
        return length > 0 && length == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Given<'_> {
        Given::Text(Cow::Borrowed(text))
    }

    #[test]
    fn a_value_is_what_its_column_holds_or_a_misfit() {
        use ColumnType::{Boolean, Double, Long, String, Timestamp};
        use Fitted::Misfit;
        use Given::Json;
        let day = Fitted::Long(1_795_219_200_000_000);
        for (column_type, given, expected) in [
            (Long, Json("-42"), Fitted::Long(-42)),
            (Long, text("42"), Fitted::Long(42)),
            (Long, Json("42.0"), Fitted::Long(42)),
            (Long, Json("1e3"), Fitted::Long(1_000)),
            (Long, Json("9223372036854775807"), Fitted::Long(i64::MAX)),
            (Long, Json("9223372036854775808"), Misfit),
            (Long, Json("9007199254740994.0"), Misfit),
            (Long, Json("42.5"), Misfit),
            (Long, Json("1e400"), Misfit),
            (Long, text("007"), Misfit),
            (Long, text("+7"), Misfit),
            (Long, text(" 7"), Misfit),
            (Long, text("00:05:12"), Misfit),
            (Long, Json("true"), Misfit),
            (Long, Json("[1]"), Misfit),
            (Long, text(""), Fitted::Null),
            (Long, Given::Null, Fitted::Null),
            (Double, Json("0.1"), Fitted::Double(0.1)),
            (Double, Json("7"), Fitted::Double(7.0)),
            (Double, text("-1.5E-3"), Fitted::Double(-0.0015)),
            (Double, Json("9007199254740993"), Misfit),
            (Double, Json("9223372036854775807"), Misfit),
            (Double, Json("100000000000000000000000"), Misfit),
            (Double, Json("1e23"), Fitted::Double(1e23)),
            (Double, Json("1e400"), Misfit),
            (Double, text("NaN"), Misfit),
            (Double, text("inf"), Misfit),
            (Double, text("1."), Misfit),
            (Double, text("1e"), Misfit),
            (Boolean, Json("true"), Fitted::Boolean(true)),
            (Boolean, text("False"), Fitted::Boolean(false)),
            (Boolean, Json("1"), Misfit),
            (Timestamp, text("2026-11-21T00:00:00Z"), day.clone()),
            (Timestamp, text("2026-11-21T01:00:00.0000009+01:00"), day),
            (Timestamp, text("2026-11-21T00:00:00"), Misfit),
            (Timestamp, text("2026-11-21"), Misfit),
            (Timestamp, Json("1795219200"), Misfit),
            (String, text(""), Fitted::Text("".into())),
            (String, Json("42.50"), Fitted::Text("42.50".into())),
            (
                String,
                Json("{\"a\": 1}"),
                Fitted::Text("{\"a\": 1}".into()),
            ),
        ] {
            assert_eq!(
                fit(column_type, &given),
                expected,
                "{column_type} {given:?}"
            );
        }
    }
}

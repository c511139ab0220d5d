//! Converts between JSON and the values of the evaluator, which can't leave their thread.

use jsonata_core::value::{JArray, JMap, JValue};
use serde_json::{Map, Number, Value};

use super::reads::Selection;

/// The largest whole number that the evaluator's floating-point numbers hold exactly.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

/// A copy of the selected part of a value.
pub(super) fn copy_selected(value: &Value, selection: &Selection) -> JValue {
    match value {
        Value::Object(map) if !selection.whole => {
            let fields = selection.fields.iter();
            let fields = fields.filter_map(|(name, selection)| {
                Some((name.clone(), copy_selected(map.get(name)?, selection)))
            });
            JValue::Object(fields.collect::<JMap>().into())
        }
        value => copy_whole(value),
    }
}

/// A copy of a value for the evaluator.
pub(super) fn copy_whole(value: &Value) -> JValue {
    match value {
        Value::Null => JValue::Null,
        Value::Bool(value) => JValue::Bool(*value),
        Value::Number(number) => JValue::Number(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => JValue::string(text.as_str()),
        Value::Array(items) => {
            let flat = !items.iter().any(Value::is_array);
            JValue::Array(JArray::new_flat(
                items.iter().map(copy_whole).collect(),
                flat,
            ))
        }
        Value::Object(map) => {
            let fields = map
                .iter()
                .map(|(name, value)| (name.clone(), copy_whole(value)));
            JValue::Object(fields.collect::<JMap>().into())
        }
    }
}

/// A result as JSON, or what JSON can't hold of it.
pub(super) fn to_json(value: &JValue) -> Result<Value, &'static str> {
    Ok(match value {
        JValue::Null => Value::Null,
        JValue::Bool(value) => Value::Bool(*value),
        JValue::Number(number) => number_to_json(*number)?,
        JValue::String(text) => Value::String(text.to_string()),
        JValue::Array(items) => Value::Array(items.iter().map(to_json).collect::<Result<_, _>>()?),
        JValue::Object(map) => {
            let fields = map.iter().filter(|(_, value)| !value.is_undefined());
            let fields = fields.map(|(name, value)| Ok((name.clone(), to_json(value)?)));
            Value::Object(fields.collect::<Result<Map<_, _>, &'static str>>()?)
        }
        JValue::Undefined => return Err("nothing (undefined)"),
        JValue::Lambda(_) | JValue::Builtin { .. } => return Err("a function"),
        JValue::Regex { .. } => return Err("a regular expression"),
    })
}

/// A number as JavaScript writes it: a whole one has no fraction.
fn number_to_json(number: f64) -> Result<Value, &'static str> {
    if number.fract() == 0.0 && number.abs() <= MAX_SAFE {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number in the range"
        )]
        return Ok(Value::from(number as i64));
    }
    Number::from_f64(number)
        .map(Value::Number)
        .ok_or("a number that JSON can't hold")
}

/// A copy of a value with its numbers as the evaluator would return them.
pub(super) fn normalise_numbers(value: &Value) -> Value {
    match value {
        Value::Number(number) => normalise_number(number),
        Value::Array(items) => Value::Array(items.iter().map(normalise_numbers).collect()),
        Value::Object(map) => {
            let fields = map
                .iter()
                .map(|(name, value)| (name.clone(), normalise_numbers(value)));
            Value::Object(fields.collect())
        }
        other => other.clone(),
    }
}

fn normalise_number(number: &Number) -> Value {
    let float = number.as_f64().unwrap_or(f64::NAN);
    number_to_json(float).unwrap_or_else(|_| Value::Number(number.clone()))
}

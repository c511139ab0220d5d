//! The functions that an expression may call, and those that need more than JSONata: a hash, a range of numbers, a text that is
//! JSON, and the time, which comes from the execution's clock.

use jiff::Timestamp;
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::value::JValue;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::convert;
use crate::time;

/// The functions that this crate provides; the evaluator has no `$hash`, no `$parse` and no `$range`, and its `$now` and
/// `$millis` read the machine's clock.
const PROVIDED: [&str; 5] = ["hash", "millis", "now", "parse", "range"];

/// The most numbers that `$range` gives.
const MAX_RANGE: f64 = 1_000.0;

/// The functions of JSONata 2.0 that the evaluator runs as AWS does. `$eval` is missing because
/// Step Functions does not offer it.
const BUILTIN: &str = "\
    abs append assert average base64decode base64encode boolean ceil contains count decodeUrl \
    decodeUrlComponent distinct each encodeUrl encodeUrlComponent error exists filter floor \
    formatBase formatInteger formatNumber fromMillis join keys length lookup lowercase map match \
    max merge min not number pad parseInteger power reduce replace reverse round sift single sort \
    split spread sqrt string substring substringAfter substringBefore sum toMillis trim type \
    uppercase zip";

/// The function of this name, if this crate provides it.
pub(super) fn find_provided(name: &str) -> Option<&'static str> {
    PROVIDED.into_iter().find(|provided| *provided == name)
}

pub(super) fn is_builtin(name: &str) -> bool {
    BUILTIN.split(' ').any(|builtin| builtin == name)
}

/// Why a call can't run here, if it can't.
pub(super) fn check_call(name: &str, args: &[AstNode]) -> Result<(), String> {
    let refusal = match name {
        "hash" if !is_implemented_hash(args) => {
            "$hash is implemented with 'SHA-256', 'SHA-384' or 'SHA-512' only"
        }
        "now" if !args.is_empty() => {
            "$now is implemented without arguments only; use $fromMillis($millis(), picture, zone)"
        }
        "eval" => "$eval is not available in Step Functions",
        name if find_provided(name).is_some() || is_builtin(name) => return Ok(()),
        name => return Err(format!("the function ${name} is not implemented")),
    };
    Err(refusal.to_owned())
}

/// Gives an evaluator the functions that its expressions call.
pub(super) fn register<'a>(
    evaluator: &mut Evaluator,
    names: impl IntoIterator<Item = &'a &'static str>,
    now: Timestamp,
) -> Result<(), EvaluatorError> {
    for &name in names {
        match name {
            "now" => evaluator.register_fn_override(name, move |_: &[JValue]| {
                Ok(JValue::string(time::to_rfc3339(now)))
            })?,
            #[expect(
                clippy::cast_precision_loss,
                reason = "JavaScript's milliseconds are floats"
            )]
            "millis" => evaluator.register_fn_override(name, move |_: &[JValue]| {
                Ok(JValue::Number(now.as_millisecond() as f64))
            })?,
            "range" => evaluator.register_fn("range", range)?,
            "parse" => evaluator.register_fn("parse", parse)?,
            _ => evaluator.register_fn("hash", hash)?,
        }
    }
    Ok(())
}

fn is_implemented_hash(args: &[AstNode]) -> bool {
    matches!(args, [_, AstNode::String(algorithm)] if digest(algorithm, b"").is_some())
}

fn hash(args: &[JValue]) -> HostFnResult {
    let misuse = |message: &str| EvaluatorError::EvaluationError(message.to_owned());
    match args {
        [JValue::Undefined, _] => Ok(JValue::Undefined),
        [JValue::String(text), JValue::String(name)] => digest(name, text.as_bytes())
            .map(JValue::string)
            .ok_or_else(|| misuse("$hash does not know the algorithm")),
        _ => Err(misuse("$hash takes a string and an algorithm")),
    }
}

/// What a text that is JSON says.
fn parse(args: &[JValue]) -> HostFnResult {
    let misuse = |message: String| EvaluatorError::EvaluationError(message);
    match args {
        [JValue::Undefined] => Ok(JValue::Undefined),
        [JValue::String(text)] => serde_json::from_str(text)
            .map(|value| convert::copy_whole(&value))
            .map_err(|error| misuse(format!("$parse was given no JSON: {error}"))),
        _ => Err(misuse("$parse takes a string".to_owned())),
    }
}

/// The numbers from the first to the last, so far apart. As recorded, a single one is that number and no array.
fn range(args: &[JValue]) -> HostFnResult {
    let misuse = |message: &str| EvaluatorError::EvaluationError(message.to_owned());
    let [
        JValue::Number(first),
        JValue::Number(last),
        JValue::Number(step),
    ] = args
    else {
        return Err(misuse("$range takes three numbers"));
    };
    let count = ((last - first) / step).floor() + 1.0;
    if !(1.0..=MAX_RANGE).contains(&count) {
        return Err(misuse(&format!("$range gives 1 to {MAX_RANGE} numbers")));
    }
    let numbers = (0_u16..).map(f64::from);
    let numbers = numbers.take_while(|number| *number < count);
    let numbers = numbers.map(|number| JValue::Number(first + number * step));
    Ok(JValue::sequence(numbers.collect()).unwrap_sequence())
}

/// The hash as hexadecimal digits, if the algorithm is implemented.
fn digest(algorithm: &str, bytes: &[u8]) -> Option<String> {
    Some(match algorithm {
        "SHA-256" => hex::encode(Sha256::digest(bytes)),
        "SHA-384" => hex::encode(Sha384::digest(bytes)),
        "SHA-512" => hex::encode(Sha512::digest(bytes)),
        _ => return None,
    })
}

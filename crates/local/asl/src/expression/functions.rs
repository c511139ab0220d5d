//! The functions that Step Functions adds to JSONata, and those that take time or chance from
//! outside.

use std::cell::RefCell;
use std::rc::Rc;

use jiff::Timestamp;
use jsonata_core::ast::AstNode;
use jsonata_core::evaluator::{Evaluator, EvaluatorError, HostFnResult};
use jsonata_core::value::JValue;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::convert;
use super::walk::each_child_mut;
use crate::random::Random;
use crate::time;

/// The functions provided here, sorted.
const PROVIDED: [&str; 9] = [
    "hash",
    "millis",
    "now",
    "parse",
    "partition",
    "random",
    "range",
    "shuffle",
    "uuid",
];

/// The functions of JSONata 2.0, sorted, without `$eval`, which Step Functions leaves out.
const BUILTIN: [&str; 59] = [
    "abs",
    "append",
    "assert",
    "average",
    "base64decode",
    "base64encode",
    "boolean",
    "ceil",
    "contains",
    "count",
    "decodeUrl",
    "decodeUrlComponent",
    "distinct",
    "each",
    "encodeUrl",
    "encodeUrlComponent",
    "error",
    "exists",
    "filter",
    "floor",
    "formatBase",
    "formatInteger",
    "formatNumber",
    "fromMillis",
    "join",
    "keys",
    "length",
    "lookup",
    "lowercase",
    "map",
    "match",
    "max",
    "merge",
    "min",
    "not",
    "number",
    "pad",
    "parseInteger",
    "power",
    "reduce",
    "replace",
    "reverse",
    "round",
    "sift",
    "single",
    "sort",
    "split",
    "spread",
    "sqrt",
    "string",
    "substring",
    "substringAfter",
    "substringBefore",
    "sum",
    "toMillis",
    "trim",
    "type",
    "uppercase",
    "zip",
];

/// The longest array that `$range` and `$partition` make, as on AWS.
const MAX_ITEMS: usize = 1_000;

pub(super) fn provided(name: &str) -> Option<&'static str> {
    PROVIDED
        .binary_search(&name)
        .ok()
        .map(|index| PROVIDED[index])
}

pub(super) fn is_builtin(name: &str) -> bool {
    BUILTIN.binary_search(&name).is_ok()
}

/// Puts `$now(picture, zone)` as `$fromMillis($millis(), picture, zone)`, which is what it
/// means, so that only the plain forms need the given time.
pub(super) fn rewrite(mut ast: AstNode) -> AstNode {
    rewrite_below(&mut ast);
    ast
}

fn rewrite_below(node: &mut AstNode) {
    if let AstNode::Function { name, args, .. } = node
        && name == "now"
        && !args.is_empty()
    {
        "fromMillis".clone_into(name);
        let millis = AstNode::Function {
            name: "millis".into(),
            args: vec![],
            is_builtin: true,
        };
        args.insert(0, millis);
    }
    each_child_mut(node, &mut rewrite_below);
}

/// Gives an evaluator the functions that its expressions call.
pub(super) fn register<'a>(
    evaluator: &mut Evaluator,
    names: impl IntoIterator<Item = &'a &'static str>,
    now: Timestamp,
    random: &Rc<RefCell<Random>>,
) -> Result<(), EvaluatorError> {
    for &name in names {
        let random = Rc::clone(random);
        match name {
            "now" => evaluator.register_fn_override(name, move |_: &[JValue]| {
                Ok(JValue::string(time::format(now)))
            })?,
            #[expect(
                clippy::cast_precision_loss,
                reason = "JavaScript's milliseconds are floats"
            )]
            "millis" => evaluator.register_fn_override(name, move |_: &[JValue]| {
                Ok(JValue::Number(now.as_millisecond() as f64))
            })?,
            "random" => evaluator.register_fn_override(name, move |args: &[JValue]| {
                Ok(JValue::Number(match args {
                    [] => random.borrow_mut().fraction(),
                    [JValue::Number(seed)] => Random::new(seed.to_bits()).fraction(),
                    _ => return Err(misuse("$random takes a number as its seed")),
                }))
            })?,
            "shuffle" => evaluator.register_fn_override(name, move |args: &[JValue]| {
                shuffle(args, &mut random.borrow_mut())
            })?,
            "uuid" => evaluator.register_fn(name, move |_: &[JValue]| {
                Ok(JValue::string(random.borrow_mut().uuid()))
            })?,
            "hash" => evaluator.register_fn(name, hash)?,
            "parse" => evaluator.register_fn(name, parse)?,
            "range" => evaluator.register_fn(name, range)?,
            _ => evaluator.register_fn("partition", partition)?,
        }
    }
    Ok(())
}

fn misuse(message: &str) -> EvaluatorError {
    EvaluatorError::EvaluationError(message.to_owned())
}

fn shuffle(args: &[JValue], random: &mut Random) -> HostFnResult {
    let mut items = match args {
        [JValue::Array(items)] => items.to_vec(),
        [JValue::Undefined] => return Ok(JValue::Undefined),
        [one] => vec![one.clone()],
        _ => return Err(misuse("$shuffle takes an array")),
    };
    for end in (1..items.len()).rev() {
        items.swap(end, random.below(end + 1));
    }
    Ok(JValue::array(items))
}

/// Whether the arguments of `$hash` name an algorithm that is implemented.
pub(super) fn is_hash(args: &[AstNode]) -> bool {
    matches!(args, [_, AstNode::String(name)] if digest(name, b"").is_some())
}

fn hash(args: &[JValue]) -> HostFnResult {
    match args {
        [JValue::Undefined, _] => Ok(JValue::Undefined),
        [JValue::String(text), JValue::String(name)] => digest(name, text.as_bytes())
            .map(JValue::string)
            .ok_or_else(|| misuse("$hash does not know the algorithm")),
        _ => Err(misuse("$hash takes a string and an algorithm")),
    }
}

/// The hash as hexadecimal digits, if the algorithm is implemented.
fn digest(algorithm: &str, bytes: &[u8]) -> Option<String> {
    let hash = match algorithm {
        "SHA-256" => Sha256::digest(bytes).to_vec(),
        "SHA-384" => Sha384::digest(bytes).to_vec(),
        "SHA-512" => Sha512::digest(bytes).to_vec(),
        _ => return None,
    };
    let digit = |half: u8| char::from_digit(u32::from(half), 16);
    hash.iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn parse(args: &[JValue]) -> HostFnResult {
    match args {
        [JValue::Undefined] => Ok(JValue::Undefined),
        [JValue::String(text)] => {
            let value: serde_json::Value = serde_json::from_str(text)
                .map_err(|error| misuse(&format!("$parse was given no JSON: {error}")))?;
            Ok(convert::whole(&value))
        }
        _ => Err(misuse("$parse takes a string")),
    }
}

fn range(args: &[JValue]) -> HostFnResult {
    let [
        JValue::Number(first),
        JValue::Number(last),
        JValue::Number(step),
    ] = args
    else {
        return Err(misuse("$range takes three numbers: first, last, step"));
    };
    let (first, last, step) = (first.round(), last.round(), step.round());
    if step == 0.0 {
        return Err(misuse("the step of $range can't be 0"));
    }
    let mut items = Vec::new();
    let mut next = first;
    while (step > 0.0 && next <= last) || (step < 0.0 && next >= last) {
        if items.len() == MAX_ITEMS {
            return Err(misuse("$range makes at most 1000 items"));
        }
        items.push(JValue::Number(next));
        next += step;
    }
    Ok(JValue::array(items))
}

fn partition(args: &[JValue]) -> HostFnResult {
    let (items, size) = match args {
        [JValue::Undefined, _] => return Ok(JValue::Undefined),
        [JValue::Array(items), JValue::Number(size)] => (items, size.round()),
        _ => return Err(misuse("$partition takes an array and a size")),
    };
    if size < 1.0 {
        return Err(misuse("the size of $partition must be at least 1"));
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "at least 1"
    )]
    let size = size as usize;
    Ok(JValue::array(
        items
            .chunks(size)
            .map(|part| JValue::array(part.to_vec()))
            .collect(),
    ))
}

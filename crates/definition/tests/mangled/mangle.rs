//! Texts and bytes that were valid once, as a strategy of proptest: samples with words of their grammar put into them, and
//! with parts of them removed, repeated or cut off.
//!
//! Needs nothing but proptest, and the tests of other packages include it with `#[path]`.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// No case is larger, in bytes, so that doubling a doubled part tests meaning and not memory.
const MAX_BYTES: usize = 48 * 1024;

/// The cases that proptest runs when nobody asks for more.
const USUAL_CASES: u32 = 256;

/// Checks a property on `factor` times as many cases as proptest runs: 256, or as many as `PROPTEST_CASES` says.
///
/// The usual cases are the same ones every time, so that a test that passed passes again. A run that asks for more, or that
/// names a seed (`PROPTEST_RNG_SEED`), looks at others.
pub(crate) fn check<S: Strategy>(
    factor: u32,
    strategy: &S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let default = Config::default();
    let rng_seed = match default.rng_seed {
        RngSeed::Random if default.cases == USUAL_CASES => RngSeed::Fixed(1),
        seed => seed,
    };
    let mut runner = TestRunner::new(Config {
        cases: default.cases.saturating_mul(factor),
        failure_persistence: None,
        rng_seed,
        ..default
    });
    if let Err(error) = runner.run(strategy, property) {
        panic!("{error}");
    }
}

#[derive(Debug, Clone)]
struct Edit {
    at: Index,
    /// Whether it happens at the next byte of structure.
    at_structure: bool,
    removed: usize,
    inserted: Inserted,
}

#[derive(Debug, Clone)]
enum Inserted {
    Bytes(Vec<u8>),
    Copies {
        from: Index,
        length: usize,
        times: usize,
    },
}

/// One of the samples, mostly with a few edits. Half of the edits happen at a byte of `structure`.
pub(crate) fn mangled(
    samples: Vec<Vec<u8>>,
    words: &'static [&'static [u8]],
    structure: &'static [u8],
) -> impl Strategy<Value = Vec<u8>> {
    let edits = vec(edit(words), 0..4);
    (select(samples), edits).prop_map(move |(mut bytes, edits)| {
        for edit in edits {
            edit.apply(&mut bytes, structure);
        }
        bytes
    })
}

fn edit(words: &'static [&'static [u8]]) -> impl Strategy<Value = Edit> {
    let removed = prop_oneof![
        6 => Just(0),
        4 => 1..12_usize,
        1 => 12..400_usize,
        1 => Just(usize::MAX),
    ];
    let inserted = prop_oneof![
        4 => select(words).prop_map(|word| Inserted::Bytes(word.to_vec())),
        2 => vec(any::<u8>(), 0..3).prop_map(Inserted::Bytes),
        2 => (any::<Index>(), 1..80_usize, select(&[1, 1, 2, 8, 70, 130][..]))
            .prop_map(|(from, length, times)| Inserted::Copies { from, length, times }),
    ];
    (any::<Index>(), any::<bool>(), removed, inserted).prop_map(
        |(at, at_structure, removed, inserted)| Edit {
            at,
            at_structure,
            removed,
            inserted,
        },
    )
}

impl Edit {
    fn apply(self, bytes: &mut Vec<u8>, structure: &[u8]) {
        let mut at = self.at.index(bytes.len() + 1);
        if self.at_structure {
            let mut rest = bytes[at..].iter();
            at += rest.position(|byte| structure.contains(byte)).unwrap_or(0);
        }
        let inserted = match self.inserted {
            Inserted::Bytes(inserted) => inserted,
            Inserted::Copies {
                from,
                length,
                times,
            } => {
                let from = from.index(bytes.len() + 1);
                let to = bytes.len().min(from + length);
                bytes[from..to].repeat(times)
            }
        };
        let end = bytes.len().min(at.saturating_add(self.removed));
        if bytes.len() + inserted.len() <= MAX_BYTES {
            bytes.splice(at..end, inserted);
        }
    }
}

/// Bytes as a message of a failed test shows them.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(2048)];
    format!("{} bytes: b\"{}\"", bytes.len(), start.escape_ascii())
}

//! A mutator that knows some grammar and needs no coverage, so that it runs on a stable compiler, in the test command.
//!
//! Everything comes out of one seed: a case that fails prints its own, and is had again with `FUZZ_SEED`. The file
//! has no dependencies, and other packages' tests take it in with `#[path]`.

use std::ops::Range;

/// No case is larger, so that a doubling of a doubling stays a test of meaning and not of memory.
const MAX_BYTES: usize = 48 * 1024;

/// What the mutator works with: whole inputs to begin from, and words to put into them.
pub(crate) struct Corpus {
    pub(crate) inputs: Vec<Vec<u8>>,
    pub(crate) words: &'static [&'static [u8]],
    /// Bytes that mean something: half of all mutations happen at one.
    pub(crate) structure: &'static [u8],
}

/// `SplitMix64`: small, and the same everywhere and for ever.
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, or 0 where that is 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 33).map_or(0, |n| n % end.max(1))
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Runs a target on as many cases as `FUZZ_CASES` says, or on the one case of `FUZZ_SEED`.
pub(crate) fn run(target: &str, cases: u64, mut case: impl FnMut(&mut Rng)) {
    let started = std::time::Instant::now();
    let cases = number("FUZZ_CASES").unwrap_or(cases);
    let seeds = match number("FUZZ_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..cases,
    };
    for seed in seeds {
        let _replay = Replay { target, seed };
        // Seeds that are neighbours would otherwise give numbers that are.
        case(&mut Rng::new(seed.wrapping_mul(0xd134_2543_de82_ef95)));
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("{target}: {cases} cases in {seconds:.1} s");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the knob of whoever runs the tests; there is no `main` here that could read it"
)]
fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("FUZZ_CASES and FUZZ_SEED are numbers"))
}

/// Says how to have a failed case again, on the way out of it.
struct Replay<'a> {
    target: &'a str,
    seed: u64,
}

impl Drop for Replay<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Self { target, seed } = self;
            eprintln!("{target}: again with FUZZ_SEED={seed} cargo test {target}");
        }
    }
}

impl Corpus {
    /// One of the inputs, mostly with something done to it.
    pub(crate) fn mutated(&self, rng: &mut Rng) -> Vec<u8> {
        let mut bytes = rng.pick(&self.inputs).clone();
        for _ in 0..*rng.pick(&[0, 1, 1, 1, 2, 2, 3, 6]) {
            self.mutate(&mut bytes, rng);
        }
        bytes
    }

    fn mutate(&self, bytes: &mut Vec<u8>, rng: &mut Rng) {
        let at = self.place(bytes, rng);
        match rng.below(10) {
            0 if !bytes.is_empty() => {
                let at = at.min(bytes.len() - 1);
                bytes[at] ^= 1 << rng.below(8);
            }
            1 if !bytes.is_empty() => {
                let at = at.min(bytes.len() - 1);
                bytes[at] =
                    *rng.pick(b"\0\n\r\t \"\\,:;{}[]0-9eE+.nu\x1f\x7f\x80\xbf\xc3\xed\xef\xff");
            }
            2 | 3 => insert(bytes, at, &rng.pick(self.words)[..]),
            4 => {
                let word = *rng.pick(self.words);
                let end = (at + word.len()).min(bytes.len());
                bytes.splice(at..end, word.iter().copied());
            }
            5 => drop(bytes.drain(self.range(bytes, rng))),
            6 => {
                let copy = bytes[self.range(bytes, rng)].to_vec();
                for _ in 0..*rng.pick(&[1, 1, 2, 8, 70, 130]) {
                    insert(bytes, at, &copy);
                }
            }
            7 => bytes.truncate(at),
            8 => {
                let other = rng.pick(&self.inputs);
                let from = other[self.range(other, rng)].to_vec();
                insert(bytes, at, &from);
            }
            _ => {
                let moved: Vec<u8> = bytes.drain(self.range(bytes, rng)).collect();
                let at = self.place(bytes, rng);
                insert(bytes, at, &moved);
            }
        }
    }

    /// An index, the length included; every other time next to a byte of structure.
    fn place(&self, bytes: &[u8], rng: &mut Rng) -> usize {
        let at = rng.below(bytes.len() + 1);
        match rng.below(8) {
            0..4 => bytes[at..]
                .iter()
                .position(|byte| self.structure.contains(byte))
                .map_or(at, |next| at + next + rng.below(2)),
            4 => *rng.pick(&[0, bytes.len()]),
            _ => at,
        }
    }

    fn range(&self, bytes: &[u8], rng: &mut Rng) -> Range<usize> {
        let (a, b) = (self.place(bytes, rng), self.place(bytes, rng));
        // Short ranges leave more of the input as it was, so that more gets past the first check.
        let end = if rng.one_in(2) {
            b.max(a)
        } else {
            bytes.len().min(a + 1 + rng.below(12))
        };
        a.min(end)..end
    }
}

fn insert(bytes: &mut Vec<u8>, at: usize, what: &[u8]) {
    if bytes.len() + what.len() <= MAX_BYTES {
        bytes.splice(at..at, what.iter().copied());
    }
}

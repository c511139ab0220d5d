//! Suggestions for a misspelt word.

/// The longest word that is compared with the known ones, in bytes; comparing takes time that grows with its square.
const MAX_COMPARED: usize = 64;

/// "did you mean …?" for a word that is close to a known one, and a list of the known ones for any other.
pub(crate) fn suggest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    match suggest_near(word, known.iter().copied()) {
        Some(suggestion) => suggestion,
        None if known.is_empty() => String::new(),
        None => format!("one of {}", known.join(", ")),
    }
}

/// "did you mean …?" for a word that is close to a known one.
pub fn suggest_near<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = word.to_lowercase();
    known
        .filter(|_| word.len() <= MAX_COMPARED)
        .map(|k| (strsim::osa_distance(&lower, &k.to_lowercase()), k))
        .min()
        .filter(|(distance, k)| *distance <= (k.len() / 3).max(1))
        .map(|(_, k)| format!("did you mean {k:?}?"))
}

//! The words for a run's state.

/// The guide's states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Queued,
    Processing,
    Completed,
    Failed,
}

impl State {
    /// The exact word in any case; `None` for a word that is not the guide's, or none at all.
    pub(crate) fn from_word(word: Option<&str>) -> Option<Self> {
        [
            ("queued", Self::Queued),
            ("processing", Self::Processing),
            ("completed", Self::Completed),
            ("failed", Self::Failed),
        ]
        .into_iter()
        .find(|(known, _)| word.is_some_and(|word| word.eq_ignore_ascii_case(known)))
        .map(|(_, state)| state)
    }
}

/// The word, fit for a log line.
pub(crate) fn sanitised(word: Option<&str>) -> String {
    definition::text::line(word.unwrap_or_default(), 64)
}

//! Takes secrets out of texts that CXone sent.

use definition::text::line;

/// The text as one line of at most `max` bytes. The secrets are taken out first, because an API may echo what it was sent.
pub(crate) fn redact_secrets(text: &str, secrets: &[&str], max: usize) -> String {
    let mut text = text.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        text = text.replace(secret, "[redacted]");
    }
    line(&text, max)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_taken_out() {
        assert_eq!(
            redact_secrets("bad token abc123 for x", &["abc123", "x"], 64),
            "bad token [redacted] for x"
        );
    }
}

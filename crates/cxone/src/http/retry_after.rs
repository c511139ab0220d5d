//! When the API asks to be called again.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// The `Retry-After` of an answer: whole seconds, or an HTTP date in one of its three formats, counted from the answer's
/// own `Date`, so that neither clock matters. `None` where it can't be read. Not capped: the caller knows its deadline.
pub(super) fn parse_retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().map(Duration::from_secs);
    }
    let at = httpdate::parse_http_date(text).ok()?;
    // A date in the past is "now", not nonsense.
    Some(
        at.duration_since(response_date(headers).unwrap_or_else(SystemTime::now))
            .unwrap_or(Duration::ZERO),
    )
}

pub(crate) fn response_date(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(headers.get(DATE)?.to_str().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use reqwest::header::HeaderValue;

    use super::*;

    fn parsed(value: &str) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        headers.insert(
            DATE,
            HeaderValue::from_static("Sun, 22 Nov 2026 06:00:00 GMT"),
        );
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).ok()?);
        parse_retry_after(&headers)
    }

    #[test]
    fn seconds_and_all_three_date_formats_are_read() {
        for (text, seconds) in [
            ("0", 0),
            ("17", 17),
            (" 17 ", 17),
            ("18446744073709551615", u64::MAX),
            ("Sun, 22 Nov 2026 06:00:30 GMT", 30),
            ("Sunday, 22-Nov-26 06:00:30 GMT", 30),
            ("Sun Nov 22 06:00:30 2026", 30),
            ("Sun, 22 Nov 2026 05:00:00 GMT", 0),
        ] {
            assert_eq!(parsed(text), Some(Duration::from_secs(seconds)), "{text:?}");
        }
    }

    #[test]
    fn nonsense_is_no_answer() {
        for text in [
            "",
            "-5",
            "+5",
            "1.5",
            "soon",
            "1e20",
            "100000000000000000000",
            "22 Nov",
            "0x10",
        ] {
            assert_eq!(parsed(text), None, "{text:?}");
        }
        assert_eq!(parse_retry_after(&HeaderMap::new()), None);
    }

    proptest! {
        #[test]
        fn any_number_of_seconds_comes_back(seconds: u64) {
            prop_assert_eq!(parsed(&seconds.to_string()), Some(Duration::from_secs(seconds)));
        }

        #[test]
        fn nothing_panics(text in "\\PC{0,40}") {
            let _ = parsed(&text);
        }
    }
}

//! The ways in which a text may be written.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

/// As it is, escaped for JSON up to four times, for JSON in JSON in a history, and for a URL, in hexadecimal, and in
/// base64 wherever it stands in what is encoded.
pub(crate) fn writings(text: &str) -> Vec<String> {
    let json = |text: &str| {
        let quoted = serde_json::to_string(text).unwrap();
        quoted[1..quoted.len() - 1].to_owned()
    };
    let percent = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    let url: String = text.bytes().map(percent).collect();
    let hex = hex::encode(text);
    let escaped = std::iter::successors(Some(text.to_owned()), |text| Some(json(text)));
    let mut writings = vec![url.replace("%20", "+"), url, hex];
    writings.extend(escaped.take(5));
    for before in 0..3 {
        let padded = [&vec![b'x'; before][..], text.as_bytes()].concat();
        // Only whole groups of what is encoded are the same whatever stands around it.
        let (from, to) = (before.div_ceil(3) * 3, padded.len() / 3 * 3);
        if to.saturating_sub(from) >= 6 {
            writings.push(STANDARD_NO_PAD.encode(&padded[from..to]));
            writings.push(URL_SAFE_NO_PAD.encode(&padded[from..to]));
        }
    }
    writings.sort();
    writings.dedup();
    writings
}

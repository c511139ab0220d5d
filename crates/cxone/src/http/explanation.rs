//! The explanation in an error's answer, in any of the shapes that CXone's APIs use.

use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::Value;

/// Where the APIs below `/inContactAPI` put their explanation, with or without a body.
const HEADER: &str = "icStatusDescription";
/// Fields that hold a code, the best first.
const CODES: &[&str] = &[
    "error",
    "errorCode",
    "code",
    "resultCode",
    "title",
    "faultCode",
];
/// Fields that hold a text for people, the best first.
const TEXTS: &[&str] = &[
    "error_description",
    "errorDescription",
    "errorMessage",
    "message",
    "detail",
    "resultDescription",
    "exceptionMessage",
    "faultString",
    "description",
];

/// The code and the text of an error's answer, both empty where it has none.
///
/// Seen are `error` with `error_description`, `errorCode` with `errorMessage`, `message` alone, `code` with `message`,
/// `resultCode` with `resultDescription`, `title` with `detail`, any of them within `error` or as the first of
/// `errors`, and the header `icStatusDescription` alone.
pub(super) fn explain_error(headers: &HeaderMap, body: &[u8]) -> (String, String) {
    let json = serde_json::from_slice(body).unwrap_or(Value::Null);
    let (code, mut text) = find_in_json(&json, 0);
    if text.is_empty() {
        let said = headers.get(HEADER).map(HeaderValue::as_bytes);
        text = String::from_utf8_lossy(said.unwrap_or_default()).into_owned();
    }
    (code, text)
}

/// What an answer says in place of what was asked for: the text, or else the code. Empty where it has neither.
pub(crate) fn explain_answer(json: &Value) -> String {
    let (code, text) = find_in_json(json, 0);
    if text.is_empty() { code } else { text }
}

fn find_in_json(json: &Value, depth: u8) -> (String, String) {
    let (mut code, mut text) = (first_text(json, CODES), first_text(json, TEXTS));
    let inner = ["error", "errors", "fault"]
        .into_iter()
        .filter_map(|name| json.get(name))
        .map(|inner| inner.get(0).unwrap_or(inner))
        .filter(|inner| inner.is_object() && depth < 2);
    for inner in inner {
        let (inner_code, inner_text) = find_in_json(inner, depth + 1);
        code = Some(code)
            .filter(|code| !code.is_empty())
            .unwrap_or(inner_code);
        text = Some(text)
            .filter(|text| !text.is_empty())
            .unwrap_or(inner_text);
    }
    (code, text)
}

/// The first of the names, in any case, whose value is a text or a number.
fn first_text(json: &Value, names: &[&str]) -> String {
    let fields = || json.as_object().into_iter().flatten();
    let value_of = |wanted: &&str| {
        let mut of_name = fields().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        of_name.find_map(|(_, value)| match value {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        })
    };
    names.iter().find_map(value_of).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_says_its_word_and_its_text() {
        for (body, code, text) in [
            (
                r#"{"error":"invalid_request","error_description":"no"}"#,
                "invalid_request",
                "no",
            ),
            (r#"{"errorCode":"E1","errorMessage":"no"}"#, "E1", "no"),
            (
                r#"{"code":403,"message":"Forbidden","traceId":"x"}"#,
                "403",
                "Forbidden",
            ),
            (r#"{"message":"no"}"#, "", "no"),
            (r#"{"Message":"no","ExceptionMessage":"x"}"#, "", "no"),
            (
                r#"{"resultCode":"InvalidParameter","resultDescription":"no"}"#,
                "InvalidParameter",
                "no",
            ),
            (
                r#"{"status":404,"title":"Not Found","detail":"no"}"#,
                "Not Found",
                "no",
            ),
            (
                r#"{"status":404,"error":"Not Found","detail":"no"}"#,
                "Not Found",
                "no",
            ),
            (r#"{"error":{"code":"E1","message":"no"}}"#, "E1", "no"),
            (
                r#"{"errors":[{"code":"E1","message":"no"},{"code":"E2"}]}"#,
                "E1",
                "no",
            ),
            (r#"{"fault":{"faultstring":"no"}}"#, "", "no"),
            (r#"{"error":null,"message":""}"#, "", ""),
            ("[]", "", ""),
            ("<html>", "", ""),
            ("", "", ""),
        ] {
            let said = explain_error(&HeaderMap::new(), body.as_bytes());
            assert_eq!(said, (code.to_owned(), text.to_owned()), "{body}");
        }
    }

    #[test]
    fn the_header_speaks_where_the_body_does_not() {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, "invalid reportId".parse().unwrap());
        let said = explain_error(&headers, b"");
        assert_eq!(said, (String::new(), "invalid reportId".to_owned()));
        let said = explain_error(&headers, br#"{"error":"e","error_description":"no"}"#);
        assert_eq!(said, ("e".to_owned(), "no".to_owned()));
    }
}

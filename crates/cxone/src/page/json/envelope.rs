//! What an API puts around the rows of its JSON pages.

use definition::PageToken;
use serde::de::DeserializeOwned;

use crate::error::Error;

/// The fields of an answer beside its rows. Each API whose pages are JSON has one of its own.
pub(crate) trait Envelope: Send + Sync {
    /// The field that holds the list of rows.
    fn rows_field(&self) -> &'static str;

    /// Keeps a field, given as raw JSON. `Ok(false)` where the API is not known to send it; such a field is reported and
    /// changes nothing. The message of an error must not repeat the value, which may be a token or a URL.
    fn keep_field(&mut self, name: &str, raw: &[u8]) -> Result<bool, String>;

    /// Where the next page begins and how many rows the whole result has, if the page is whole and the one that was
    /// asked for. `rows` is how many it had, and `has_row_list` whether it had a list of rows, however short.
    fn conclude(
        &self,
        rows: u64,
        has_row_list: bool,
    ) -> Result<(Option<PageToken>, Option<u64>), Error>;
}

impl<E: Envelope + ?Sized> Envelope for Box<E> {
    fn rows_field(&self) -> &'static str {
        (**self).rows_field()
    }

    fn keep_field(&mut self, name: &str, raw: &[u8]) -> Result<bool, String> {
        (**self).keep_field(name, raw)
    }

    fn conclude(
        &self,
        rows: u64,
        has_row_list: bool,
    ) -> Result<(Option<PageToken>, Option<u64>), Error> {
        (**self).conclude(rows, has_row_list)
    }
}

/// The value of a field. It is not repeated in the message: it may be a token or a URL.
pub(crate) fn parse_field<T: DeserializeOwned>(raw: &[u8], name: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|_| format!("{name} is not of the kind that it should be"))
}

/// A text, or a number as it was written, to its last digit; `None` for null.
pub(crate) fn parse_text_or_number(raw: &[u8], name: &str) -> Result<Option<String>, String> {
    if matches!(raw.first(), Some(b'-' | b'0'..=b'9')) {
        return Ok(Some(String::from_utf8_lossy(raw).into_owned()));
    }
    parse_field(raw, name)
}

/// A count, as a number or as a text; `None` for null.
pub(crate) fn parse_count(raw: &[u8], name: &str) -> Result<Option<u64>, String> {
    let text = parse_text_or_number(raw, name)?;
    let count = text.map(|text| text.trim().parse());
    count
        .transpose()
        .map_err(|_| format!("{name} is not of the kind that it should be"))
}

//! The object around the rows: `{"state": …, "data": [rows], "nextPageToken": …}`, its fields in any order.
//!
//! A parser without I/O: it takes bytes as they come, wherever they are cut, appends whole rows to a chunk, and keeps the
//! other fields. What it does not take stays with the caller, who comes back with more.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::RowChunk;
use super::scan::{self, Stop};

/// The longest field beside the rows, in bytes.
const MAX_FIELD: usize = 256 * 1024;
/// The most fields that an envelope may have.
const MAX_FIELDS: usize = 64;
/// A chunk is full from this size on; it ends with the row that got it there.
const CHUNK_BYTES: usize = 256 * 1024;

/// What the parser wants next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// At least this many bytes, counted from the first that was not taken, or the end.
    More(usize),
    /// The rows begin here.
    Rows,
    /// The chunk is full.
    Full,
    /// All was read; only white space may follow.
    End,
}

/// Whose envelope it is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `{"state": …, "data": [rows], "nextPageToken": …}`
    #[default]
    Results,
    /// `{"totalRecords": …, "completedContacts": [rows], "_links": {"next": …}}`
    Contacts,
}

impl Kind {
    /// The field that the rows are in.
    fn rows(self) -> &'static str {
        match self {
            Self::Results => "data",
            Self::Contacts => "completedContacts",
        }
    }
}

/// What is said about a page beside its rows.
#[derive(Default)]
pub(crate) struct Envelope {
    kind: Kind,
    pub(crate) run_id: Option<String>,
    pub(crate) state: Option<String>,
    pub(crate) error_message: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) total: Option<u64>,
    pub(crate) download_url: Option<String>,
    pub(crate) unknown: Vec<String>,
    /// Whether there is a list of rows, however short.
    pub(crate) has_data: bool,
    seen: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Mark,
    Start,
    FirstField,
    Field,
    AfterField,
    FirstRow,
    Row,
    AfterRow,
    End,
}

/// The parser of one page.
pub(crate) struct Parser {
    at: At,
    pub(crate) envelope: Envelope,
    pub(crate) rows: u64,
    max_row: usize,
}

impl Parser {
    pub(crate) fn new(kind: Kind, max_row: usize) -> Self {
        Self {
            at: At::Mark,
            envelope: Envelope {
                kind,
                ..Envelope::default()
            },
            rows: 0,
            max_row,
        }
    }

    /// Whether the rows have begun.
    pub(crate) fn in_rows(&self) -> bool {
        matches!(self.at, At::FirstRow | At::Row | At::AfterRow)
    }

    /// Takes what it can of `bytes`; says how much that was and what it wants next.
    pub(crate) fn advance(
        &mut self,
        bytes: &[u8],
        chunk: &mut RowChunk,
    ) -> Result<(usize, Step), String> {
        let mut taken = 0;
        loop {
            let step = match self.at {
                At::FirstRow | At::Row | At::AfterRow => self.rows(bytes, &mut taken, chunk)?,
                _ => self.outside(bytes, &mut taken)?,
            };
            match step {
                None => {}
                // White space is taken too, so that a body of nothing else does not pile up.
                Some(step) => return Ok((taken, step)),
            }
        }
    }

    fn outside(&mut self, bytes: &[u8], taken: &mut usize) -> Result<Option<Step>, String> {
        if self.at == At::Mark {
            match bytes {
                [] => return Ok(Some(Step::More(1))),
                [0xef, 0xbb, 0xbf, ..] => *taken = 3,
                [0xef, rest @ ..] if rest.len() < 2 => return Ok(Some(Step::More(3))),
                _ => {}
            }
            // A second mark, or one after white space, is none, wherever the bytes were cut.
            self.at = At::Start;
        }
        *taken = scan::skip_space(bytes, *taken);
        let Some(byte) = bytes.get(*taken) else {
            return Ok(Some(if self.at == At::End {
                Step::End
            } else {
                Step::More(1)
            }));
        };
        match (self.at, byte) {
            (At::Start, b'{') => self.at = At::FirstField,
            (At::Start, _) => return Err("not a JSON object".to_owned()),
            (At::FirstField | At::AfterField, b'}') => self.at = At::End,
            (At::AfterField, b',') => self.at = At::Field,
            (At::FirstField | At::Field, _) => return self.field(bytes, taken),
            (At::AfterField, _) => return Err("a comma or a closing brace was expected".to_owned()),
            (At::End, _) => return Err("something follows the JSON object".to_owned()),
            (At::Mark | At::FirstRow | At::Row | At::AfterRow, _) => return Ok(None),
        }
        *taken += 1;
        Ok(None)
    }

    /// A field with its value; of the rows only the opening bracket.
    fn field(&mut self, bytes: &[u8], taken: &mut usize) -> Result<Option<Step>, String> {
        match self.try_field(&bytes[*taken..]) {
            // Or it would depend on how the bytes were cut on their way.
            Ok(length) if length > MAX_FIELD => Err("a field is larger than 256 KiB".to_owned()),
            Ok(length) => {
                *taken += length;
                Ok(self.in_rows().then_some(Step::Rows))
            }
            Err(Fault::More) if bytes.len() - *taken > MAX_FIELD => {
                Err("a field is larger than 256 KiB".to_owned())
            }
            Err(Fault::More) => Ok(Some(Step::More(wish(bytes.len() - *taken)))),
            Err(Fault::Bad(what)) => Err(what),
        }
    }

    fn try_field(&mut self, bytes: &[u8]) -> Result<usize, Fault> {
        let name_end = scan::string(bytes, 0)?;
        let colon = scan::skip_space(bytes, name_end);
        match bytes.get(colon) {
            None => return Err(Fault::More),
            Some(b':') => {}
            Some(_) => return Err(Fault::Bad("a colon was expected".to_owned())),
        }
        let start = scan::skip_space(bytes, colon + 1);
        let name: String = parse(&bytes[..name_end], "a field's name")?;
        if name == self.envelope.kind.rows() && bytes.get(start) == Some(&b'[') {
            self.envelope.once(&name)?;
            self.envelope.has_data = true;
            self.at = At::FirstRow;
            return Ok(start + 1);
        }
        let end = scan::value(bytes, start)?.end;
        self.envelope.once(&name)?;
        self.envelope.set(&name, &bytes[start..end])?;
        self.at = At::AfterField;
        Ok(end)
    }

    /// The hot loop: whole rows, one after the other, for as long as there are any.
    fn rows(
        &mut self,
        bytes: &[u8],
        taken: &mut usize,
        chunk: &mut RowChunk,
    ) -> Result<Option<Step>, String> {
        loop {
            let at = scan::skip_space(bytes, *taken);
            let Some(byte) = bytes.get(at) else {
                *taken = at;
                return Ok(Some(Step::More(1)));
            };
            match (self.at, byte) {
                (At::AfterRow, b',') => {
                    self.at = At::Row;
                    *taken = at + 1;
                }
                (At::FirstRow | At::AfterRow, b']') => {
                    self.at = At::AfterField;
                    *taken = at + 1;
                    return Ok(None);
                }
                (At::FirstRow | At::Row, b'{') => {
                    if chunk.bytes.len() >= CHUNK_BYTES {
                        *taken = at;
                        return Ok(Some(Step::Full));
                    }
                    let Some(end) = self.row(bytes, at, chunk)? else {
                        *taken = at;
                        return Ok(Some(Step::More(wish(bytes.len() - at))));
                    };
                    *taken = end;
                }
                (At::AfterRow, _) => {
                    return Err(self.bad_row("a comma or a closing bracket was expected after it"));
                }
                _ => return Err(self.bad_row("an object was expected")),
            }
        }
    }

    /// Takes the row at `at` if all of it is there, and says where it ends.
    #[inline]
    fn row(
        &mut self,
        bytes: &[u8],
        at: usize,
        chunk: &mut RowChunk,
    ) -> Result<Option<usize>, String> {
        let extent = match scan::object(bytes, at) {
            Ok(extent) => extent,
            Err(Stop::Incomplete) if bytes.len() - at <= self.max_row => return Ok(None),
            Err(Stop::Incomplete) => return Err(self.too_large()),
            Err(Stop::Bad(what)) => return Err(self.bad_row(what)),
        };
        if extent.end - at > self.max_row {
            return Err(self.too_large());
        }
        chunk.push(&bytes[at..extent.end], extent.breaks);
        self.rows += 1;
        self.at = At::AfterRow;
        Ok(Some(extent.end))
    }

    fn too_large(&self) -> String {
        format!(
            "row {} is larger than {} bytes",
            self.rows + 1,
            self.max_row
        )
    }

    fn bad_row(&self, what: &str) -> String {
        format!(
            "row {}: {what}",
            self.rows + u64::from(self.at != At::AfterRow)
        )
    }
}

/// Why a field could not be taken.
enum Fault {
    More,
    Bad(String),
}

impl From<Stop> for Fault {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Incomplete => Self::More,
            Stop::Bad(what) => Self::Bad(what.to_owned()),
        }
    }
}

impl From<String> for Fault {
    fn from(what: String) -> Self {
        Self::Bad(what)
    }
}

impl Envelope {
    /// Remembers a field's name, of which there must be no second.
    fn once(&mut self, name: &str) -> Result<(), String> {
        if self.seen.iter().any(|seen| seen == name) {
            return Err(format!(
                "the field {:?} is there twice",
                definition::text::line(name, 64)
            ));
        }
        if self.seen.len() == MAX_FIELDS {
            return Err(format!("more than {MAX_FIELDS} fields beside the rows"));
        }
        self.seen.push(name.to_owned());
        Ok(())
    }

    fn set(&mut self, name: &str, raw: &[u8]) -> Result<(), String> {
        if self.kind == Kind::Contacts {
            return self.set_of_contacts(name, raw);
        }
        match name {
            "runId" => self.run_id = parse(raw, "runId")?,
            "state" => self.state = parse(raw, "state")?,
            "errorMessage" => self.error_message = parse(raw, "errorMessage")?,
            "nextPageToken" => self.next = parse(raw, "nextPageToken")?,
            "total" => self.total = parse(raw, "total")?,
            "downloadUrl" => self.download_url = parse(raw, "downloadUrl")?,
            "data" if raw == b"null" => {}
            "data" => return Err("\"data\" is not a list".to_owned()),
            _ => self.unknown(name, raw)?,
        }
        Ok(())
    }

    fn set_of_contacts(&mut self, name: &str, raw: &[u8]) -> Result<(), String> {
        #[derive(Deserialize)]
        struct Links {
            next: Option<String>,
        }
        match name {
            // A text of a number is one.
            "totalRecords" => {
                let raw = raw.strip_prefix(b"\"").unwrap_or(raw);
                let raw = raw.strip_suffix(b"\"").unwrap_or(raw);
                self.total = parse(raw, "totalRecords")?;
            }
            // Only whether there is one counts: a URL from an answer is not needed to go on.
            "_links" => {
                let links: Option<Links> = parse(raw, "_links")?;
                self.next = links.and_then(|links| links.next);
            }
            "businessUnitId" | "lastPollTime" => {
                std::str::from_utf8(raw).map_err(|_| "a field is not UTF-8".to_owned())?;
            }
            "completedContacts" if raw == b"null" => {}
            "completedContacts" => return Err("\"completedContacts\" is not a list".to_owned()),
            _ => self.unknown(name, raw)?,
        }
        Ok(())
    }

    fn unknown(&mut self, name: &str, raw: &[u8]) -> Result<(), String> {
        std::str::from_utf8(raw).map_err(|_| "a field is not UTF-8".to_owned())?;
        self.unknown.push(definition::text::line(name, 64));
        Ok(())
    }
}

/// The value is not repeated in the message: it may be a token or a URL.
fn parse<T: DeserializeOwned>(raw: &[u8], name: &str) -> Result<T, String> {
    serde_json::from_slice(raw).map_err(|_| format!("{name} is not of the kind that it should be"))
}

/// How many bytes to wait for before an incomplete thing is scanned again from its beginning: the larger it is, the more,
/// so that a row that trickles in is not scanned a thousand times.
fn wish(have: usize) -> usize {
    if have < 16 * 1024 { have + 1 } else { have * 2 }
}

//! Mangled bytes against models of what they mean: whatever is taken must be right, and what is right must be taken.
//!
//! `FUZZ_CASES=1000000 cargo test -p cxone --lib fuzz` runs longer than the test command does.

mod expected;
mod mutate;
mod texts;

use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::runtime::Runtime;

use crate::client::Body;
use crate::page::{Announced, CsvPage, Feed, JsonPage, Opened, PackedFile, Page};
use crate::{Error, Limits, PageEnd, RowChunk};
use definition::{Definition, RunId};
use mutate::{Corpus, Rng, run};

/// Small enough for a case to reach.
const MAX_ROW: usize = 4 * 1024;
const RATIO_AFTER: usize = 96 * 1024;
/// The most that a chunk may hold beside its last row.
const CHUNK: usize = 256 * 1024;

const JSON_WORDS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"{}",
    b"[]",
    b"\"\"",
    b"null",
    b"true",
    b"0",
    b"-0",
    b"01",
    b"1e400",
    b"18446744073709551616",
    b"-",
    b"1.",
    b"NaN",
    b"\\u",
    b"\\ud83e",
    b"\\udd80",
    b"\\u0000",
    b"\\x",
    b"\"data\":[{}],",
    b"\"data\":null,",
    b"\"data\":",
    b"\"d\\u0061ta\":",
    b"\"state\":\"completed\",",
    b"\"nextPageToken\":\"t\",",
    b"\"total\":3,",
    b"\"runId\":\"run-1\",",
    b"\"downloadUrl\":\"x\",",
    b"\"x\":1,",
    b"{\"a\":1},",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xc0\xaf",
    b"\xf4\x90\x80\x80",
    b"\xc3\xa9",
    b"\xe2\x80\xa8",
    b"\r\n",
    b"\t",
    b"\x0b",
    b"\0",
    b"/**/",
    b"[[[[[[[[[[[[[[[[",
    b"{\"\":{\"\":{\"\":{\"\":",
    b"]]]]]]]]]]]]]]]]",
];
const GZIP_WORDS: &[&[u8]] = &[
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff",
    b"\x1f\x8b",
    b"\x1f\x8b\x08\x02",
    b"\x1f\x8b\x08\x1f",
    b"\x1f\x8b\x08\xe0",
    b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x03\0\0\0\0\0\0\0\0\0",
    b"\0\0\0\0",
    b"\xff\xff\0\0",
    b"\0\0\xff\xff",
    b"\x03\0",
    b"\x78\x9c",
];
const CSV_WORDS: &[&[u8]] = &[
    b",",
    b"\"",
    b"\"\"",
    b"\n",
    b"\r\n",
    b"\r",
    b"\n\n",
    b",,,",
    b"\"a\nb\"",
    b"\"a\"\"b\"",
    b"x\"y\"",
    b"\"x\"y",
    b"agentId",
    b"agentId,handleTime\r\n",
    b"\xef\xbb\xbf",
    b"1e9",
    b"-0",
    b"01",
    b"1.",
    b"-",
    b" 1",
    b"\0",
    b"\x1b",
    b"\xc3",
    b"\xa9",
    b"\xc3\xa9",
    b"\xff",
    b"=1+1",
    b"\\",
    b";",
    b"\t",
];

/// What became of a body.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// The rows, each with its line end, and what was said beside them.
    Taken(Vec<u8>, PageEnd),
    Refused(&'static str),
}

impl Outcome {
    fn of(read: Result<(Vec<u8>, PageEnd), Error>) -> Self {
        match read {
            Ok((rows, end)) => Self::Taken(rows, end),
            Err(Error::Unavailable { .. }) => Self::Refused("unavailable"),
            Err(Error::Contract { .. }) => Self::Refused("contract"),
            Err(Error::NotCompleted { .. }) => Self::Refused("not completed"),
            Err(other) => panic!("a body must not be the cause of {other}"),
        }
    }
}

/// Reads bodies in one place, without a connection.
struct Reader {
    runtime: Runtime,
    limits: Limits,
    definition: Definition,
    published: Definition,
}

impl Reader {
    fn new() -> Self {
        let definition =
            br#"{"name":"n","schedule":{"type":"daily","time":"06:00","timezone":"UTC"},
            "report":{"type":"agent","metrics":["handleTime"],"dimensions":["agentId"],
            "dateRange":{"type":"relative","value":"previousDay"}},"delivery":{"type":"api"},
            "pipeline":{"tenant":"acme"}}"#;
        let published =
            br#"{"name":"n","schedule":{"type":"daily","time":"06:00","timezone":"UTC"},
            "report":{"reportId":"4711","apiVersion":34,"range":"template",
            "dateRange":{"type":"relative","value":"previousDay"}},"delivery":{"type":"api"},
            "pipeline":{"tenant":"acme","api":"report-jobs","key":["agentId"]}}"#;
        Self {
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
            limits: Limits {
                row_bytes: MAX_ROW,
                ratio_after: RATIO_AFTER as u64,
                ..Limits::default()
            },
            definition: Definition::parse(definition).unwrap().definition,
            published: Definition::parse(published).unwrap().definition,
        }
    }

    fn body(&self, pieces: Vec<Vec<u8>>, gzip: bool) -> Body {
        let pieces = pieces.into_iter().map(Some).collect();
        Body::of_pieces(pieces, gzip, 4 << 20, self.limits)
    }

    /// A page, read as the client reads it, or at once.
    fn json(&self, body: Body, open: bool) -> Outcome {
        self.runtime.block_on(async {
            let run = RunId::new("run-1").unwrap();
            let mut page = JsonPage::new("fuzz", run, body, MAX_ROW);
            if open && let Err(error) = page.open().await.map(|opened| opened == Opened::End) {
                return Outcome::of(Err(error));
            }
            Outcome::of(drain(Page::json(page), MAX_ROW).await)
        })
    }

    fn csv(&self, body: Body) -> Outcome {
        let announced = Announced {
            total: None,
            inline_rows: 0,
            unknown_fields: Vec::new(),
        };
        let page = CsvPage::new("fuzz", body, &self.definition, MAX_ROW, announced);
        // A name of the header is in every row, and a control character takes six bytes.
        self.runtime
            .block_on(async { Outcome::of(drain(Page::csv(page), 14 * MAX_ROW).await) })
    }
}

impl Reader {
    /// A file of a published API, which may be packed into JSON.
    fn published(&self, body: Body, packed: bool) -> Outcome {
        let feed: Feed = if packed {
            PackedFile::new("fuzz", body).into()
        } else {
            body.into()
        };
        let page = CsvPage::new("fuzz", feed, &self.published, MAX_ROW, Announced::default());
        self.runtime
            .block_on(async { Outcome::of(drain(Page::csv(page), 14 * MAX_ROW).await) })
    }
}

/// Reads a page to its end, and holds it to the memory that it may take.
async fn drain(mut page: Page, largest_row: usize) -> Result<(Vec<u8>, PageEnd), Error> {
    let (mut rows, mut chunk, mut count) = (Vec::new(), RowChunk::new(), 0);
    while page.fill(&mut chunk).await? {
        assert!(chunk.bytes().len() <= CHUNK + largest_row + 1);
        assert!(!chunk.is_empty(), "a chunk without rows is the last one");
        count += chunk.len() as u64;
        rows.extend_from_slice(chunk.bytes());
    }
    let end = page.finish().await?;
    assert_eq!(end.rows, count);
    Ok((rows, end))
}

/// The bytes in pieces, as a connection might deliver them.
fn cut(mut bytes: &[u8], rng: &mut Rng) -> Vec<Vec<u8>> {
    let most = *rng.pick(&[1, 3, 9, 40, 400, usize::MAX]);
    let most = if bytes.len() > 4096 {
        most.max(64)
    } else {
        most
    };
    let mut pieces = Vec::new();
    while !bytes.is_empty() {
        let (piece, rest) = bytes.split_at(bytes.len().min(1 + rng.below(most)));
        pieces.push(piece.to_vec());
        bytes = rest;
    }
    pieces
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Pages as an API might send them: dense and pretty, small and large, its fields in any order.
fn pages() -> Corpus {
    let row = r#"{"agentId":"a-000017","agentName":"Zoë \"Zed\" O'Brien","queueName":"Billing, EU","handleTime":1234,"avgHandleTime":205.50}"#;
    let odd = r#"{"agentId":"\ud83e\udd80\/\b\u00e9","x":[1,{"y":[]},-0.0e+1,true,null],"":18446744073709551616}"#;
    let pretty = row.replace(',', ",\r\n    ").replace(':', " :\t");
    let wide = format!(r#"{{"agentId":"{}"}}"#, "é".repeat(MAX_ROW / 2 - 10));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(124), "]".repeat(124));
    let inputs = vec![
        format!(r#"{{"runId":"run-1","state":"completed","data":[{row},{odd}],"nextPageToken":"abc","total":7}}"#),
        format!("\u{feff}{{\r\n  \"data\" : [\n    {pretty},\n    {pretty}\n  ],\n  \"state\" : \"Completed\"\n}}\n"),
        format!(r#"{{"state":"completed","nextPageToken":null,"data":[{}]}}"#, [row; 40].join(",")),
        r#"{"state":"completed","data":[],"new":{"a":[1e400,"\u0041"]},"total":0,"errorMessage":null}"#.to_owned(),
        format!(r#"{{"state":"completed","data":[{wide},{deep}],"x":{}1{}}}"#, "[".repeat(125), "]".repeat(125)),
        "\u{feff}\u{feff}{\"state\":\"completed\",\"data\":[]}".to_owned(),
        " \u{feff}{\"state\":\"completed\",\"data\":[]}".to_owned(),
        r#"{"state":"processing"}"#.to_owned(),
        r#"{"state":"completed","data":null,"downloadUrl":"https://files.example/x","nextPageToken":""}"#.to_owned(),
    ];
    Corpus {
        inputs: inputs.into_iter().map(String::into_bytes).collect(),
        words: JSON_WORDS,
        structure: b"{}[],:\"\\\n",
    }
}

#[test]
fn a_mangled_page_is_taken_exactly_if_the_model_takes_it() {
    let (reader, corpus) = (Reader::new(), pages());
    let mut taken = 0;
    run("-p cxone fuzz::a_mangled_page", 10_000, |rng| {
        let bytes = corpus.mutated(rng);
        let outcome = reader.json(reader.body(vec![bytes.clone()], false), false);
        let pieces = reader.body(cut(&bytes, rng), false);
        assert_eq!(
            outcome,
            reader.json(pieces, rng.one_in(2)),
            "cut: {}",
            shown(&bytes)
        );
        let expected = expected::page(&bytes, MAX_ROW);
        assert_eq!(
            said(&outcome),
            expected.as_ref().map(expected::Page::said),
            "{}",
            shown(&bytes)
        );
        taken += u32::from(expected.is_some());
    });
    println!("taken: {taken}");
}

/// What the model says too.
fn said(outcome: &Outcome) -> Option<expected::Said<'_>> {
    match outcome {
        Outcome::Taken(rows, end) => Some((
            rows,
            end.next.as_ref().map(definition::PageToken::as_str),
            end.total,
            end.unknown_fields.len(),
        )),
        Outcome::Refused(_) => None,
    }
}

#[test]
fn a_gzipped_page_is_what_it_is_unpacked_however_many_members_it_has() {
    let (reader, corpus) = (Reader::new(), pages());
    run("-p cxone fuzz::a_gzipped_page", 2_000, |rng| {
        let bytes = corpus.mutated(rng);
        let plain = reader.json(reader.body(vec![bytes.clone()], false), false);
        let members: Vec<u8> = cut(&bytes, rng)
            .chunks(16)
            .flat_map(|part| gzipped(&part.concat()))
            .collect();
        let gzip = reader.json(reader.body(cut(&members, rng), true), false);
        // Nothing at all has no member, and is no gzip.
        if !bytes.is_empty() && bytes.len() <= RATIO_AFTER {
            assert_eq!(gzip, plain, "{}", shown(&bytes));
        }
    });
}

#[test]
fn a_mangled_gzip_is_taken_only_if_all_of_it_unpacks_and_with_the_same_rows() {
    let (reader, pages) = (Reader::new(), pages());
    let bomb = [
        br#"{"state":"completed","x":""#.as_slice(),
        &b" ".repeat(200_000),
        br#"","data":[]}"#,
    ]
    .concat();
    let mut inputs: Vec<Vec<u8>> = pages.inputs.iter().map(|page| gzipped(page)).collect();
    inputs.push(gzipped(&bomb));
    inputs.push(
        [
            gzipped(&pages.inputs[0][..50]),
            gzipped(b""),
            gzipped(&pages.inputs[0][50..]),
        ]
        .concat(),
    );
    let corpus = Corpus {
        inputs,
        words: GZIP_WORDS,
        structure: b"\x1f\x8b",
    };
    run("-p cxone fuzz::a_mangled_gzip", 8_000, |rng| {
        let bytes = corpus.mutated(rng);
        let outcome = reader.json(reader.body(vec![bytes.clone()], true), false);
        let taken = reader.json(reader.body(cut(&bytes, rng), true), false);
        let same = matches!(taken, Outcome::Taken(..)) == matches!(outcome, Outcome::Taken(..));
        assert!(same, "cut: {}", shown(&bytes));
        let unpacked = expected::unpacked(&bytes).unwrap_or_default();
        // What is too large for its size is refused, and the model leaves it alone.
        if unpacked.len() <= RATIO_AFTER || matches!(outcome, Outcome::Taken(..)) {
            assert!(
                unpacked.len() <= RATIO_AFTER.max(200 * bytes.len()),
                "a bomb"
            );
            let expected = expected::page(&unpacked, MAX_ROW);
            let expected = expected.as_ref().map(expected::Page::said);
            assert_eq!(said(&outcome), expected, "{}", shown(&bytes));
        }
    });
}

#[test]
fn a_connection_that_breaks_off_makes_no_page() {
    let (reader, corpus) = (Reader::new(), pages());
    run("-p cxone fuzz::a_connection", 2_000, |rng| {
        let gzip = rng.one_in(2);
        let bytes = corpus.mutated(rng);
        let bytes = if gzip { gzipped(&bytes) } else { bytes };
        let mut pieces: Vec<_> = cut(&bytes, rng).into_iter().map(Some).collect();
        pieces.insert(rng.below(pieces.len() + 1), None);
        let body = Body::of_pieces(pieces, gzip, 4 << 20, reader.limits);
        let outcome = reader.json(body, rng.one_in(2));
        assert!(
            matches!(outcome, Outcome::Refused(_)),
            "{outcome:?}: {}",
            shown(&bytes)
        );
    });
}

/// Files as an API might send them.
fn files() -> Corpus {
    let many: Vec<_> = (0..60)
        .map(|n| format!("a-{n:06},\"Zoë \"\"Zed\"\"\",{n}.50\r\n"))
        .collect();
    let many = many.concat();
    let inputs = [
        "agentId,handleTime\r\na-1,1234\r\na-2,\r\n".to_owned(),
        "\u{feff}handleTime,agentId,\"note, if any\"\n-0.0e+1,\"a\nb\",\"\"\"\"\n12x,é,\n"
            .to_owned(),
        format!("agentId,agentName,handleTime\r\n{many}"),
        "agentId,handleTime\na-1,1\nagentId,handleTime\na-2,2".to_owned(),
        "agentId,handleTime".to_owned(),
        format!("agentId,handleTime,{}\n,,\n", "x".repeat(256)),
        format!("agentId,handleTime\n{},1\n", "é".repeat(MAX_ROW / 2 - 30)),
        "\u{feff}\u{feff}agentId,handleTime\na-1,1\n".to_owned(),
    ];
    Corpus {
        inputs: inputs.into_iter().map(String::into_bytes).collect(),
        words: CSV_WORDS,
        structure: b",\"\r\n",
    }
}

#[test]
fn a_mangled_file_is_taken_exactly_if_the_model_takes_it() {
    let (reader, corpus) = (Reader::new(), files());
    let mut taken = 0;
    run("-p cxone fuzz::a_mangled_file", 6_000, |rng| {
        let bytes = corpus.mutated(rng);
        let outcome = reader.csv(reader.body(vec![bytes.clone()], false));
        let gzip = rng.one_in(4);
        let packed = if gzip { gzipped(&bytes) } else { bytes.clone() };
        let pieces = reader.body(cut(&packed, rng), gzip);
        assert_eq!(outcome, reader.csv(pieces), "cut: {}", shown(&bytes));
        match (outcome, expected::file(&bytes, MAX_ROW, &reader.definition)) {
            (Outcome::Taken(rows, _), Ok(expected)) => {
                taken += 1;
                assert_eq!(expected::cells(&rows), expected, "{}", shown(&bytes));
            }
            (Outcome::Refused(_), Err(_)) => {}
            (outcome, expected) => panic!("{outcome:?}, expected {expected:?}: {}", shown(&bytes)),
        }
    });
    println!("taken: {taken}");
}

#[test]
fn a_published_file_is_the_same_plain_packed_and_cut_anywhere_and_none_of_its_records_is_lost() {
    let (reader, mut corpus) = (Reader::new(), files());
    let totals = [
        "\u{feff}Agent,Name,Name,\r\r\nTotal,1,2,3\r\r\na,b,c,d\r\r\nGrand Total:,1\r\r\n",
        "a,b\n,total\n , Totals \nTotal,1\nTOTAL,2\nsummary,3\n\n",
    ];
    let totals = totals.into_iter().map(|text| text.as_bytes().to_vec());
    corpus.inputs.extend(totals);
    let mut summed = 0;
    run("-p cxone fuzz::a_published_file", 4_000, |rng| {
        let bytes = corpus.mutated(rng);
        let outcome = reader.published(reader.body(vec![bytes.clone()], false), false);
        let pieces = reader.body(cut(&bytes, rng), false);
        assert_eq!(
            outcome,
            reader.published(pieces, false),
            "cut: {}",
            shown(&bytes)
        );
        let packed = STANDARD.encode(&bytes).replace('/', "\\/");
        let packed = format!("{{\"files\":{{\"file\":\"{packed}\"}}}}").into_bytes();
        let packed = reader.body(cut(&packed, rng), false);
        assert_eq!(
            outcome,
            reader.published(packed, true),
            "packed: {}",
            shown(&bytes)
        );
        if let Outcome::Taken(rows, end) = outcome {
            summed += end.summary_rows;
            assert_eq!(expected::cells(&rows).len() as u64, end.rows);
            let records = expected::count(&bytes);
            assert_eq!(
                Some(end.rows + end.summary_rows),
                records,
                "{}",
                shown(&bytes)
            );
        }
    });
    println!("left out: {summed}");
}

fn shown(bytes: &[u8]) -> String {
    let start = &bytes[..bytes.len().min(2048)];
    format!("{} bytes: b\"{}\"", bytes.len(), start.escape_ascii())
}

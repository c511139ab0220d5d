//! Mangled bytes, read by the client over loopback, against models of what they mean: whatever is taken must be right, and
//! what is right must be taken.
//!
//! `PROPTEST_CASES=25600 cargo test -p cxone --test mangled` runs a hundred times as many cases as the test command does.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't be set up should panic"
)]

#[path = "../../../definition/tests/mangled/mangle.rs"]
mod mangle;
mod models;
mod server;

use std::cell::Cell;
use std::io::Write;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use definition::PageToken;
use flate2::Compression;
use flate2::write::GzEncoder;
use mangle::{check, mangled, shown};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use server::{Answer, MAX_ROW, Outcome, RATIO_AFTER, Reader};

const JSON_STRUCTURE: &[u8] = b"{}[],:\"\\\n";
const CSV_STRUCTURE: &[u8] = b",\"\r\n";

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

/// The sizes of the pieces that a connection delivers, one after the other and then again.
fn cuts() -> impl Strategy<Value = Vec<usize>> {
    let most = select(&[1, 3, 9, 40, 400, usize::MAX][..]);
    most.prop_flat_map(|most| vec(1..=most, 1..8))
}

fn cut(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    // Hundreds of pieces are as good as thousands, and faster.
    let least = 1 + bytes.len() / 512;
    let (mut pieces, mut rest, mut cuts) = (Vec::new(), bytes, cuts.iter().cycle());
    while !rest.is_empty() {
        let size = cuts.next().copied().unwrap_or(1).max(least);
        let (piece, after) = rest.split_at(rest.len().min(size));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}

/// All in one piece.
fn whole(bytes: &[u8]) -> Vec<Vec<u8>> {
    cut(bytes, &[usize::MAX])
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// What the model says too.
fn said(outcome: &Outcome) -> Option<models::Said<'_>> {
    match outcome {
        Outcome::Taken(rows, end) => Some((
            rows,
            end.next.as_ref().map(PageToken::as_str),
            end.total,
            end.unknown_fields.len(),
        )),
        Outcome::Refused(_) => None,
    }
}

fn mangled_pages() -> impl Strategy<Value = Vec<u8>> {
    mangled(sample_pages(), JSON_WORDS, JSON_STRUCTURE)
}

/// Pages as an API might send them: dense and pretty, small and large, its fields in any order.
fn sample_pages() -> Vec<Vec<u8>> {
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
    inputs.into_iter().map(String::into_bytes).collect()
}

#[test]
fn a_mangled_page_is_taken_exactly_if_the_model_takes_it() {
    let (reader, taken) = (Reader::new(), Cell::new(0));
    check(20, &(mangled_pages(), cuts()), |(bytes, cuts)| {
        let outcome = reader.read_page(Answer::json(whole(&bytes)));
        let in_pieces = reader.read_page(Answer::json(cut(&bytes, &cuts)));
        prop_assert_eq!(&outcome, &in_pieces, "cut: {}", shown(&bytes));
        let expected = models::read_page(&bytes, MAX_ROW);
        let expected = expected.as_ref().map(models::Page::said);
        prop_assert_eq!(said(&outcome), expected, "{}", shown(&bytes));
        taken.set(taken.get() + u32::from(expected.is_some()));
        Ok(())
    });
    println!("taken: {}", taken.get());
}

#[test]
fn a_gzipped_page_is_what_it_is_unpacked_however_many_members_it_has() {
    let reader = Reader::new();
    let cases = (mangled_pages(), cuts(), cuts());
    check(3, &cases, |(bytes, members, cuts)| {
        let plain = reader.read_page(Answer::json(whole(&bytes)));
        let members: Vec<u8> = cut(&bytes, &members)
            .chunks(16)
            .flat_map(|part| gzipped(&part.concat()))
            .collect();
        let answer = Answer::json(cut(&members, &cuts)).with_gzip(true);
        let gzip = reader.read_page(answer);
        // Nothing at all has no member, and is not gzip.
        if !bytes.is_empty() && bytes.len() <= RATIO_AFTER {
            prop_assert_eq!(gzip, plain, "{}", shown(&bytes));
        }
        Ok(())
    });
}

/// Pages as gzip, in one member or several, and one that unpacks to many times its size.
fn sample_gzips() -> Vec<Vec<u8>> {
    let pages = sample_pages();
    let bomb = [
        br#"{"state":"completed","x":""#.as_slice(),
        &b" ".repeat(200_000),
        br#"","data":[]}"#,
    ]
    .concat();
    let several = [
        gzipped(&pages[0][..50]),
        gzipped(b""),
        gzipped(&pages[0][50..]),
    ]
    .concat();
    let mut gzips: Vec<Vec<u8>> = pages.iter().map(|page| gzipped(page)).collect();
    gzips.extend([gzipped(&bomb), several]);
    gzips
}

#[test]
fn a_mangled_gzip_is_taken_only_if_all_of_it_unpacks_and_with_the_same_rows() {
    let reader = Reader::new();
    let gzips = mangled(sample_gzips(), GZIP_WORDS, b"\x1f\x8b");
    check(16, &(gzips, cuts()), |(bytes, cuts)| {
        let outcome = reader.read_page(Answer::json(whole(&bytes)).with_gzip(true));
        let in_pieces = reader.read_page(Answer::json(cut(&bytes, &cuts)).with_gzip(true));
        let is_taken = matches!(outcome, Outcome::Taken(..));
        let same = matches!(in_pieces, Outcome::Taken(..)) == is_taken;
        prop_assert!(same, "cut: {}", shown(&bytes));
        let unpacked = models::gunzip(&bytes).unwrap_or_default();
        // A page that is too large for its size is refused, and the model leaves it alone.
        if unpacked.len() <= RATIO_AFTER || is_taken {
            let largest = RATIO_AFTER.max(200 * bytes.len());
            prop_assert!(unpacked.len() <= largest, "a bomb");
            let expected = models::read_page(&unpacked, MAX_ROW);
            let expected = expected.as_ref().map(models::Page::said);
            prop_assert_eq!(said(&outcome), expected, "{}", shown(&bytes));
        }
        Ok(())
    });
}

#[test]
fn a_connection_that_breaks_off_makes_no_page() {
    let reader = Reader::new();
    let cases = (mangled_pages(), cuts(), any::<Index>(), any::<bool>());
    check(3, &cases, |(bytes, cuts, end, gzip)| {
        let packed = if gzip { gzipped(&bytes) } else { bytes.clone() };
        let mut pieces = cut(&packed, &cuts);
        pieces.truncate(end.index(pieces.len() + 1));
        let answer = Answer {
            breaks_off: true,
            ..Answer::json(pieces).with_gzip(gzip)
        };
        let outcome = reader.read_page(answer);
        let is_refused = matches!(outcome, Outcome::Refused(_));
        prop_assert!(is_refused, "{:?}: {}", outcome, shown(&bytes));
        Ok(())
    });
}

/// Files as an API might send them.
fn sample_files() -> Vec<Vec<u8>> {
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
    inputs.into_iter().map(String::into_bytes).collect()
}

#[test]
fn a_mangled_file_is_taken_exactly_if_the_model_takes_it() {
    let (reader, taken) = (Reader::new(), Cell::new(0));
    let files = mangled(sample_files(), CSV_WORDS, CSV_STRUCTURE);
    let is_gzip = prop::bool::weighted(0.25);
    check(16, &(files, cuts(), is_gzip), |(bytes, cuts, gzip)| {
        let outcome = reader.read_file(Answer::csv(whole(&bytes)));
        let packed = if gzip { gzipped(&bytes) } else { bytes.clone() };
        let answer = Answer::csv(cut(&packed, &cuts)).with_gzip(gzip);
        let in_pieces = reader.read_file(answer);
        prop_assert_eq!(&outcome, &in_pieces, "cut: {}", shown(&bytes));
        match (
            outcome,
            models::read_file(&bytes, MAX_ROW, &reader.definition),
        ) {
            (Outcome::Taken(rows, _), Ok(expected)) => {
                taken.set(taken.get() + 1);
                prop_assert_eq!(models::read_cells(&rows), expected, "{}", shown(&bytes));
            }
            (Outcome::Refused(_), Err(_)) => {}
            (outcome, expected) => prop_assert!(
                false,
                "{:?}, expected {:?}: {}",
                outcome,
                expected,
                shown(&bytes)
            ),
        }
        Ok(())
    });
    println!("taken: {}", taken.get());
}

#[test]
fn a_published_file_is_the_same_plain_packed_and_cut_anywhere_and_none_of_its_records_is_lost() {
    let (reader, left_out) = (Reader::new(), Cell::new(0));
    let totals = [
        "\u{feff}Agent,Name,Name,\r\r\nTotal,1,2,3\r\r\na,b,c,d\r\r\nGrand Total:,1\r\r\n",
        "a,b\n,total\n , Totals \nTotal,1\nTOTAL,2\nsummary,3\n\n",
    ];
    let mut samples = sample_files();
    samples.extend(totals.map(|text| text.as_bytes().to_vec()));
    let files = mangled(samples, CSV_WORDS, CSV_STRUCTURE);
    check(12, &(files, cuts()), |(bytes, cuts)| {
        let outcome = reader.read_published_file(Answer::csv(whole(&bytes)));
        let in_pieces = reader.read_published_file(Answer::csv(cut(&bytes, &cuts)));
        prop_assert_eq!(&outcome, &in_pieces, "cut: {}", shown(&bytes));
        let packed = STANDARD.encode(&bytes).replace('/', "\\/");
        let packed = format!("{{\"files\":{{\"file\":\"{packed}\"}}}}").into_bytes();
        let packed = reader.read_published_file(Answer::json(cut(&packed, &cuts)));
        prop_assert_eq!(&outcome, &packed, "packed: {}", shown(&bytes));
        if let Outcome::Taken(rows, end) = outcome {
            left_out.set(left_out.get() + end.summary_rows);
            prop_assert_eq!(models::read_cells(&rows).len() as u64, end.rows);
            let records = models::count_records(&bytes);
            let counted = Some(end.rows + end.summary_rows);
            prop_assert_eq!(counted, records, "{}", shown(&bytes));
        }
        Ok(())
    });
    println!("left out: {}", left_out.get());
}

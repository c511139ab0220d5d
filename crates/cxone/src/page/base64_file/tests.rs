//! Files within JSON, cut anywhere, against `serde_json` and the same engine on all of it at once.

use ::base64::Engine as _;
use ::base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::{AroundFile, Base64File};
use crate::error::Error;
use crate::http::Body;

/// What comes of an answer in these pieces: the file, or what is said instead of one.
fn unpacked(pieces: Vec<Vec<u8>>) -> Result<(Vec<u8>, Option<AroundFile>), Error> {
    let body = Body::from_pieces(pieces, 1 << 20);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut page = Base64File::new("test", body);
        let beside = page.read_to_file().await?;
        let (mut file, mut buffer) = (Vec::new(), [0; 7]);
        loop {
            match page.read_bytes(&mut buffer).await? {
                0 => return Ok((file, beside)),
                read => file.extend_from_slice(&buffer[..read]),
            }
        }
    })
}

fn whole(answer: &str) -> Result<(Vec<u8>, Option<AroundFile>), Error> {
    unpacked(vec![answer.as_bytes().to_vec()])
}

fn cut(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let (mut pieces, mut rest, mut cuts) = (Vec::new(), bytes, cuts.iter().cycle());
    while !rest.is_empty() {
        let at = cuts.next().copied().unwrap_or(1).min(rest.len());
        pieces.push(rest[..at].to_vec());
        rest = &rest[at..];
    }
    pieces
}

/// Base64 as it may be spelled in JSON.
fn spelled(file: &[u8], how: u8) -> String {
    let text = STANDARD.encode(file);
    match how % 5 {
        0 => text,
        1 => text.replace('/', "\\/"),
        2 => text.replace('+', "\\u002b").replace('=', "\\u003D"),
        3 => text.replace('+', "-").replace('/', "_"),
        _ => {
            let lines: Vec<String> = text
                .as_bytes()
                .chunks(5)
                .map(|line| String::from_utf8_lossy(line).into_owned())
                .collect();
            lines.join("\\r\\n")
        }
    }
}

/// The answers of report jobs and of data download, the file anywhere in them.
fn answer(file: &str, shape: u8) -> String {
    match shape % 5 {
        0 => format!(r#"{{"files":{{"fileName":"a \"file\": \\","file":"{file}"}}}}"#),
        1 => format!(
            "\u{feff} {{ \"files\" : [ {{ \"file\" :\n\"{file}\" , \"fileName\":\"x\"}}]}} "
        ),
        2 => format!(
            r#"{{"errorMessage":"","fileName":"x","file":"{file}","fileType":"CSV","URI":""}}"#
        ),
        3 => format!(r#"[{{"file":"{file}","a\\":["\"file\":"],"errorMessage":null}}]"#),
        _ => format!(r#"{{"x":{{"file":""}},"file":"{file}"}}"#),
    }
}

proptest! {
    #[test]
    fn a_file_is_what_was_packed_however_it_is_cut(
        file in proptest::collection::vec(any::<u8>(), 0..300),
        how: u8,
        shape: u8,
        cuts in proptest::collection::vec(1..30_usize, 1..8),
    ) {
        // The last shape has a field that is no file's, which the answer of an API has not.
        let shape = shape % 4;
        let text = answer(&spelled(&file, how), shape);
        let (unpacked, _) = unpacked(cut(text.as_bytes(), &cuts)).unwrap();
        prop_assert_eq!(unpacked, file, "{}", text);
    }

    #[test]
    fn a_mangled_answer_gives_the_same_wherever_it_is_cut_and_never_more_than_serde_json_finds(
        file in proptest::collection::vec(any::<u8>(), 0..60),
        how: u8,
        shape: u8,
        hits in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..4),
        cuts in proptest::collection::vec(1..30_usize, 1..8),
    ) {
        let mut bytes = answer(&spelled(&file, how), shape % 4).into_bytes();
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let at_once = unpacked(vec![bytes.clone()]);
        let in_pieces = unpacked(cut(&bytes, &cuts));
        prop_assert_eq!(at_once.as_ref().ok(), in_pieces.as_ref().ok());
        if let Ok((taken, _)) = at_once && !taken.is_empty() {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let json: serde_json::Value =
                serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
            let json = json.get(0).unwrap_or(&json);
            let files = json.get("files").unwrap_or(json);
            let encoded = files.get(0).unwrap_or(files)["file"].as_str().unwrap_or_default();
            let encoded = encoded.replace(['\r', '\n', '\t', ' '], "").replace('-', "+").replace('_', "/");
            prop_assert_eq!(STANDARD.decode(encoded).ok(), Some(taken));
        }
    }

    #[test]
    fn an_answer_that_was_cut_off_is_never_whole(
        file in proptest::collection::vec(any::<u8>(), 0..60),
        shape: u8,
        at in any::<proptest::sample::Index>(),
    ) {
        let text = answer(&spelled(&file, 0), shape % 4);
        let bytes = text.trim_end().as_bytes();
        prop_assert!(unpacked(vec![bytes[..at.index(bytes.len())].to_vec()]).is_err());
    }
}

#[test]
fn what_is_not_base64_to_its_end_is_refused() {
    for (file, what) in [
        ("QUJ", "the base64 ends in the middle"),
        ("QUI", "the base64 ends in the middle"),
        ("QUI=QUJD", "the file is not base64"),
        ("QQ==\\r\\nQQ==", "something follows the end of the base64"),
        ("Q===", "the file is not base64"),
        ("QUJ*", "the file is not base64"),
        ("QU\\u00e9D", "the file is not base64"),
        ("QUJD\\b", "the base64 ends in the middle"),
        // Bits that no character needs.
        ("QR==", "the file is not base64"),
    ] {
        let error = whole(&answer(file, 0)).unwrap_err().to_string();
        assert!(error.ends_with(what), "{file}: {error}");
    }
}

#[test]
fn what_stands_beside_the_file_is_said_where_there_is_none() {
    let beside = |text: &str| whole(text).unwrap().1.unwrap();
    let uri = beside(r#"{"errorMessage":"","file":"","URI":" https://x/y "}"#);
    assert_eq!(uri.uri.as_deref(), Some("https://x/y"));
    assert!(uri.has_file && uri.error_message.is_empty());
    let null = beside(r#"{"files":{"fileName":"x","file":null}}"#);
    assert_eq!(null, AroundFile::default());
}

#[test]
fn a_failure_that_is_said_behind_the_file_is_a_failure() {
    let late = whole(r#"{"file":"QUJD","errorMessage":"it\nbroke"}"#);
    assert_eq!(
        late.unwrap_err().to_string(),
        "test: the run failed: it broke"
    );
}

#[test]
fn a_file_in_another_place_or_two_of_them_are_refused() {
    for (text, what) in [
        (answer("QUJD", 4), "more than one file"),
        (
            r#"{"meta":{"file":"QUJD"}}"#.to_owned(),
            "not where it should be",
        ),
        (
            r#"{"file":"QUJD","files":{"file":"QUJD"}}"#.to_owned(),
            "more than one file",
        ),
        (
            format!(r#"{{"x":"{}"}}"#, "x".repeat(70_000)),
            "beside the file",
        ),
        (r#"{"file":"QUJD"} x"#.to_owned(), "not JSON"),
        (String::new(), "the answer is empty"),
    ] {
        let error = whole(&text).unwrap_err().to_string();
        assert!(error.contains(what), "{text}: {error}");
    }
}

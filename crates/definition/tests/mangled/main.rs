//! Definitions, ids and windows of mangled texts: whatever is taken comes back the same.
//!
//! `PROPTEST_CASES=25600 cargo test -p definition --test mangled` runs a hundred times as many cases as the test command.

mod mangle;

use std::cell::Cell;

use definition::{
    Definition, PageToken, ReportName, RunId, ScheduleId, Severity, TenantId, Window,
};
use mangle::{check, mangled, shown};

const WORDS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"null",
    b"0",
    b"-1",
    b"11",
    b"1e400",
    b"\"\"",
    b"\\u0000",
    b"\\ud83e",
    b"\"pipeline\":{\"tenant\":\"acme\"},",
    b"\"maxRuns\":3,",
    b"\"key\":[\"agentId\"],",
    b"\"fallback\":{\"drop\":[\"talkTime\"]},",
    b"\"narrow\":{\"smallestWindow\":\"PT1H\"},",
    b"\"settledAt\":\"05:00\",",
    b"\"tenant\":\"acme\",",
    b"\"name\":\"n\",",
    b"\"format\":\"csv\",",
    b"\"timezone\":\"UTC\",",
    b"\"absolute\"",
    b"\"P9999999999D\"",
    b"\"PT0S\"",
    b"\"24:00\"",
    b"\"weekly\"",
    b"\"start\":\"2026-11-21T00:00:00Z\",",
    b"\"end\":\"9999-12-31T23:59:59Z\",",
    b"\"avgHandelTime\",",
    b"../",
    b"\xef\xbb\xbf",
    b"\xc3",
    b"\xff",
    b"\"api\":\"report-jobs\",",
    b"\"api\":\"contacts\",",
    b"\"apiVersion\":34,",
    b"\"range\":\"template\",",
    b"\"columns\":[\"Contact ID\"],",
    b"\"split\":{\"largestWindow\":\"P1D\"},",
    b"\"+14:00\"",
    b"\"$schema\":\"x\",",
    b"\"restate\":[\"P1D\",\"P7D\"],",
    b"\"settledAfter\":\"PT45M\",",
    b"\"windowZone\":\"America/New_York\",",
    b"\"windowZone\":\"utc\",",
    b"\"declare\":{\"metrics\":{\"a~/b\":{\"type\":\"long\"}}},",
    b"\"totalLabels\":[],",
    b"\"emptyMessages\":[\"No data\"],",
    b"\"columnNames\":\"snake\",",
    b"\"schema\":\"strict\",",
    b"~1",
    b"/",
    b"`, expected `",
    b"unknown field `",
    b"duplicate field `name`",
    b"\"`\":1,",
    b"\"\":{},",
];

fn sample_definitions() -> Vec<Vec<u8>> {
    let full = include_str!("../fixtures/weekly.json");
    let absolute = r#"{"name":"Once","schedule":{"type":"once","time":"06:00","timezone":"UTC"},
        "report":{"type":"queue","metrics":[],"dimensions":["queueId"],"dateRange":{"type":"absolute",
        "start":"2026-11-21T00:00:00Z","end":"2026-11-22T00:00:00Z"}},"delivery":{"type":"api"},
        "pipeline":{"tenant":"acme"}}"#;
    let guide = include_str!("../fixtures/guide.json").replace("02:00", "06:00");
    let guide = guide.replacen('{', r#"{"pipeline":{"tenant":"acme"},"#, 1);
    let jobs = include_str!("../fixtures/jobs.json");
    let extraction = include_str!("../fixtures/extraction.json");
    let download = include_str!("../fixtures/download.json");
    let contacts = include_str!("../fixtures/contacts.json");
    let hourly = r#"{"name":"Hourly","schedule":{"type":"hourly","everyHours":4,"time":"00:50","timezone":"UTC"},
        "report":{"apiVersion":34,"dateRange":{"type":"relative","value":"previousHours"}},"delivery":{"type":"api"},
        "pipeline":{"tenant":"acme","api":"contacts","restate":["PT4H","P1D"],"settledAfter":"PT45M","schema":"strict"}}"#;
    let local = r#"{"name":"Local","schedule":{"type":"daily","time":"10:00","timezone":"UTC"},
        "report":{"apiVersion":34,"dateRange":{"type":"relative","value":"previousDay"}},"delivery":{"type":"api"},
        "pipeline":{"tenant":"acme","api":"contacts","windowZone":"America/New_York","settledAfter":"PT2H",
        "columnNames":"snake","declare":{"dimensions":{"x":{"type":"string"}}},"emptyMessages":["No data"]}}"#;
    [
        full, absolute, &guide, jobs, extraction, download, contacts, hourly, local,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

#[test]
fn a_definition_that_is_taken_comes_back_the_same_and_one_that_is_not_says_why() {
    let definitions = mangled(sample_definitions(), WORDS, b"{}[],:\"");
    let taken = Cell::new(0);
    check(16, &definitions, |bytes| {
        match Definition::parse(&bytes) {
            Ok(checked) => {
                taken.set(taken.get() + 1);
                assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
                let read: Definition = serde_json::from_slice(&bytes).unwrap();
                assert_eq!(read, checked.definition, "{}", shown(&bytes));
                let text = serde_json::to_vec(&checked.definition).unwrap();
                let again = Definition::parse(text).map(|again| again.definition);
                assert_eq!(again.ok(), Some(checked.definition), "{}", shown(&bytes));
                assert!(
                    checked
                        .warnings
                        .iter()
                        .all(|finding| finding.severity == Severity::Warning)
                );
            }
            Err(findings) => {
                let errors = findings
                    .0
                    .iter()
                    .filter(|finding| finding.severity == Severity::Error);
                assert!(errors.count() > 0, "{}", shown(&bytes));
                for finding in &findings.0 {
                    let line = finding.to_string();
                    assert!(
                        !line.contains(char::is_control),
                        "{line:?}: {}",
                        shown(&bytes)
                    );
                }
            }
        }
        Ok(())
    });
    println!("taken: {}", taken.get());
}

#[test]
fn a_window_that_is_taken_has_one_key_and_one_text() {
    let windows = mangled(
        vec![
            b"20261121T000000Z-20261122T000000Z".to_vec(),
            br#"{"start":"2026-11-21T00:00:00Z","end":"2026-11-22T00:00:00Z"}"#.to_vec(),
            br#"{"end":"2024-03-01T00:00:00Z","start":"2024-02-29T23:59:59Z"}"#.to_vec(),
        ],
        &[
            b"2000", b"9999", b"0000", b"-", b"Z", b"+00:00", b"60", b"24", b"T", b"t", b".0",
            b"0229", b"0230", b"null", b"-0001", b" ", b"\0",
        ],
        b"\"-TZ:,{}",
    );
    check(16, &windows, |bytes| {
        if let Ok(window) = String::from_utf8_lossy(&bytes).parse::<Window>() {
            assert_eq!(window.key().as_bytes(), bytes);
        }
        if let Ok(window) = serde_json::from_slice::<Window>(&bytes) {
            let text = serde_json::to_string(&window).unwrap();
            assert_eq!(serde_json::from_str::<Window>(&text).unwrap(), window);
            assert_eq!(window.key().parse(), Ok(window), "{}", shown(&bytes));
            for time in [window.start(), window.end()] {
                assert!(
                    bytes
                        .windows(20)
                        .any(|part| part == time.to_string().as_bytes())
                );
            }
        }
        Ok(())
    });
}

#[test]
fn an_id_that_is_taken_is_harmless_in_a_path_and_comes_back_the_same() {
    let ids = mangled(
        [
            b"run-3f9c61".as_slice(),
            b"acme-eu-1",
            "Täglich: Agenten, EU".as_bytes(),
            b"0.x_y:z-",
        ]
        .map(<[u8]>::to_vec)
        .to_vec(),
        &[
            b"..",
            b"/",
            b"\\",
            b"%2F",
            b"\r\n",
            b"\0",
            b" ",
            b"?",
            b"#",
            b"\xc2\xa0",
            b"\xe2\x80\xae",
            b"\x7f",
            b"-",
            b"A",
            b"~",
        ],
        b"-.:",
    );
    check(16, &ids, |bytes| {
        let text = String::from_utf8_lossy(&bytes);
        let json = serde_json::to_string(&text).unwrap();
        let path = |id: &str| {
            id.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(&b))
                && !id.starts_with('.')
        };
        if let Ok(id) = RunId::new(text.as_ref()) {
            assert!(
                path(id.as_str()) && ScheduleId::new(text.as_ref()).is_ok(),
                "{text:?}"
            );
            assert_eq!(serde_json::from_str::<RunId>(&json).unwrap(), id);
        }
        if let Ok(id) = TenantId::new(text.as_ref()) {
            assert!(
                path(id.as_str()) && id.as_str() == id.as_str().to_lowercase(),
                "{text:?}"
            );
            assert_eq!(serde_json::from_str::<TenantId>(&json).unwrap(), id);
        }
        if let Ok(name) = ReportName::new(text.as_ref()) {
            assert!(
                !name.as_str().contains(char::is_control) && name.as_str().len() <= 400,
                "{text:?}"
            );
            assert_eq!(serde_json::from_str::<ReportName>(&json).unwrap(), name);
        }
        if let Ok(token) = PageToken::new(text.as_ref()) {
            assert_eq!(serde_json::to_string(&token).unwrap(), json);
        }
        Ok(())
    });
}

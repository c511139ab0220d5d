//! What is generated in the documents is what the sources say. To bring the documents up to date:
//!
//! ```sh
//! UPDATE_DOCS=1 cargo test -p pipeline-tests --test documents
//! ```
#![expect(clippy::unwrap_used, reason = "what can't be read is a failed test")]

mod cost;
mod state_machine;

use std::fs;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Held by the test that reads a document and perhaps writes it again.
static DOCUMENTS: Mutex<()> = Mutex::new(());

/// Compares the part of a document between two comments with what was generated, or writes it there.
///
/// The comments are `<!-- begin MARK: … -->` and `<!-- end MARK -->`, each on a line of its own.
#[expect(
    clippy::disallowed_methods,
    reason = "a switch for whoever runs the test by hand"
)]
fn hold(document: &str, mark: &str, generated: &str) {
    let _one = DOCUMENTS.lock().unwrap_or_else(PoisonError::into_inner);
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(document);
    let text = fs::read_to_string(&path).unwrap();
    let (before, held, after) = split(&text, mark)
        .unwrap_or_else(|| panic!("{document} has no pair of comments for {mark}"));
    if std::env::var("UPDATE_DOCS").is_ok() {
        fs::write(&path, [before, generated, after].concat()).unwrap();
    } else {
        assert_eq!(
            held, generated,
            "{document} is out of date; UPDATE_DOCS=1 cargo test -p pipeline-tests --test documents rewrites it"
        );
    }
}

/// What stands before the generated part, the part itself, and what follows; the comments belong to the outer two.
fn split<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let begin = text.find(&format!("\n<!-- begin {mark}: "))?;
    let begin = begin + 1 + text[begin + 1..].find('\n')? + 1;
    let end = begin + text[begin..].find(&format!("<!-- end {mark} -->\n"))?;
    Some((&text[..begin], &text[begin..end], &text[end..]))
}

#[test]
fn the_readme_shows_the_state_machine() {
    let definition =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/report-pipeline.asl.json");
    let definition = serde_json::from_slice(&fs::read(definition).unwrap()).unwrap();
    let picture = state_machine::draw(&definition).unwrap();
    hold(
        "README.md",
        "state machine",
        &format!("```mermaid\n{picture}```\n"),
    );
}

#[test]
fn only_what_stands_between_the_comments_is_generated() {
    let text = "a\n<!-- begin x: said here -->\nb\n<!-- end x -->\nc\n";
    let (before, held, after) = split(text, "x").unwrap();
    assert_eq!(before, "a\n<!-- begin x: said here -->\n");
    assert_eq!((held, after), ("b\n", "<!-- end x -->\nc\n"));
    assert_eq!(split(text, "y"), None);
}

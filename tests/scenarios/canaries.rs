//! What must not be seen anywhere but where it belongs.

use local::world::{STATE_MACHINE_ARN, TOKEN_SECRET};
use memchr::memmem;

use crate::writings::writings;
use pipeline_tests::harness::Pipeline;
use pipeline_tests::harness::history;

/// Texts that belong to secrets and rows.
pub(crate) struct Canaries(Vec<String>);

impl Canaries {
    /// The client's secret, the access tokens, the page tokens, and values of rows.
    pub(crate) fn of(pipeline: &Pipeline) -> Self {
        let mut texts = vec!["sim-secret".to_owned()];
        if let Some(stored) = pipeline.world.services().secrets.current(TOKEN_SECRET) {
            assert!(stored.contains("sim-"), "tokens are written in another way");
        }
        texts.extend((1..10).map(|number| format!("sim-{number}-")));
        let tokens = pipeline.slots().into_iter().filter_map(|slot| slot.next);
        texts.extend(tokens.map(|token| token.as_str().to_owned()));
        // How every page token of the tenant begins: `{"page":` in base64.
        texts.push("eyJwYWdlIj".to_owned());
        for run in pipeline.tenant().runs() {
            let rows = pipeline.tenant().truth(&run.id).unwrap().take(40);
            texts.extend(rows.flat_map(|row| values(&row)));
        }
        texts.sort();
        texts.dedup();
        Self(texts)
    }

    /// One more.
    pub(crate) fn and(mut self, text: &str) -> Self {
        self.0.push(text.to_owned());
        self
    }

    /// None of them is in a history, an alert or a log, however it is written.
    pub(crate) fn check(&self, pipeline: &Pipeline) {
        let seen = seen(pipeline);
        for text in &self.0 {
            for written in writings(text) {
                for (place, content) in &seen {
                    let found = memmem::find(content.as_bytes(), written.as_bytes());
                    let around = found.map(|at| {
                        &content[content.floor_char_boundary(at.saturating_sub(300))
                            ..content.floor_char_boundary(at + 100)]
                    });
                    assert_eq!(around, None, "{text:?} is in {place}");
                }
            }
        }
    }
}

/// All that people and dashboards get to see.
fn seen(pipeline: &Pipeline) -> Vec<(String, String)> {
    let world = &pipeline.world;
    let mut seen = Vec::new();
    for execution in world.engine().list(STATE_MACHINE_ARN, None) {
        seen.push((
            execution.name.clone(),
            format!("{:?} {:?}", execution.error, execution.cause),
        ));
    }
    for event in history::all(world) {
        seen.push((event.kind().to_owned(), event.to_cli_json().to_string()));
    }
    let alerts = world.alerts().into_iter();
    seen.extend(alerts.map(|alert| ("an alert".to_owned(), format!("{alert:?}"))));
    let lines = world.lambda().logs().lines();
    assert!(!lines.is_empty(), "the handlers wrote nothing");
    assert_eq!(world.lambda().logs().dropped(), 0);
    let text =
        |line: local_aws::lambda::LogLine| (format!("a log line of {}", line.function), line.text);
    seen.extend(lines.into_iter().map(text));
    let metrics = world.lambda().logs().metrics().into_iter();
    seen.extend(metrics.map(|line| (format!("a metric of {}", line.function), line.text)));
    seen
}

/// The texts of a row that are long enough to be told from others.
fn values(row: &[u8]) -> Vec<String> {
    let row: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(row).unwrap();
    let texts = row.values().filter_map(serde_json::Value::as_str);
    let long = texts.filter(|text| text.len() >= 8);
    long.map(str::to_owned).collect()
}

#[test]
fn a_text_is_found_however_it_is_written() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD_NO_PAD;
    let text = "sécret \"42\"/+";
    let inner = serde_json::to_string(text).unwrap();
    let outer = serde_json::to_string(&inner).unwrap();
    let encoded = ["", "a", "ab"].map(|before| STANDARD_NO_PAD.encode(format!("{before}{text}#")));
    let percent = "s%C3%A9cret%20%2242%22%2F%2B".to_owned();
    let all = [&[text.to_owned(), inner, outer, percent][..], &encoded[..]].concat();
    for written in all {
        let found = writings(text)
            .iter()
            .any(|writing| written.contains(writing.as_str()));
        assert!(found, "{written}");
    }
}

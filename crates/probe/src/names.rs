//! Which names and words of an answer may be told. A name is the API's; what looks like a value, or like this tenant, is not told.

use cxone::is_known_state;
use definition::Api;
use definition::tenant::{FieldValue, TenantSecret};
use secrecy::ExposeSecret as _;
use serde_json::Value;

/// What stands for a name that is not told.
const NAME: &str = "{name}";
/// What stands for a state's word that is not told.
pub(crate) const WORD: &str = "{word}";
const LONGEST_NAME: usize = 64;
/// Shorter texts of a tenant occur in names by chance.
const SHORTEST_OWN: usize = 4;

/// The words that APIs make states of. Only what is made of these is told, so that a state's word can't be a text of the tenant's.
const STATE_WORDS: &[&str] = &[
    "abandoned",
    "aborted",
    "aborting",
    "accepted",
    "active",
    "and",
    "archived",
    "archiving",
    "available",
    "canceled",
    "cancelled",
    "canceling",
    "cancelling",
    "closed",
    "complete",
    "completed",
    "completing",
    "created",
    "creating",
    "data",
    "deleted",
    "deleting",
    "done",
    "empty",
    "ended",
    "enqueued",
    "error",
    "errored",
    "errors",
    "executing",
    "execution",
    "expired",
    "expiring",
    "exported",
    "exporting",
    "failed",
    "failing",
    "failure",
    "file",
    "finalizing",
    "finished",
    "finishing",
    "generated",
    "generating",
    "halted",
    "hold",
    "idle",
    "in",
    "initialized",
    "initializing",
    "invalid",
    "job",
    "killed",
    "loading",
    "new",
    "no",
    "none",
    "not",
    "ok",
    "on",
    "out",
    "partial",
    "partially",
    "paused",
    "pending",
    "preparing",
    "processed",
    "processing",
    "progress",
    "purged",
    "queue",
    "queued",
    "queueing",
    "ready",
    "received",
    "rejected",
    "report",
    "result",
    "retry",
    "retrying",
    "run",
    "running",
    "saved",
    "saving",
    "scheduled",
    "started",
    "starting",
    "stopped",
    "stopping",
    "submitted",
    "succeeded",
    "success",
    "successful",
    "suspended",
    "terminated",
    "the",
    "time",
    "timed",
    "timeout",
    "to",
    "unavailable",
    "undefined",
    "unknown",
    "unprocessed",
    "validating",
    "waiting",
    "warning",
    "warnings",
    "with",
    "without",
    "working",
];

/// Which names may be told of one tenant's answers.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    /// The tenant's own texts, in lower case.
    own: Vec<String>,
}

impl Names {
    pub(crate) fn new(own: impl IntoIterator<Item = String>) -> Self {
        let own = own.into_iter().map(|text| text.to_lowercase());
        Self {
            own: own.filter(|text| text.len() >= SHORTEST_OWN).collect(),
        }
    }

    /// Everything that a tenant's secret says is the tenant's, and so are the parts of its hosts and paths.
    pub(crate) fn of_tenant(secret: &TenantSecret) -> Self {
        let mut own = Vec::new();
        for field in secret.fields() {
            match &field.value {
                FieldValue::Secret(text) => own.push(text.expose_secret().to_owned()),
                FieldValue::Plain(value) => collect_texts(value, &mut own),
            }
        }
        let parts = |text: &String| -> Vec<String> {
            text.split(|c: char| !c.is_alphanumeric())
                .map(str::to_owned)
                .collect()
        };
        let parts: Vec<String> = own
            .iter()
            .filter(|text| text.contains('.'))
            .flat_map(parts)
            .collect();
        let is_particular = |part: &String| {
            !["https", "http", "auth", "token", "authentication"].contains(&part.as_str())
        };
        Self::new(
            own.into_iter()
                .chain(parts.into_iter().filter(is_particular)),
        )
    }

    /// A field's or a header's name, unless it looks like a value: long, with several digits, with other characters than
    /// names have, or with one of the tenant's own texts in it.
    pub(crate) fn clean<'n>(&self, name: &'n str) -> &'n str {
        let is_plain =
            |c: char| c.is_ascii_alphabetic() || c.is_ascii_digit() || "_-$ ".contains(c);
        let digits = name.chars().filter(char::is_ascii_digit).count();
        let lower = name.to_lowercase();
        let is_own = self.own.iter().any(|own| lower.contains(own.as_str()));
        let is_told = !name.is_empty()
            && name.len() <= LONGEST_NAME
            && name.chars().all(is_plain)
            && digits <= 2
            && !is_own;
        if is_told { name } else { NAME }
    }
}

fn collect_texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(listed) => listed.iter().for_each(|it| collect_texts(it, into)),
        _ => {}
    }
}

/// The word of a state, if it is documented or made of words that states are made of.
pub(crate) fn tell_state(api: Api, word: &str) -> &str {
    if is_known_state(api, word)
        || split_words(word)
            .iter()
            .all(|it| STATE_WORDS.contains(&it.as_str()))
    {
        word
    } else {
        WORD
    }
}

/// `FinishedWithErrors` and `finished_with errors` are three words each.
fn split_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for c in text.chars() {
        let is_end = matches!(c, ' ' | '_' | '-') || (c.is_uppercase() && before.is_lowercase());
        if is_end {
            words.push(String::new());
        }
        if !matches!(c, ' ' | '_' | '-')
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_told_if_it_is_made_of_the_words_of_states() {
        for told in [
            "SUCCEEDED",
            "Finished with warnings",
            "FinishedWithErrors",
            "TIMED_OUT",
            "archiving",
            "In Progress",
        ] {
            assert_eq!(tell_state(Api::DataExtraction, told), told);
        }
        for hidden in [
            "acme",
            "failed for jane",
            "Running4711",
            "finished/acme",
            "done\u{e9}",
        ] {
            assert_eq!(tell_state(Api::ReportJobs, hidden), WORD, "{hidden}");
        }
    }

    #[test]
    fn a_name_with_the_tenants_own_texts_is_not_told() {
        let secret = r#"{"base_url":"https://api-acmecorp.example/x","token_url":"https://token.example/auth/token","client_id":"robots-client","client_secret":"CANARYsecret"}"#;
        let names = Names::of_tenant(&TenantSecret::parse(secret).unwrap());
        for told in [
            "completedContacts",
            "_links",
            "x-request-id",
            "Handle Time",
            "token_type",
            "auth",
        ] {
            assert_eq!(names.clean(told), told);
        }
        for hidden in [
            "acmecorpTotal",
            "CANARYsecret",
            "x-robots-client",
            "4711",
            "jane@x.example",
            "",
            "agent-12345",
            "\u{e9}t\u{e9}",
        ] {
            assert_eq!(names.clean(hidden), NAME, "{hidden}");
        }
    }
}

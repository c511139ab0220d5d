//! What the log says of a generation that needs nothing any more.

use definition::text::list_first;
use definition::{Definition, list_differences};
use serde_json::Value;

use crate::documents::Commit;
use crate::flow::commit_log::{CommitLog, Standing};
use crate::flow::overlap::describe_covering;
use crate::flow::trigger::generation::Generation;
use crate::flow::trigger::question::Question;
use crate::missing::window_options;
use crate::{Failure, Next};

/// At most so many fields are named in which two definitions differ.
const FIELDS_MAX: usize = 10;

impl Generation {
    /// Whether this generation, a newer one, or a window that covers this one is committed already.
    ///
    /// # Errors
    /// `Cxone.Config`, if a window was committed meanwhile that overlaps this one.
    pub(super) async fn settled_by_log(
        &self,
        question: Question<'_>,
    ) -> Result<Option<Next>, Failure> {
        let (window, base) = (&self.record.window, self.record.base_version);
        let keys = &question.request.keys;
        let log = CommitLog::read_since(question.effects, keys, window, base).await?;
        Ok(
            match log.find_standing(self.number, self.record.withdrawn)? {
                Standing::Open => None,
                Standing::Settled(commit) => Some(self.settled_as(commit, question, &log)),
                Standing::Covered(held) => Some(Next::Superseded {
                    version: held.version,
                    note: Some(describe_covering(held, window)),
                }),
            },
        )
    }

    fn settled_as(&self, commit: &Commit, question: Question<'_>, log: &CommitLog) -> Next {
        let version = commit.version;
        let withdrawn = log.last_over_window().filter(|last| last.withdrawn);
        let note = withdrawn.map(|last| {
            format!(
                "version {} withdrew {}; `cxr replay` brings it back",
                last.version, last.window
            )
        });
        if commit.generation != self.number {
            return Next::Superseded { version, note };
        }
        Next::Delivered {
            version,
            rows: commit.unique,
            note: note.or_else(|| self.describe_difference(&question.request.definition)),
            table: None,
        }
    }

    /// Says in which fields the definition that is asked with differs from the one that was delivered with.
    fn describe_difference(&self, asked: &Definition) -> Option<String> {
        let own = &self.record.definition;
        if asked.delivers_as(own) {
            return None;
        }
        let fields = list_differences(&to_value(own), &to_value(asked));
        let (fields, window) = (list_first(&fields, FIELDS_MAX), self.record.window);
        let options = window_options(asked, &window);
        Some(format!(
            "{window} was delivered with another definition, which differs in {fields}; to state it anew with this one: cxr replay FILE {options} --reason \"the definition changed\"",
        ))
    }
}

fn to_value(definition: &Definition) -> Value {
    serde_json::from_slice(&definition.canonical_json()).unwrap_or_default()
}

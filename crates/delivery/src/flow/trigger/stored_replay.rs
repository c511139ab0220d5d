//! A generation that is made of another one's pages: CXone is asked for nothing, and Finalize merges them anew.

use definition::text::list_first;
use definition::{Definition, list_differences};
use serde_json::Value;

use crate::effects::{Effects, TriggerEffect};
use crate::flow::plan::{Plan, has_last_page};
use crate::flow::trigger::generation::Generation;
use crate::flow::trigger::question::Question;
use crate::flow::trigger::request::RequestKind;
use crate::{Failure, FailureName};

/// The fields that say nothing of what CXone is asked for, nor of how its rows and their keys are stored.
const FREE: [&str; 6] = [
    "/pipeline/expectedBy",
    "/pipeline/onConflict",
    "/pipeline/restate",
    "/pipeline/schema",
    "/pipeline/table",
    "/schedule/time",
];

/// At most so many fields are named.
const FIELDS_MAX: usize = 10;

impl Question<'_> {
    /// The newest generation that has all its pages, where the request is to be made of stored ones.
    ///
    /// # Errors
    /// `Cxone.Config`, if there is none, or if its definition asks for something else.
    pub(super) async fn find_source(
        self,
        generations: &[Generation],
    ) -> Result<Option<u32>, Failure> {
        if self.request.kind != RequestKind::StoredReplay {
            return Ok(None);
        }
        for generation in generations.iter().rev() {
            if generation.has_all_pages(self.effects).await? {
                self.check_definition(generation)?;
                return Ok(Some(generation.number));
            }
        }
        let window = self.request.window;
        Err(Failure::new(
            FailureName::Config,
            format!(
                "no generation of {window} has all its pages stored, so that there is nothing to build from; replay the window without `--stored`"
            ),
        ))
    }

    fn check_definition(self, source: &Generation) -> Result<(), Failure> {
        let (stored, asked) = (&source.record.definition, &self.request.definition);
        let mut fields = list_differences(&to_value(stored), &to_value(asked));
        fields.retain(|field| !FREE.contains(&field.as_str()));
        if fields.is_empty() {
            return Ok(());
        }
        Err(Failure::new(
            FailureName::Config,
            format!(
                "the pages of {} that are stored, of generation {}, were fetched with another definition, which differs in {}: only {} may differ. Replay the window without `--stored`",
                self.request.window,
                source.number,
                list_first(&fields, FIELDS_MAX),
                FREE.join(", ")
            ),
        ))
    }
}

impl Generation {
    /// Whether it has fetched all its pages itself.
    async fn has_all_pages(&self, effects: &Effects<TriggerEffect>) -> Result<bool, Failure> {
        if self.record.withdrawn || self.record.stored_from.is_some() {
            return Ok(false);
        }
        let plan = Plan::read_claims(effects, &self.keys, &self.record).await?;
        for segment in &plan.segments {
            let keys = self.keys.run(&segment.segment, segment.current_run());
            let slots = segment.live_run().map_or(0, |state| state.slots);
            if !has_last_page(effects, &keys, slots).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Checks that the generation whose pages this one is made of still has them all: a run of it may have ended since,
    /// because its pages can't be trusted.
    pub(super) async fn check_source(
        &self,
        question: Question<'_>,
        number: u32,
    ) -> Result<(), Failure> {
        let (effects, window) = (question.effects, &self.record.window);
        let keys = question.request.keys.generation(window, number);
        let source = Self::read(effects, keys, number).await?;
        let is_whole = match &source {
            Some(source) => source.has_all_pages(effects).await?,
            None => false,
        };
        if is_whole && question.message.ended.is_none() {
            return Ok(());
        }
        let ended = question.message.ended.as_ref();
        let why = ended.map_or("they are not all there any more", |ended| {
            ended.reason.describe()
        });
        Err(Failure::new(
            FailureName::Contract,
            format!(
                "{window} can't be built from the stored pages of generation {number}: {why}. Replay the window without `--stored`"
            ),
        ))
    }
}

fn to_value(definition: &Definition) -> Value {
    serde_json::from_slice(&definition.canonical_json()).unwrap_or_default()
}

//! Which run an operator's cancellation stops at CXone. It opens no generation and starts no run: all that it stores is
//! that the run was cancelled, so that whoever takes the window up again starts the next one at once.

use definition::text::clean_detail;

use crate::documents::EndRecord;
use crate::flow::plan::{Plan, has_last_page};
use crate::flow::stored::V;
use crate::flow::trigger::generation::Generation;
use crate::flow::trigger::question::Question;
use crate::{Audit, EndReason, Ended, Failure, Next, Work};

impl Question<'_> {
    /// Names the run of the window's newest generation that is under way; asked again once that is cancelled, stores it.
    pub(super) async fn cancel_run(self) -> Result<(Option<u32>, Next), Failure> {
        let Self {
            effects,
            request,
            message,
        } = self;
        let number = match message.generation {
            Some(number) => number,
            None => self.newest_generation().await?,
        };
        let keys = request.keys.generation(&request.window, number);
        let Some(generation) = Generation::read(effects, keys, number).await? else {
            return Ok((None, nothing("nothing is stored of the window")));
        };
        let next = match &message.ended {
            Some(ended) => {
                generation.record_cancellation(self, ended).await?;
                Next::Nothing { note: None }
            }
            None => match generation.find_open_run(self).await? {
                Some(work) => cancel_if_possible(work),
                None => nothing("no run is under way at CXone"),
            },
        };
        Ok((Some(number), next))
    }
}

impl Generation {
    /// The run that was started and has neither ended nor all its pages.
    async fn find_open_run(&self, question: Question<'_>) -> Result<Option<Work>, Failure> {
        let plan = Plan::read_claims(question.effects, &self.keys, &self.record).await?;
        for segment in &plan.segments {
            let live = segment.live_run();
            let Some((state, run)) = live.and_then(|state| Some((state, state.run.as_ref()?)))
            else {
                continue;
            };
            let keys = self.keys.run(&segment.segment, segment.current_run());
            if !has_last_page(question.effects, &keys, state.slots).await? {
                return Ok(Some(self.describe_work(segment, run)?));
            }
        }
        Ok(None)
    }

    /// Stores that the run was cancelled, unless it has all its pages. As with any other ending, the first one stays.
    async fn record_cancellation(
        &self,
        question: Question<'_>,
        ended: &Ended,
    ) -> Result<(), Failure> {
        let audit = question.request.audit.as_ref();
        let end = EndRecord {
            v: V,
            reason: EndReason::Failed,
            detail: String::new(),
            at: question.request.now,
            cancelled: audit.map(|audit| Audit {
                reason: clean_detail(&audit.reason),
                requested_by: clean_detail(&audit.requested_by),
            }),
        };
        self.record_run_end(question.effects, ended, &end).await
    }
}

fn cancel_if_possible(work: Work) -> Next {
    if work.dialect.can_cancel() {
        return Next::Cancel { work };
    }
    let run = &work.run_id;
    nothing(&format!(
        "this API can't cancel a run: {run} may go on at CXone, and nothing asks for it"
    ))
}

fn nothing(note: &str) -> Next {
    Next::Nothing {
        note: Some(note.to_owned()),
    }
}

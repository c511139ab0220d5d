//! When a question is asked again, as the pipeline would ask again.

use std::time::Duration;

use definition::Api;

use crate::observation::Seen;
use crate::question::Question;

/// For an API whose clock is behind that of the issuer.
const RIPENING: Duration = Duration::from_secs(5);
/// After a try without an answer, or one that asks for a pause and doesn't say how long.
const SHORT: Duration = Duration::from_secs(1);
/// A longer pause is not waited for.
const LONGEST: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Retry {
    After(Duration),
    WithNewToken,
}

/// Whether and how to ask once more. Without a question it is the sign-in, which is never repeated after a refusal, because
/// that may lock the client out.
pub(crate) fn plan_retry(
    question: Option<Question>,
    seen: &Seen,
    before: &[u16],
    asked_pause: Option<Duration>,
) -> Option<Retry> {
    if *seen == Seen::Unreadable {
        return None;
    }
    let status = seen.status();
    let same_before = before.iter().filter(|other| **other == status).count();
    match (status, same_before) {
        (401, 0) if question.is_some() => Some(Retry::WithNewToken),
        (401, 1) if question.is_some() => Some(Retry::After(RIPENING)),
        // It may have come too soon after a call of the pipeline's, or of anybody's. Its turn is waited for in any case.
        (403, 0) if question.map(Question::api) == Some(Api::DataExtraction) => {
            Some(Retry::After(Duration::ZERO))
        }
        (429, 0) => Some(asked_pause.unwrap_or(SHORT))
            .filter(|pause| *pause <= LONGEST)
            .map(|pause| Retry::After(pause.max(SHORT))),
        (0 | 408 | 500 | 502 | 503 | 504, 0) => Some(Retry::After(SHORT)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kind::Plain;
    use crate::observation::{Clock, Content, SeenAnswer};

    #[test]
    fn a_question_is_asked_again_where_that_can_help() {
        let (schedules, extractions) = (Some(Question::Schedules), Some(Question::Extractions));
        let pause = |seconds| Some(Retry::After(Duration::from_secs(seconds)));
        for (question, status, before, asked, again) in [
            (schedules, 200, &[][..], None, None),
            (schedules, 401, &[], None, Some(Retry::WithNewToken)),
            (schedules, 401, &[401], None, pause(5)),
            (schedules, 401, &[401, 401], None, None),
            (None, 401, &[], None, None),
            (schedules, 403, &[], None, None),
            (extractions, 403, &[], None, pause(0)),
            (extractions, 403, &[403], None, None),
            (schedules, 429, &[], None, pause(1)),
            (schedules, 429, &[], Some(0), pause(1)),
            (schedules, 429, &[], Some(20), pause(20)),
            (schedules, 429, &[], Some(21), None),
            (schedules, 503, &[], None, pause(1)),
            (schedules, 503, &[503], None, None),
            (None, 503, &[], None, pause(1)),
            (schedules, 404, &[], None, None),
        ] {
            let seen = Seen::Answer(SeenAnswer {
                status,
                content: Content::None,
                headers: Vec::new(),
                clock: Clock::Unknown,
                explains: false,
                body: Plain::NoBody.into(),
                states: [].into(),
            });
            let found = plan_retry(question, &seen, before, asked.map(Duration::from_secs));
            assert_eq!(found, again, "{question:?} {status} {before:?} {asked:?}");
        }
        assert_eq!(plan_retry(schedules, &Seen::NoAnswer, &[], None), pause(1));
        assert_eq!(plan_retry(schedules, &Seen::Unreadable, &[], None), None);
    }
}

//! What to do about an execution that failed.

use delivery::FailureName;

pub(crate) fn advise(error: &str) -> &'static str {
    let mut ours = FailureName::ALL.into_iter();
    let Some(name) = ours.find(|name| name.as_str() == error) else {
        return "see the handlers' log, then run it again (on AWS: redrive); it goes on from what is stored";
    };
    match name {
        FailureName::Config => {
            "correct the definition or the handlers' environment, then run it again; a redrive would fail in the same way"
        }
        FailureName::Auth => {
            "check the client's id, secret and permissions, then run it again (on AWS: redrive)"
        }
        FailureName::Contract => {
            "the tenant answered in a way that is not understood; see the handlers' log before you run it again (on AWS: redrive)"
        }
        FailureName::RunsExhausted => {
            "all runs that the definition allows ended without data; --replay REASON allows more (on AWS: redrive)"
        }
        FailureName::Conflict => {
            "rows with the same key differ; correct pipeline.key, or set pipeline.onConflict to keep-last, then use --replay REASON"
        }
        FailureName::Throttled | FailureName::Unavailable => {
            "the tenant or AWS did not answer; run it again later (on AWS: redrive); it goes on from what is stored"
        }
    }
}

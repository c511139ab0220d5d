//! What to do about a failure, by its name.

use delivery::FailureName;

/// What an operator does about an execution that failed with this error.
#[must_use]
pub fn advice(error: &str) -> &'static str {
    let ours = FailureName::ALL
        .into_iter()
        .find(|name| name.as_str() == error);
    match ours {
        Some(FailureName::Throttled) => {
            "CXone asked for fewer calls for longer than the retries last. See what else uses the tenant's API budget, then redrive."
        }
        Some(FailureName::Unavailable) => {
            "CXone, AWS or the network did not answer for longer than the retries last. Once it does, redrive."
        }
        Some(FailureName::Auth) => {
            "CXone refuses the OAuth client or a right of it. Store a valid client id and secret, grant the scopes analytics:reports:read and analytics:reports:write, then redrive."
        }
        Some(FailureName::Contract) => {
            "Something answered in a way that is not understood, and the same will come back. Read the cause; once it is mended (a deployment reaches a redrive), redrive."
        }
        Some(FailureName::Config) => {
            "The definition or the deployment is wrong. If the deployment: correct it and redrive. If the definition: redrive and run keep the old one, so correct the file, cxr check it, and cxr replay the window with it."
        }
        Some(FailureName::RunsExhausted) => {
            "Every run that the definition allows has ended without its data; see the runs. A redrive allows as many again; a report that is always cut off needs pipeline.narrow or pipeline.fallback, then cxr replay."
        }
        Some(FailureName::Conflict) => {
            "Two rows have the same key and differ. Add the missing column to pipeline.key, or set pipeline.onConflict to keep-last, then cxr replay the window with the corrected file."
        }
        None => by_aws(error),
    }
}

fn by_aws(error: &str) -> &'static str {
    match error {
        "States.Timeout" | "Lambda.Unknown" | "Sandbox.Timedout" => {
            "A handler was cut off. Nothing is lost: redrive. If it comes back, look at the handler's log and its memory."
        }
        "Runtime.ExitError" | "Runtime.InvalidEntrypoint" | "Runtime.OutOfMemory" => {
            "A handler's process died. Look at its log, give it more memory or deploy it anew, then redrive."
        }
        "States.QueryEvaluationError" | "States.Runtime" => {
            "State machine and handlers do not belong together. Deploy both from one version; this execution keeps the old state machine, so ask for the window again with cxr run."
        }
        "States.Permissions" => "The state machine lacks a right. Correct its role, then redrive.",
        _ if error.starts_with("Lambda.") => {
            "Lambda did not answer for longer than the retries last. Once it does, redrive."
        }
        _ => {
            "Read the cause and the handler's log; nothing is lost, and a redrive goes on where it stopped."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_of_ours_has_its_own_advice() {
        let fallback = advice("something else");
        for name in FailureName::ALL {
            assert_ne!(advice(name.as_str()), fallback, "{name}");
        }
    }
}

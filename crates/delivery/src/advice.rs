//! What a failure means and what to do about it: the one table, by the name that the state machine sees.

use definition::Api;

use crate::FailureName;

/// A failure in the words of whoever has to deal with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Advice {
    /// What happened. A clause without a capital letter and a full stop.
    pub meaning: &'static str,
    /// What to do, in sentences.
    pub action: &'static str,
}

impl FailureName {
    /// What this failure means and what to do about it, whatever the API.
    #[must_use]
    pub const fn advice(self) -> Advice {
        match self {
            Self::Config => Advice {
                meaning: "the definition, the event or the function's environment is wrong; the text names the field",
                action: "If the deployment is wrong, correct it and redrive. If the definition is wrong, correct the file, check it with `cxr check` and deploy it: `cxr drift DIR --check` says whether the schedule has it. Then type what `cxr status` says: `cxr retry`, where nothing was stored of the window, or `cxr replay` with the file, where the window was begun with the wrong one. A redrive keeps the old definition.",
            },
            Self::Auth => Advice {
                meaning: "CXone refuses the credentials or a permission",
                action: "Grant the permission that the definition's API needs in CXone, to the client or user of the tenant's secret (`cxone/TENANT`, unless the stack has another prefix), or correct the secret with `cxr tenant set`. Then redrive.",
            },
            Self::Throttled => Advice {
                meaning: "CXone asked for fewer calls for longer than the retries last",
                action: "Find what else uses up the tenant's rate limit, then redrive.",
            },
            Self::Unavailable => Advice {
                meaning: "CXone, AWS or the network did not answer for longer than the retries last",
                action: "Redrive once they answer.",
            },
            Self::RunsExhausted => Advice {
                meaning: "every run that the definition allows ended without data",
                action: "Read why the runs ended. A redrive allows as many runs again; a report that is cut off each time needs `pipeline.narrow` or `pipeline.fallback`, and one whose runs end with words that mean there is no data needs these words in `pipeline.emptyMessages`; then `cxr replay`.",
            },
            Self::Conflict => Advice {
                meaning: "two rows have the same key and differ; or, in Publish, somebody else wrote to the report's table",
                action: "Add the column that tells the rows apart to `pipeline.key`, then `cxr replay` the window with the corrected file. `keep-last` drops rows: it is right only where CXone sends a corrected row after the first. In Publish the window is delivered and only its table is not: take the other writer's rights away, delete the folder `table/` and redrive, which makes the table anew.",
            },
            Self::Overdue => Advice {
                meaning: "a window was not delivered by the time at which it was expected; the text says how far it came",
                action: "Do what the text says for the window's own execution. Redriving this execution starts nothing: it looks again, and succeeds once the window is there.",
            },
            Self::Contract => Advice {
                meaning: "an answer of CXone or a stored object is not what it has to be, and asking again would not change that",
                action: "Read the cause. Redrive once CXone has corrected its answer or a corrected version is deployed.",
            },
        }
    }

    /// The same, where the definition's API is known: a missing permission has a name there.
    #[must_use]
    pub const fn advice_for(self, api: Api) -> Advice {
        let advice = self.advice();
        match self {
            Self::Auth => Advice {
                action: auth_action(api),
                ..advice
            },
            Self::Throttled if matches!(api, Api::DataExtraction) => Advice {
                action: "CXone allows one call in 30 seconds and one user at a time for the whole tenant. Find who else uses this API, then redrive.",
                ..advice
            },
            Self::Throttled
            | Self::Unavailable
            | Self::Contract
            | Self::Config
            | Self::RunsExhausted
            | Self::Conflict
            | Self::Overdue => advice,
        }
    }
}

/// What CXone's administrator grants for each API.
const fn auth_action(api: Api) -> &'static str {
    match api {
        Api::Analytics => {
            "Store a valid client id and secret, and grant the OAuth client the scopes `analytics:reports:read` and `analytics:reports:write`, then redrive."
        }
        Api::ReportJobs => {
            "Store valid credentials, such as an access key, and let their user run this report, then redrive."
        }
        Api::DataDownload => {
            "Store valid credentials, such as an access key, and let their user see this report, then redrive."
        }
        Api::DataExtraction => {
            "Store valid credentials, such as an access key, and grant their user's role the permission for this entity; the product that the entity belongs to has to be licensed. Then redrive."
        }
        Api::Contacts => {
            "Store valid credentials, such as an access key, and let their user read contacts, then redrive."
        }
    }
}

/// What an error means, be it ours or one of AWS's, as the execution's history spells it.
#[must_use]
pub fn advice(error: &str, api: Option<Api>) -> Advice {
    let ours = FailureName::ALL.iter().find(|name| name.as_str() == error);
    match (ours, api) {
        (Some(name), Some(api)) => name.advice_for(api),
        (Some(name), None) => name.advice(),
        (None, _) => aws_advice(error),
    }
}

/// The errors of Step Functions and Lambda that are told in their own names and have advice of their own.
pub const AWS_ERRORS: [&str; 8] = [
    "States.Timeout",
    "Sandbox.Timedout",
    "Runtime.ExitError",
    "Runtime.OutOfMemory",
    "States.QueryEvaluationError",
    "States.Runtime",
    "States.Permissions",
    "Lambda.TooManyRequestsException",
];

/// The errors that Step Functions and Lambda report in their own names.
fn aws_advice(error: &str) -> Advice {
    match error {
        "States.Timeout" | "Lambda.Unknown" | "Sandbox.Timedout" => Advice {
            meaning: "a handler was cut off; nothing that was stored is lost",
            action: "Redrive. If it happens again, look at the handler's log and its memory.",
        },
        "Runtime.ExitError" | "Runtime.InvalidEntrypoint" | "Runtime.OutOfMemory" => Advice {
            meaning: "a handler's process died",
            action: "Look at its log, give it more memory or deploy it again, then redrive.",
        },
        "States.QueryEvaluationError" | "States.Runtime" => Advice {
            meaning: "the state machine and the handlers are of different versions",
            action: "Deploy both from one version. This execution keeps the old state machine, so `cxr retry` the window: it starts another one.",
        },
        "States.Permissions" => Advice {
            meaning: "the state machine's role lacks a right",
            action: "Correct the role, then redrive.",
        },
        "Lambda.TooManyRequestsException" => Advice {
            meaning: "more functions were wanted at once than may run, for longer than the retries last",
            action: "Wait until fewer functions run, or raise the account's limit or the stack's `ReservedConcurrency`. Then `cxr retry --all --watch`, which lets four windows run at once.",
        },
        _ if error.starts_with("Lambda.") => Advice {
            meaning: "Lambda did not answer for longer than the retries last",
            action: "Redrive once it answers.",
        },
        _ => Advice {
            meaning: "the error is not one of this pipeline's",
            action: "Read the cause and the handler's log. Nothing that was stored is lost, and a redrive goes on where the execution stopped.",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_of_ours_is_found_by_its_name() {
        for name in FailureName::ALL {
            assert_eq!(advice(name.as_str(), None), name.advice());
        }
    }

    #[test]
    fn a_refused_permission_is_named_for_its_api_alone() {
        for api in Api::ALL.iter().copied() {
            let action = advice("Cxone.Auth", Some(api)).action;
            let is_guide = api == Api::Analytics;
            assert_eq!(action.contains("analytics:reports"), is_guide, "{action}");
            assert_eq!(action.contains("access key"), !is_guide, "{action}");
        }
    }
}

//! Whether the client's own code could use an answer.

use cxone::Error;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Usability {
    Yes,
    Refused,
    Differs,
    NoAnswer,
}

impl Usability {
    pub(crate) fn of_error(error: &Error) -> Self {
        match error {
            Error::Unauthorized { .. }
            | Error::Forbidden { .. }
            | Error::MaybeForbidden { .. }
            | Error::Config { .. } => Self::Refused,
            Error::Throttled { .. } | Error::Unavailable { .. } | Error::Ambiguous { .. } => {
                Self::NoAnswer
            }
            _ => Self::Differs,
        }
    }
}

//! Everything that was seen of a tenant, without any value.

use cxone::Error;
use definition::Api;
use serde::Serialize;

use crate::deep::DeepRun;
use crate::observation::{Observation, Seen, SeenAnswer};
use crate::question::Question;

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Evidence {
    #[serde(skip)]
    pub(crate) apis: Vec<Api>,
    pub(crate) sign_in: SignInSeen,
    pub(crate) observations: Vec<Observation>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) deep: Vec<DeepRun>,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SignInSeen {
    /// Which credentials there are.
    pub(crate) way: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_auth: Option<&'static str>,
    /// Whether an issuer says where the API is.
    pub(crate) has_issuer: bool,
    /// Whether the API's address is known, or was found.
    pub(crate) found: Found,
    /// What the token endpoint answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Seen>,
    /// Whether it was a token that can be sent.
    pub(crate) is_granted: bool,
}

/// Whether the client's own code could use an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Found {
    Yes,
    Refused,
    Differs,
    NoAnswer,
}

impl Found {
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

/// What an answer says of its API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// It answers as it should.
    Open,
    /// 401 or 403.
    Refused(u16),
    /// There is nothing at this path.
    Absent(u16),
    /// It refuses what was asked, or the answer is none that the client takes.
    Odd,
    /// No answer, or one that asks for patience.
    Silent,
}

impl Evidence {
    pub(crate) fn new(sign_in: SignInSeen, apis: Vec<Api>) -> Self {
        Self {
            apis,
            sign_in,
            observations: Vec::new(),
            deep: Vec::new(),
        }
    }

    pub(crate) fn observation(&self, question: Question) -> Option<&Observation> {
        self.observations.iter().find(|it| it.question == question)
    }

    /// Every answer, the token endpoint's first.
    pub(crate) fn answers(&self) -> impl Iterator<Item = &SeenAnswer> {
        let token = self.sign_in.token.iter();
        token
            .chain(self.observations.iter().map(|it| &it.seen))
            .filter_map(Seen::answer)
    }
}

impl Observation {
    pub(crate) fn access(&self) -> Access {
        let answer = match &self.seen {
            Seen::Answer(answer) => answer,
            Seen::NoAnswer => return Access::Silent,
            Seen::Unreadable => return Access::Odd,
        };
        match answer.status {
            // An empty list. A job is not empty.
            204 if self.question != Question::Extraction => Access::Open,
            // Nobody has asked for a part of anything.
            205 | 206 => Access::Odd,
            200..300 if answer.is_json() => Access::Open,
            401 | 403 => Access::Refused(answer.status),
            404 | 405 | 410 | 501 => Access::Absent(answer.status),
            408 | 429 | 500..600 => Access::Silent,
            _ => Access::Odd,
        }
    }
}

//! Everything that was seen of a tenant, without any value.

use definition::Api;
use serde::Serialize;

use crate::deep::DeepRun;
use crate::observation::{Observation, Seen, SeenAnswer};
use crate::question::Question;
use crate::usability::Usability;

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
    pub(crate) found: Usability,
    /// What the token endpoint answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Seen>,
    /// Whether it was a token that can be sent.
    pub(crate) is_granted: bool,
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

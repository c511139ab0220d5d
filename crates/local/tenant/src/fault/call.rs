//! Which calls a fault acts on.

use std::str::FromStr;

use super::{ParseFaultError, parse_error};
use crate::apis::Api;
use crate::journal::Kind;

/// What faults match against in a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallContext {
    pub(crate) kind: Kind,
    /// The API it belongs to; none for signing in.
    pub(crate) api: Option<Api>,
    /// The number of the run it concerns, from 1.
    pub(crate) run: Option<u64>,
    /// The page whose rows will be answered.
    pub(crate) page: Option<u64>,
    /// Whether the connection carried a request before.
    pub(crate) reused: bool,
    /// Whether it signs in with a refresh token.
    pub(crate) refresh: bool,
}

/// What a fault may match: one kind of call, or a group of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum On {
    Kind(Kind),
    /// Every call that carries a bearer token.
    Api,
    /// Every answer that carries rows.
    Data,
    Any,
}

impl On {
    const KINDS: [Kind; 12] = [
        Kind::Token,
        Kind::Discovery,
        Kind::ListReports,
        Kind::ListJobs,
        Kind::ListSchedules,
        Kind::CreateSchedule,
        Kind::UpdateSchedule,
        Kind::StartRun,
        Kind::Look,
        Kind::Page,
        Kind::Download,
        Kind::Cancel,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.name(),
            Self::Api => "api",
            Self::Data => "data",
            Self::Any => "any",
        }
    }

    pub(super) fn matches(self, context: &CallContext) -> bool {
        match self {
            Self::Kind(kind) => kind == context.kind,
            Self::Api => !matches!(
                context.kind,
                Kind::Token | Kind::Discovery | Kind::Download | Kind::Unknown
            ),
            Self::Data => context.page.is_some() || context.kind == Kind::Download,
            Self::Any => true,
        }
    }
}

impl FromStr for On {
    type Err = ParseFaultError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let groups = [Self::Api, Self::Data, Self::Any];
        let mut all = Self::KINDS.into_iter().map(Self::Kind).chain(groups);
        let names = || {
            Self::KINDS
                .into_iter()
                .map(Kind::name)
                .chain(groups.map(Self::name))
                .collect::<Vec<_>>()
                .join(", ")
        };
        all.find(|on| on.name() == text).map_or_else(
            || parse_error(format!("on={text:?} is none of {}", names())),
            Ok,
        )
    }
}

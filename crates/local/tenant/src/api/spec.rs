//! What distinguishes one API from the others. A new API is a module beside this file with a `SPEC`, a variant
//! of [`Api`], an arm in `spec_of` and, where faults can happen to it, a place in the table of faults.

use super::error_shape::ErrorShape;
use super::route::Route;
use crate::apis::Api;
use crate::fault::CallContext;
use crate::journal::Kind;
use crate::reply::Reply;
use crate::request::Request;
use crate::state::State;

pub(super) struct ApiSpec {
    /// The call that a request is, if its path belongs to this API.
    pub(super) find_route: fn(&Request) -> Option<Route>,
    /// The run and the page that a request concerns.
    pub(super) locate: fn(&State, &Route, &Request) -> Target,
    /// Refuses a request that lacks a token or a header.
    pub(super) admit: fn(&State, &CallContext, ErrorShape, &Request) -> Result<(), Reply>,
    pub(super) handle: fn(&mut State, &Route, &Request) -> Reply,
    pub(super) error_shape: fn(Kind) -> ErrorShape,
}

/// What faults match against.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Target {
    /// The API that the run belongs to, where it is not the one that was called.
    pub(super) api: Option<Api>,
    /// The number of the run, from 1.
    pub(super) run: Option<u64>,
    /// The page whose rows will be answered, from 0.
    pub(super) page: Option<u64>,
}

impl Target {
    /// The run that the path names, or the next one for a call that starts one.
    pub(super) fn named_run(state: &State, route: &Route) -> Self {
        let run = if route.kind == Kind::StartRun {
            Some(state.next_number())
        } else {
            state.known_run(&route.id).map(|run| run.plan.number)
        };
        Self {
            run,
            ..Self::default()
        }
    }
}

//! What an execution asks, and the answer that it wait.

use jiff::Timestamp;

use crate::effects::{Effects, TriggerEffect};
use crate::flow::trigger::request::WindowRequest;
use crate::{Next, TriggerIn};

/// One question of an execution, and what it takes to answer it.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) effects: &'a Effects<TriggerEffect>,
    pub(super) request: &'a WindowRequest,
    pub(super) message: &'a TriggerIn,
}

/// Wait, for a reason that ends any time during which the tenant only asked for pauses.
pub(super) fn wait_until(until: Timestamp) -> Next {
    Next::NotBefore {
        until,
        stalled_since: None,
    }
}

#![doc = include_str!("../README.md")]

mod clock;
mod definition;
mod engine;
mod execution;
mod expression;
mod random;
mod substitute;
mod time;

pub use clock::{BusyGuard, Clock, Now};
pub use definition::{DefinitionError, Problem, StateMachine};
pub use engine::{
    Description, Engine, Progress, RedriveError, RegisterError, StartError, Started, TaskFailure,
    UnknownExecution,
};
pub use execution::{
    Event, EventDetail, Execution, ExecutionSpec, InputTooLarge, MAX_EVENTS, MAX_PAYLOAD_BYTES,
    NoTask, NotRedrivable, StateType, Status, Step, TaskCall, TaskResource,
};
pub use substitute::{SubstituteError, substitute};

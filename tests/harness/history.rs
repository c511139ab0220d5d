//! What the histories of executions say.

use asl::{Event, EventDetail};
use local::World;
use local::world::STATE_MACHINE_ARN;

/// No state's input or output is larger than this.
const LEAN: usize = 8 * 1024;

/// The events of all executions, oldest execution first.
pub fn all(world: &World) -> Vec<Event> {
    let mut executions = world.engine().list(STATE_MACHINE_ARN, None);
    executions.reverse();
    let histories = executions.iter().map(|execution| {
        let history = world.engine().history(&execution.execution_arn);
        history.unwrap()
    });
    histories.flatten().collect()
}

/// Whatever travels between the states is small. What a task is sent is not looked at where it holds the
/// execution's input, which only Trigger gets.
pub fn check_lean(world: &World) {
    for event in all(world) {
        let (what, text) = match &event.detail {
            EventDetail::StateEntered { name, input, .. } if **name != *"Begin" => (name, input),
            EventDetail::StateExited { name, output, .. } => (name, output),
            EventDetail::TaskSucceeded { task, output } => (&task.resource, output),
            EventDetail::TaskScheduled {
                task, parameters, ..
            } if !parameters.contains("\"event\"") => (&task.resource, parameters),
            _ => continue,
        };
        let size = text.len();
        assert!(size < LEAN, "{} of {what}: {size} bytes", event.kind());
    }
}

/// The states that an execution entered, a line each, with the time.
pub fn timeline(world: &World, execution_arn: &str) -> String {
    let history = world.engine().history(execution_arn).unwrap();
    let lines = history.iter().filter_map(|event| {
        let at = event.timestamp.strftime("%H:%M:%S");
        match &event.detail {
            EventDetail::StateEntered { name, .. } => Some(format!("{at} {name}\n")),
            EventDetail::TaskFailed { error, .. } => Some(format!("{at}   {error}\n")),
            EventDetail::ExecutionRedriven { .. } => Some(format!("{at} redriven\n")),
            _ => None,
        }
    });
    lines.collect()
}

//! How long a test waits: as long as something happens.

use std::future::Future;
use std::time::Duration;

use local::World;
use local::world::STATE_MACHINE_ARN;

/// A world in which nothing happens for this long hangs.
const STILL: Duration = Duration::from_mins(5);

/// How often it is looked whether something has happened.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// Waits for an answer for as long as there are new events of executions, calls of AWS or requests to the tenant. A
/// machine that is busy makes this longer and never makes it fail.
///
/// # Panics
/// When nothing has happened for five minutes.
pub async fn while_it_moves<T>(world: &World, answer: impl Future<Output = T>) -> T {
    let mut answer = std::pin::pin!(answer);
    let (mut seen, mut still) = (happenings(world), Duration::ZERO);
    loop {
        // The look is only at the bounds of a wait that ends with the answer.
        if let Ok(answer) = tokio::time::timeout(BETWEEN_LOOKS, &mut answer).await {
            return answer;
        }
        let now = happenings(world);
        still = if now == seen {
            still + BETWEEN_LOOKS
        } else {
            Duration::ZERO
        };
        seen = now;
        assert!(
            still < STILL,
            "nothing has happened for {STILL:?}: {seen:?}"
        );
    }
}

/// Counts what only grows: events of executions, calls of AWS, requests to the tenant.
fn happenings(world: &World) -> (usize, usize, usize) {
    let executions = world.engine().list(STATE_MACHINE_ARN, None).into_iter();
    let events = executions.map(|execution| {
        let history = world.engine().history(&execution.execution_arn);
        history.map_or(0, |history| history.len())
    });
    let requests = world.tenant().map_or(0, |tenant| tenant.journal().len());
    (events.sum(), world.gateway().calls().len(), requests)
}

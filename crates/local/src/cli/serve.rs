//! A world that stays.

use jiff::Timestamp;
use local::world::{ALERT_TOPIC_ARN, STATE_MACHINE_ARN};

use crate::arguments::Serve;
use crate::clock::TimeScale;
use crate::failure::Failure;
use crate::progress::Follower;
use crate::setting;
use crate::setting::Usual;
use crate::terminal::Terminal;

/// Starts everything, says how to reach it and waits for Ctrl-C.
pub(crate) async fn run(asked: &Serve, terminal: &Terminal) -> Result<(), Failure> {
    if !asked.listen.ip().is_loopback() {
        return Err(Failure::NotLoopback(asked.listen));
    }
    let usual = Usual {
        faults: &[],
        slow: false,
        scale: TimeScale::Factor(1.0),
        start: Timestamp::now(),
        listen: asked.listen,
    };
    let prepared = setting::Prepared::new(&asked.world, &usual)?;
    let world = prepared.start(setting::handlers_quietly().await?).await?;
    let logs = asked.world.out.join("handlers.log");
    if let Err(error) = world.lambda().logs().copy_to(&logs) {
        tracing::warn!(%error, "the handlers' log can't be kept");
    }
    let ours = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("STATE_MACHINE_ARN", STATE_MACHINE_ARN),
        ("ALERT_TOPIC_ARN", ALERT_TOPIC_ARN),
    ];
    let handlers = world.environment().iter();
    let handlers = handlers.map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in handlers.chain(ours) {
        terminal.line(&format!("export {name}={}", quoted(value)));
    }
    terminal.line(&format!(
        "# objects in {}, log in {}; Ctrl-C ends it",
        world.folder().display(),
        logs.display()
    ));
    let mut follower = Follower::new(&world, terminal);
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        never = follower.follow() => match never {},
    }
}

/// A value as a shell reads it.
fn quoted(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

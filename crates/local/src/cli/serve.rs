//! `local serve`: everything running until Ctrl-C.

use jiff::Timestamp;
use local::World;
use local::alarm::Alarm;
use local::world::{NOTICE_TOPIC_ARN, STATE_MACHINE_ARN, TENANT, WorldError};

use crate::arguments::Serve;
use crate::clock::TimeScale;
use crate::failure::Failure;
use crate::mails::{self, Mailbox};
use crate::progress::{Executions, Follower};
use crate::scenario::{self, Defaults, WorldBuilder};
use crate::terminal::Terminal;

/// Starts everything, prints what to export and waits for Ctrl-C.
pub(crate) async fn serve(asked: &Serve, terminal: &Terminal) -> Result<(), Failure> {
    if !asked.listen.ip().is_loopback() {
        return Err(Failure::NotLoopback(asked.listen));
    }
    let defaults = Defaults {
        faults: &[],
        slow: false,
        scale: TimeScale::Factor(1.0),
        start: Timestamp::now(),
        listen: asked.listen,
        tenant_name: match &asked.world.tenant {
            Some(path) => scenario::tenant_of_file(path)?.to_string(),
            None => TENANT.to_owned(),
        },
        instances: Some(asked.instances.into()),
    };
    let builder = WorldBuilder::new(&asked.world, &defaults)?;
    let clock = builder.describe_clock_beside();
    let world = builder
        .start(scenario::build_handlers_quietly().await?)
        .await?;
    let logs = asked.world.out.join("handlers.log");
    if let Err(error) = world.lambda().logs().copy_to(&logs) {
        tracing::warn!(%error, "the handlers' log can't be kept");
    }
    let (folder, alarm) = (asked.world.out.join("mails"), Alarm::read_template()?);
    let mut mailbox = Mailbox::open(&folder).map_err(|source| WorldError::Folder {
        path: folder.clone(),
        source,
    })?;
    print_exports(&world, terminal);
    terminal.line(&format!(
        "# objects are in {}, mails in {}, the handlers' log is {}; Ctrl-C ends everything",
        world.folder().display(),
        folder.display(),
        logs.display()
    ));
    terminal.line(&format!("# {clock}"));
    let mut follower = Follower::new(&world, terminal, Executions::All);
    tokio::select! {
        _ = tokio::signal::ctrl_c() => Ok(()),
        never = follower.follow() => match never {},
        never = mailbox.show_mails(&world, terminal) => match never {},
        never = mails::raise_alarms(&world, alarm) => match never {},
    }
}

fn print_exports(world: &World, terminal: &Terminal) {
    let ours = [
        ("AWS_REGION", "us-east-1"),
        ("AWS_DEFAULT_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("STATE_MACHINE_ARN", STATE_MACHINE_ARN),
        ("NOTICE_TOPIC_ARN", NOTICE_TOPIC_ARN),
    ];
    let handlers = world.environment().iter();
    let handlers = handlers.map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in handlers.chain(ours) {
        terminal.line(&format!("export {name}={}", quote_for_shell(value)));
    }
}

/// A value, quoted for a shell if it has to be.
fn quote_for_shell(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@%+=,".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', r"'\''"))
}

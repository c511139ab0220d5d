//! From the commit log to the table: what the handler Publish decides.
//!
//! Like the flows of [`delivery::flow`], an async function that requests effects; no I/O, no clock. The simulation plants bugs into
//! copies of modules of this folder (`tests/build.rs`), so that a path to another one begins with `crate::publish::` and its name.

mod error;
mod publisher;

use delivery::effects::Effects;
use delivery::keys::ReportKeys;
use delivery::{Failure, PublishIn, PublishNext, PublishOut, Version};

use crate::effects::PublishEffect;
use crate::publish::publisher::Publisher;

/// Publishes a version of the log and whatever is missing before it, until the time of the invocation is spent.
///
/// `prefix` is where in the bucket reports live.
///
/// # Errors
/// `Cxone.Conflict` if another writer wrote to the table, `Cxone.Contract` if what is stored is not what it should be, and what
/// the effects fail with.
pub async fn publish(
    effects: Effects<PublishEffect>,
    prefix: &str,
    message: PublishIn,
) -> Result<PublishOut, Failure> {
    let work = &message.work;
    let keys = ReportKeys::new(prefix, &work.tenant, &work.report);
    let publisher = Publisher {
        effects,
        table: keys.table(),
        keys,
        message: &message,
    };
    let state = publisher.run_once().await?;
    let next = if state.version() < work.version {
        PublishNext::More
    } else {
        PublishNext::Published
    };
    Ok(PublishOut {
        v: Version,
        next,
        table_version: state.version(),
    })
}

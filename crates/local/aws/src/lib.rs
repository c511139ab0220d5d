#![doc = include_str!("../README.md")]

//! Whoever reaches the port may do everything, which is why it is only ever opened on loopback. Any access key is accepted, with the secret
//! `local`; S3 verifies the signature, the other services do not. A handler's access key names its process, so that a [`Hook`] knows who calls.

mod cloudwatch_logs;
mod fault_injection;
mod gateway;
mod http;
mod invoke;
pub mod lambda;
mod response;
mod s3;
mod scheduler;
mod secrets;
mod sns;
mod stack;
mod stepfunctions;
pub mod tasks;

use std::io;
use std::path::Path;

pub use fault_injection::{Action, Call, Hook, Service};
pub use gateway::Gateway;
pub use s3::{BUCKET_OWNER, S3, Store};
pub use scheduler::Schedules;
pub use secrets::Secrets;
pub use sns::{Publication, Topics};
pub use stack::Stack;
pub use stepfunctions::StateMachines;

use crate::lambda::LambdaHost;

/// The services behind the port.
#[derive(Clone)]
pub struct Services {
    pub s3: S3,
    pub secrets: Secrets,
    /// Topics, whose messages are kept.
    pub topics: Topics,
    pub lambda: LambdaHost,
    pub states: StateMachines,
    pub schedules: Schedules,
}

impl Services {
    /// Empty services whose objects are in the folder `root`.
    ///
    /// # Errors
    /// When the folder can't be used.
    pub fn open(root: &Path, lambda: LambdaHost) -> io::Result<Self> {
        Ok(Self {
            s3: S3::open(root)?,
            secrets: Secrets::default(),
            topics: Topics::default(),
            lambda,
            states: StateMachines::default(),
            schedules: Schedules::default(),
        })
    }
}

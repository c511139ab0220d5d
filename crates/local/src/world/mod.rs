//! A tenant, AWS, the handlers and the state machine, started together.

mod error;
mod landed;
mod setup;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use asl::{Clock, Description, Engine};
use cxone_sim::Tenant;
use serde_json::{Map, Value};

pub use error::WorldError;
pub use landed::LandedError;
pub use setup::{Options, TenantOptions};

use crate::handlers::NAMES;
use crate::tasks::Tasks;
use local_aws::lambda::LambdaHost;
use local_aws::{Gateway, Publication, Services, Store};

/// The bucket of the pipeline.
pub const BUCKET: &str = "landing";
/// The prefix of all keys.
pub const PREFIX: &str = "reports";
pub const STATE_MACHINE_ARN: &str =
    "arn:aws:states:us-east-1:000000000000:stateMachine:report-pipeline";
/// The one that asks that one for many windows.
pub const BACKFILL_ARN: &str = "arn:aws:states:us-east-1:000000000000:stateMachine:report-backfill";
/// The topic of what operators are told.
pub const NOTICE_TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:report-notices";
/// The topic of what somebody has to act on.
pub const ALERT_TOPIC_ARN: &str = "arn:aws:sns:us-east-1:000000000000:report-alerts";
/// What the names of all secrets begin with.
pub const SECRET_PREFIX: &str = "cxone/";
/// The tenant of the examples and tests, unless another is named.
pub const TENANT: &str = "acme";
/// The secret with all that reaches that tenant.
pub const TENANT_SECRET: &str = "cxone/acme";
/// The secret with its token.
pub const TOKEN_SECRET: &str = "cxone/acme/token";

/// Everything on one machine. Dropping it ends all its processes.
pub struct World {
    engine: Engine,
    gateway: Gateway,
    services: Services,
    tasks: Tasks,
    tenant: Option<Tenant>,
    environment: Vec<(String, String)>,
    folder: PathBuf,
    _temporary: Option<tempfile::TempDir>,
}

impl World {
    /// Starts an execution with this event, as EventBridge Scheduler does; returns its ARN.
    ///
    /// # Errors
    /// When the event is too large.
    pub fn fire(&self, event: Value) -> Result<Arc<str>, WorldError> {
        let started = self.engine.start(STATE_MACHINE_ARN, None, event)?;
        Ok(started.execution_arn)
    }

    /// Waits until the execution has ended.
    ///
    /// # Errors
    /// When there is no such execution.
    pub async fn finish(&self, execution_arn: &str) -> Result<Description, WorldError> {
        Ok(self.engine.wait(execution_arn).await?)
    }

    /// Sends an event and waits for the end of its execution.
    ///
    /// # Errors
    /// When the event is too large.
    pub async fn run(&self, event: Value) -> Result<Description, WorldError> {
        let arn = self.fire(event)?;
        self.finish(&arn).await
    }

    /// Redrives an execution and waits for its end.
    ///
    /// # Errors
    /// Those of `RedriveExecution`.
    pub async fn redrive(&self, execution_arn: &str) -> Result<Description, WorldError> {
        self.engine.redrive(execution_arn)?;
        self.finish(execution_arn).await
    }

    /// The names of the states that an execution entered, in order.
    ///
    /// # Errors
    /// When there is no such execution.
    pub fn states(&self, execution_arn: &str) -> Result<Vec<String>, WorldError> {
        let history = self.engine.history(execution_arn)?;
        let entered = history.iter().filter_map(|event| match &event.detail {
            asl::EventDetail::StateEntered { name, .. } => Some(name.to_string()),
            _ => None,
        });
        Ok(entered.collect())
    }

    /// The messages to the operators.
    #[must_use]
    pub fn alerts(&self) -> Vec<Publication> {
        self.services.topics.published()
    }

    /// The engine that runs the state machine.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The clock of the engine and of the simulated tenant.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        self.engine.clock()
    }

    /// The simulated tenant; `None` if the tenant is real.
    #[must_use]
    pub fn tenant(&self) -> Option<&Tenant> {
        self.tenant.as_ref()
    }

    /// The port of the simulated AWS, with its hook for faults.
    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The services behind the port.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The handlers' processes, with their logs.
    #[must_use]
    pub fn lambda(&self) -> &LambdaHost {
        &self.services.lambda
    }

    #[must_use]
    pub fn store(&self) -> &Store {
        self.services.s3.store()
    }

    /// The folder that holds the bucket.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes a tenant's two secrets, or gives the first another value. The second is without one, as its owner makes it.
    pub fn put_tenant(&self, name: &str, secret: &Value) {
        put_tenant(&self.services, name, &secret.to_string());
    }

    /// The secret of the tenant [`TENANT`] with some fields changed; null takes one away. It is not stored.
    #[must_use]
    pub fn tenant_secret_with(&self, changes: &Value) -> Value {
        let current = self.services.secrets.current(TENANT_SECRET);
        let mut fields: Map<String, Value> = current
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        for (name, value) in changes.as_object().into_iter().flatten() {
            if value.is_null() {
                fields.remove(name);
            } else {
                fields.insert(name.clone(), value.clone());
            }
        }
        fields.into()
    }

    /// The environment of the handlers, which other clients can use too.
    #[must_use]
    pub fn environment(&self) -> &[(String, String)] {
        &self.environment
    }
}

fn put_tenant(services: &Services, name: &str, secret: &str) {
    let name = format!("{SECRET_PREFIX}{name}");
    services.secrets.put(&format!("{name}/token"), None);
    services.secrets.put(&name, Some(secret));
}

impl Drop for World {
    fn drop(&mut self) {
        // The engine and the tasks hold each other, and running executions hold the engine.
        self.tasks.attach_engine(None);
        for machine in [BACKFILL_ARN, STATE_MACHINE_ARN] {
            for execution in self.engine.list(machine, Some(asl::Status::Running)) {
                let _ = self.engine.stop(&execution.execution_arn, None, None);
            }
        }
        for name in NAMES {
            self.services.lambda.kill(name);
        }
    }
}

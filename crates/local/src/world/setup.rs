//! Starts everything that a world consists of.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use asl::{Clock, Engine, StateMachine};
use cxone_sim::Tenant;
use jiff::Timestamp;
use serde_json::json;

use super::{
    ALERT_TOPIC_ARN, BACKFILL_ARN, BUCKET, NOTICE_TOPIC_ARN, PREFIX, SECRET_PREFIX,
    STATE_MACHINE_ARN, TENANT, World, WorldError, put_tenant,
};
use crate::handlers::{Handlers, workspace};
use crate::tasks::{RESOURCES, Tasks};
use local_aws::lambda::{Function, LambdaHost, STACK};
use local_aws::{BUCKET_OWNER, Gateway, Services, Stack};

/// The functions as the template has them: name, placeholder of the ARN, seconds, megabytes.
const FUNCTIONS: [(&str, &str, u64, u32); 6] = [
    ("trigger", "TriggerArn", 120, 256),
    ("poll-once", "PollOnceArn", 60, 256),
    ("fetch-page", "FetchPageArn", 900, 512),
    ("cancel", "CancelArn", 90, 256),
    ("finalize", "FinalizeArn", 900, 512),
    ("publish", "PublishArn", 900, 512),
];

/// What the template says on the state machine: where its bucket is, what its handlers' log groups begin with, and which machine
/// asks it for many windows.
const TAGS: [(&str, &str); 5] = [
    ("cxone-reports:bucket", BUCKET),
    ("cxone-reports:prefix", PREFIX),
    ("cxone-reports:data-retention-days", "0"),
    ("cxone-reports:logs", "/aws/lambda/report-"),
    ("cxone-reports:backfill", BACKFILL_ARN),
];

/// The options of a world.
pub struct Options {
    pub handlers: Handlers,
    /// The clock of the state machine and of a simulated tenant.
    pub clock: Clock,
    pub tenant: TenantOptions,
    /// What definitions call the tenant.
    pub tenant_name: String,
    /// The folder for the objects; without one, a temporary folder.
    pub folder: Option<PathBuf>,
    /// The address of the simulated AWS.
    pub listen: SocketAddr,
    /// The state machine's definition.
    pub machine: PathBuf,
    /// Seed of the jitter of retries and of everything else that is random.
    pub seed: u64,
    /// A limit in real time for every task, whatever its own limit.
    pub task_limit: Option<Duration>,
    /// How many processes of each handler may run at once; without it as many as Lambda's host allows.
    pub instances: Option<usize>,
}

pub enum TenantOptions {
    /// A simulated one; its clock is replaced by the world's.
    Simulated(Box<cxone_sim::Options>),
    /// A real one, somewhere else: the JSON of its secret.
    Remote(String),
}

impl Options {
    /// A world with a simulated tenant on this clock, in a temporary folder, on a free port.
    #[must_use]
    pub fn new(handlers: Handlers, clock: Clock, tenant: cxone_sim::Options) -> Self {
        Self {
            handlers,
            clock,
            tenant: TenantOptions::Simulated(Box::new(tenant)),
            tenant_name: TENANT.to_owned(),
            folder: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            machine: workspace().join("infra/report-pipeline.asl.json"),
            seed: 0,
            task_limit: None,
            instances: None,
        }
    }
}

impl World {
    /// Starts everything, but no execution.
    ///
    /// # Errors
    /// When the definition is refused, or the folder or a port can't be used.
    pub async fn start(options: Options) -> Result<Self, WorldError> {
        let pipeline = read_machine(&options.machine, pipeline_placeholders())?;
        let backfill = workspace().join("infra/backfill.asl.json");
        let backfill = read_machine(&backfill, [("PipelineArn", STATE_MACHINE_ARN.to_owned())])?;
        let (folder, temporary) = open_folder(options.folder)?;
        let host = LambdaHost::start()
            .await
            .map_err(|source| WorldError::Port {
                what: "the Lambda host",
                source,
            })?;
        let services = open_services(&folder, host, &options.clock)?;
        let (tenant, secret) = start_tenant(options.tenant, &options.clock).await?;
        put_tenant(&services, &options.tenant_name, &secret);
        let gateway = Gateway::start(options.listen, services.clone()).await;
        let gateway = gateway.map_err(|source| WorldError::Port {
            what: "the simulated AWS",
            source,
        })?;
        let environment = handler_environment(&gateway.url());
        let (handlers, instances) = (&options.handlers, options.instances);
        register_functions(&services.lambda, handlers, instances, &environment)?;
        let tasks = Tasks::new(services.lambda.clone(), services.topics.clone());
        let runner = tasks.clone();
        let run = move |call| runner.clone().run_task(call);
        let engine = Engine::with_task_limit(options.clock, run, options.task_limit, options.seed);
        tasks.attach_engine(Some(engine.clone()));
        let machines = [
            (STATE_MACHINE_ARN, pipeline, &TAGS[..]),
            (BACKFILL_ARN, backfill, &[]),
        ];
        for (arn, (definition, machine), tags) in machines {
            let role = "arn:aws:iam::000000000000:role/local";
            engine.register(arn, role, machine)?;
            let states = &services.states;
            states.attach(engine.clone(), arn, definition, tags);
        }
        Ok(Self {
            engine,
            gateway,
            services,
            tasks,
            tenant,
            environment,
            folder,
            _temporary: temporary,
        })
    }
}

/// The functions that the pipeline's state machine calls, and whom it tells what is missing.
fn pipeline_placeholders() -> impl Iterator<Item = (&'static str, String)> {
    let functions = FUNCTIONS.iter();
    let functions = functions.map(|(name, placeholder, ..)| (*placeholder, LambdaHost::arn(name)));
    functions.chain([("AlertTopicArn", ALERT_TOPIC_ARN.to_owned())])
}

/// A definition with the ARNs of the simulated AWS filled in, and what it means.
fn read_machine(
    path: &Path,
    own: impl IntoIterator<Item = (&'static str, String)>,
) -> Result<(String, StateMachine), WorldError> {
    let text = fs::read_to_string(path).map_err(|source| WorldError::MachineFile {
        path: path.to_owned(),
        source,
    })?;
    let common = [
        ("NoticeTopicArn", NOTICE_TOPIC_ARN.to_owned()),
        // The local ARNs are those of the commercial regions.
        ("Partition", "aws".to_owned()),
    ];
    let values = own.into_iter().chain(common);
    let values: BTreeMap<String, String> = values
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
    let whole = asl::substitute(&text, &values).map_err(|source| WorldError::Placeholders {
        path: path.to_owned(),
        source,
    })?;
    let machine = StateMachine::parse_for(&whole, &RESOURCES);
    let machine = machine.map_err(|source| WorldError::Machine {
        path: path.to_owned(),
        source,
    })?;
    Ok((whole, machine))
}

fn open_folder(given: Option<PathBuf>) -> Result<(PathBuf, Option<tempfile::TempDir>), WorldError> {
    let wrong = |path: &Path| {
        let path = path.to_owned();
        move |source| WorldError::Folder { path, source }
    };
    if let Some(path) = given {
        fs::create_dir_all(&path).map_err(wrong(&path))?;
        return Ok((path, None));
    }
    let temporary = tempfile::tempdir().map_err(wrong(&std::env::temp_dir()))?;
    Ok((temporary.path().to_owned(), Some(temporary)))
}

fn open_services(folder: &Path, host: LambdaHost, clock: &Clock) -> Result<Services, WorldError> {
    let wrong = |source| WorldError::Folder {
        path: folder.to_owned(),
        source,
    };
    let services = Services::open(folder, host).map_err(wrong)?;
    services.s3.store().create_bucket(BUCKET).map_err(wrong)?;
    services.lambda.logs().set_clock(clock.now_fn());
    deploy_schedules(&services, clock.now())?;
    Ok(services)
}

/// Makes the schedules that a stack would have. They can be looked at, and fire nothing.
fn deploy_schedules(services: &Services, now: Timestamp) -> Result<(), WorldError> {
    let path = workspace().join("infra/reports.template.json");
    let unreadable = |source| WorldError::Template {
        path: path.clone(),
        source,
    };
    let template = fs::read(&path).map_err(unreadable)?;
    let template = serde_json::from_slice(&template).map_err(|error| unreadable(error.into()))?;
    let stack = Stack::new(&[
        ("Name", STACK),
        ("GroupName", STACK),
        ("State", "ENABLED"),
        ("StateMachineArn", STATE_MACHINE_ARN),
        ("RoleArn", "arn:aws:iam::000000000000:role/scheduler"),
        (
            "DeadLetterQueueArn",
            "arn:aws:sqs:us-east-1:000000000000:report-dead-letters",
        ),
    ]);
    services.schedules.deploy(&template, &stack, now);
    Ok(())
}

/// The simulated tenant, if there is one, and the JSON of the tenant's secret.
async fn start_tenant(
    options: TenantOptions,
    clock: &Clock,
) -> Result<(Option<Tenant>, String), WorldError> {
    let mut simulated = match options {
        TenantOptions::Remote(secret) => return Ok((None, secret)),
        TenantOptions::Simulated(simulated) => *simulated,
    };
    simulated.now = clock.now_fn();
    let (client_id, client_secret) = (simulated.client_id.clone(), simulated.client_secret.clone());
    let tenant = Tenant::start(simulated)
        .await
        .map_err(|source| WorldError::Port {
            what: "the simulated tenant",
            source,
        })?;
    let secret = json!({
        "base_url": tenant.base_url(),
        "token_url": tenant.token_url(),
        "client_id": client_id,
        "client_secret": client_secret,
    });
    Ok((Some(tenant), secret.to_string()))
}

/// The environment of a handler, except for what Lambda itself sets.
fn handler_environment(aws: &str) -> Vec<(String, String)> {
    let variables = [
        ("AWS_ENDPOINT_URL", aws),
        ("CXONE_SECRET_PREFIX", SECRET_PREFIX),
        ("LANDING_BUCKET", BUCKET),
        ("LANDING_BUCKET_OWNER", BUCKET_OWNER),
        ("LANDING_PREFIX", PREFIX),
    ];
    let owned = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    owned.to_vec()
}

fn register_functions(
    host: &LambdaHost,
    handlers: &Handlers,
    instances: Option<usize>,
    environment: &[(String, String)],
) -> Result<(), WorldError> {
    for (name, _, seconds, memory) in FUNCTIONS {
        let executable = handlers.path(name).ok_or(WorldError::Handler(name))?;
        let mut function = Function::new(name, executable);
        function.timeout = Duration::from_secs(seconds);
        function.memory_mb = memory;
        function.max_instances = instances.unwrap_or(function.max_instances);
        function.environment.extend(environment.iter().cloned());
        host.register(function);
    }
    Ok(())
}

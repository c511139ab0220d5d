//! The errors of all commands, each with a stable code and what to do about it.

use std::path::PathBuf;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// A file or folder can't be read.
    #[error("{}: {reason}; name {wanted}", file.display())]
    File {
        file: PathBuf,
        /// The message of the operating system or of the parser.
        reason: String,
        /// What has to be named instead.
        wanted: &'static str,
    },
    #[error("{}: the definition has errors; run: cxr check {}\n{findings}", file.display(), file.display())]
    Definition {
        file: PathBuf,
        findings: definition::Findings,
    },
    #[error(
        "window {text:?}: {reason}; write a day such as 2026-06-01, yesterday, days with both ends such as 2026-06-01..2026-06-07, or START/END in UTC such as 2026-06-01T00:00:00Z/2026-06-02T00:00:00Z"
    )]
    Window { text: String, reason: String },
    #[error(
        "{option} {text:?} is {problem}; write 2026-06-01T05:30:00Z or 2026-06-01, or, to look back, a span such as 12h or 7d"
    )]
    Time {
        /// The option whose value it is.
        option: &'static str,
        text: String,
        /// That it is not a time, or that it is yet to come.
        problem: &'static str,
    },
    /// The catalogue of metrics and dimensions can't be used.
    #[error("--catalogue {}: {source}", file.display())]
    Catalogue {
        file: PathBuf,
        source: definition::CatalogueError,
    },
    /// The command needs a state machine and none is given, or its ARN is malformed.
    #[error(
        "{problem}: set STATE_MACHINE_ARN or give --state-machine with its ARN (arn:…:stateMachine:NAME), or give --stack with the name of its stack"
    )]
    StateMachine {
        /// That there is none, or what was given instead of an ARN.
        problem: String,
    },
    /// An execution or the state machine does not exist.
    #[error("{what} does not exist; {hint}")]
    NotFound { what: String, hint: &'static str },
    /// An execution can't be redriven.
    #[error("{execution} can't be redriven: {reason}; cxr retry asks for the window again")]
    NotRedrivable {
        execution: String,
        /// The reason that Step Functions gives.
        reason: String,
    },
    /// An execution of this name exists with another input, or has ended.
    #[error("execution {name} exists already; see cxr show {name}; {remedy}")]
    Exists { name: String, remedy: String },
    /// The input is larger than 256 KiB.
    #[error(
        "the input would be {size_bytes} bytes, and Step Functions accepts 262144; shorten the definition"
    )]
    TooLarge { size_bytes: usize },
    #[error(
        "{operation}: AWS answers {code}{}{message}; check the credentials, the region and the rights of this role",
        if message.is_empty() { "" } else { ": " }
    )]
    Refused {
        operation: &'static str,
        code: String,
        /// The explanation that AWS gives; may be empty.
        message: String,
    },
    #[error("{operation}: {reason}; check the network and AWS_ENDPOINT_URL, then try again")]
    Unavailable {
        operation: &'static str,
        reason: String,
    },
    /// The template is another one, or too large.
    #[error("{}: {reason}", file.display())]
    Template { file: PathBuf, reason: String },
    /// The definition is correct, but no schedule can be made from it.
    #[error("{}: {reason}", file.display())]
    Schedule { file: PathBuf, reason: String },
    /// The window is none that the report's schedule would ask for.
    #[error(
        "{window} is none of the report's own windows; nearest to it are {nearest}; ask for those one by one, or add --off-grid if this one is meant"
    )]
    OffGrid {
        window: definition::Window,
        /// The report's own windows at its beginning and at its end.
        nearest: String,
    },
    /// A tenant's JSON can't be used, in a file or where it is stored.
    #[error(
        "{place}: {problem}; crates/tokens/README.md lists the fields, and cxr tenant set stores them"
    )]
    Tenant {
        /// The file or the secret.
        place: String,
        problem: definition::tenant::Problem,
    },
    #[error("{text:?} is {source}; write the name as pipeline.tenant does")]
    TenantName {
        text: String,
        source: definition::IdError,
    },
    #[error(
        "secret {secret} does not exist or has no value; cxr tenant list shows the tenants, cxr tenant set {tenant} FILE makes it"
    )]
    NoTenant {
        tenant: definition::TenantId,
        secret: String,
    },
    /// Nobody can read it until then, and no other one can have its name.
    #[error(
        "secret {secret} is scheduled for deletion; bring it back with: aws secretsmanager restore-secret --secret-id {secret}"
    )]
    SecretDeleted { secret: String },
    /// No request to CXone could be made at all.
    #[error("{0}; correct the tenant's settings")]
    Probe(String),
    /// Nothing says where the pipeline stores what it delivers.
    #[error(
        "{reason}; set STATE_MACHINE_ARN to a state machine that this version deployed, or give --bucket and --prefix"
    )]
    NoBucket { reason: String },
    /// S3 refuses, or holds what should not be there.
    #[error("{reason}")]
    Storage { reason: String },
    #[error("no report is called {text:?}; {known}")]
    UnknownReport {
        text: String,
        /// Which there are, or that there are none.
        known: String,
    },
    /// Its executions were refused before anything was stored.
    #[error(
        "no definition of {address} is stored, because none was accepted yet; cxr list --failed says why; correct its file, deploy it, then: cxr replay FILE --window DAY --reason TEXT"
    )]
    NoDefinition { address: String },
    #[error("several reports are called {text:?}: {candidates}; write one of these")]
    AmbiguousReport { text: String, candidates: String },
    /// What was asked for is not made of the report's own windows.
    #[error("{asked} is not made of the {schedule} report's own windows; nearest to it: {nearest}")]
    NotOwnWindows {
        asked: String,
        /// How often the report runs, such as `weekly`.
        schedule: String,
        nearest: String,
    },
    #[error("{text:?} is no execution; {hint}")]
    NotAnExecution { text: String, hint: String },
    /// The window's data may still change.
    #[error("{window} is final only at {final_at}; {hint}")]
    NotFinal {
        window: definition::Window,
        final_at: jiff::Timestamp,
        hint: &'static str,
    },
    /// Nothing signs in at AWS.
    #[error(
        "no AWS credentials: {reason}; sign in with aws sso login, or name a profile with AWS_PROFILE or --profile"
    )]
    NoCredentials { reason: String },
    /// The region, the profile or the endpoint of AWS is wrong.
    #[error("{problem}")]
    AwsSetting { problem: String },
    /// Something else answers in the place of AWS.
    #[error(
        "{operation}: {reason}; look for a proxy or a sign-in page between here and AWS, and at AWS_ENDPOINT_URL"
    )]
    NotAws {
        operation: &'static str,
        reason: String,
    },
    /// A word that is to be one of a list.
    #[error("there is no {what} {text:?}; {hint}")]
    UnknownWord {
        what: &'static str,
        text: String,
        hint: String,
    },
    #[error("{what} does not exist; {known}")]
    UnknownMachine {
        what: String,
        /// The state machines that there are.
        known: String,
    },
    #[error("{} can't be written: {error}", file.display())]
    Unwritten {
        file: PathBuf,
        error: std::io::Error,
    },
    /// A window needs no help any more.
    #[error("it is {state} by now")]
    Left {
        /// The word for its state.
        state: &'static str,
    },
    /// Nobody is there to be asked.
    #[error("{question}; nobody is there to be asked, so that this needs --yes")]
    NeedsYes { question: String },
    #[error(
        "no error is called {text:?}; there are {known}, and those of AWS such as States.Timeout"
    )]
    ErrorName { text: String, known: String },
    /// A `--set` can't be read, or the definition has errors with it.
    #[error("--set {change}: {problem}")]
    Change { change: String, problem: String },
    /// Not all windows were committed within the time given.
    #[error("not done within {limit}: {left}; the work goes on, and cxr watch follows it again")]
    TimedOut { limit: String, left: String },
    #[error("{what} is empty; it is kept with the data, for those who look at it later")]
    Empty { what: &'static str },
    /// The state machine is of a version before this one.
    #[error(
        "the state machine has no tag {tag}, which says what the names of the handlers' log groups begin with; deploy this version's template, or read the groups with aws logs tail"
    )]
    NoLogGroups { tag: &'static str },
    #[error(
        "there is no log group {group}; was it deleted, or does the state machine's tag name another stack's?"
    )]
    NoLogGroup { group: String },
    /// S3 denies the rows, of which the log may be read.
    #[error(
        "{reason}; OperatorPolicy is not enough to read rows: attach the stack's ConsumerPolicy to your role as well"
    )]
    RowsDenied { reason: String },
    /// A part of a commit is not what was committed.
    #[error("{key}: {problem}; cxr verify says what to do about it")]
    BadPart { key: String, problem: String },
    #[error("no column is called {name:?}; there are: {known}")]
    UnknownColumn { name: String, known: String },
    /// The rows that are there were written, and others are not there.
    #[error("nothing was delivered of {windows}; cxr show {address} {first} says why")]
    Undelivered {
        address: String,
        windows: String,
        first: String,
    },
    /// The rows of a part of a window can't be told from the others.
    #[error(
        "{asked} was delivered together with other days, and nothing tells their rows apart; ask for all of it: {delivered}"
    )]
    DeliveredTogether { asked: String, delivered: String },
    #[error("--format {format} is for cxr rows; write text or json")]
    OutputFormat { format: &'static str },
    #[error(
        "the state machine has no tag {tag}, which names the one of backfills; deploy the template of this version"
    )]
    NoBackfills { tag: &'static str },
    /// No backfill can do what was asked for.
    #[error("{problem}")]
    Backfill { problem: String },
    #[error(
        "{count} windows are more than one backfill takes, which is {fits} with this definition; name a shorter range, and the next one after it"
    )]
    TooManyWindows { count: usize, fits: usize },
    /// Two would ask for the same windows, and for twice as many at once.
    #[error(
        "backfill {id} of this report runs; wait until it has ended (cxr backfill watch {id}), or stop it (cxr backfill cancel {id}), then the same again"
    )]
    BackfillRuns { id: String },
    #[error("there is no backfill {id:?}; cxr backfill list shows those that there are")]
    UnknownBackfill { id: String },
    #[error("--json and --format {format} ask for two formats; write one of them")]
    TwoFormats { format: &'static str },
    #[error(
        "no warehouse is named; give --for with its name, or name it in the definition (pipeline.target)"
    )]
    NoWarehouse,
    /// Two columns would be one in the warehouse.
    #[error("{}: {error}", file.display())]
    NoTable {
        file: PathBuf,
        error: definition::TableError,
    },
    #[error("--table: {error}")]
    TableName { error: definition::TableError },
    #[error("{}: the load for {warehouse} is written for {wanted}", file.display())]
    NotLoadable {
        file: PathBuf,
        warehouse: definition::Warehouse,
        /// What its rows have to be stored as, and how.
        wanted: &'static str,
    },
    #[error("{program} can't be started: {error}; install {package}, so that it is on the PATH")]
    NoClient {
        program: &'static str,
        package: &'static str,
        error: std::io::Error,
    },
    #[error(
        "the database: {reason}; nothing of this version was kept, and the same command goes on with it"
    )]
    Database {
        /// What the warehouse's command line says.
        reason: String,
    },
    #[error("cxr load duckdb writes into a file; name it: --database FILE")]
    NoDatabase,
    #[error(
        "--table names the table of one definition, and there are {count}; leave it out, name one file, or give --schema"
    )]
    OneTable { count: usize },
    /// The table was loaded from another log.
    #[error(
        "the table holds version {version}, and the log ends with {head}; is it the bucket that the table was loaded from? Load into another --table"
    )]
    AheadOfLog { version: u64, head: u64 },
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
}

impl CommandError {
    /// Neither the command line nor the environment names a state machine.
    pub(crate) fn no_machine() -> Self {
        Self::StateMachine {
            problem: "no state machine is named".to_owned(),
        }
    }

    /// The code, such as `CXO001`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code_and_exit().0
    }

    /// The exit code of the process: 1 the definition is wrong, 2 the command line is wrong, 3 AWS
    /// refuses, 4 a later try may succeed, 5 not all is well, and 0 where nothing is left to do.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.code_and_exit().1
    }

    /// Whether the same call may succeed in a while, so that whoever stays anyway asks again.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::NotAws { .. })
    }

    /// Whether nobody reads the output any more, as in `cxr status | head`.
    #[must_use]
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == std::io::ErrorKind::BrokenPipe)
    }
}

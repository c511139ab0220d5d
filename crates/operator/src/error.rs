//! What went wrong, with a code, where, and what to do about it.

use std::path::PathBuf;

/// Why a command could not do what it was asked for. Each kind has a code that stays the same.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file can't be read.
    #[error("{}: {reason}; name a readable JSON file, a folder of them, or - for the standard input", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The definition has errors.
    #[error("{}: the definition has errors; run: cxr check {}\n{findings}", file.display(), file.display())]
    Definition {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        findings: definition::Findings,
    },
    /// A window can't be read.
    #[error(
        "--window {text:?}: {reason}; write START/END, such as 2026-06-01T00:00:00Z/2026-06-02T00:00:00Z or 2026-06-01/2026-06-02, or one day"
    )]
    Window {
        /// What was given.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A time can't be read.
    #[error(
        "{option} {text:?} is no time; write 2026-06-01T05:30:00Z or 2026-06-01, or, to look back, a span such as 12h or 7d"
    )]
    Time {
        /// The option it was given to.
        option: &'static str,
        /// What was given.
        text: String,
    },
    /// The catalogue of metrics and dimensions can't be used.
    #[error("--catalogue {}: {source}", file.display())]
    Catalogue {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: definition::CatalogueError,
    },
    /// No state machine was named.
    #[error(
        "no state machine: set STATE_MACHINE_ARN or give --state-machine with its ARN (arn:…:stateMachine:NAME)"
    )]
    StateMachine,
    /// An execution or the state machine does not exist.
    #[error("{what} does not exist; cxr list shows what there is")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// An execution can't be redriven.
    #[error(
        "{execution} can't be redriven: {reason}; cxr run or cxr replay asks for the window again"
    )]
    NotRedrivable {
        /// The execution.
        execution: String,
        /// What Step Functions says.
        reason: String,
    },
    /// An execution of this name exists with another input, or has ended.
    #[error(
        "execution {name} exists already; look at it with: cxr show {name}; if it failed, cxr redrive it, if it succeeded, cxr replay the window"
    )]
    Exists {
        /// Its name.
        name: String,
    },
    /// The input is larger than Step Functions takes.
    #[error(
        "the input would be {size_bytes} bytes, and Step Functions takes 262144; shorten the definition"
    )]
    TooLarge {
        /// Its size.
        size_bytes: usize,
    },
    /// AWS refuses.
    #[error(
        "{operation}: AWS answers {code}{}{message}; check the credentials, the region and the rights of this role",
        if message.is_empty() { "" } else { ": " }
    )]
    Refused {
        /// What was being done.
        operation: &'static str,
        /// AWS's error code.
        code: String,
        /// AWS's explanation.
        message: String,
    },
    /// AWS does not answer.
    #[error("{operation}: {reason}; check the network and AWS_ENDPOINT_URL, then try again")]
    Unavailable {
        /// What was being done.
        operation: &'static str,
        /// What happened.
        reason: String,
    },
    /// A template has no place for the schedules.
    #[error("{}: {reason}; name infra/template.yaml", file.display())]
    Template {
        /// The template.
        file: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A definition that no schedule can be made of.
    #[error("{}: {reason}", file.display())]
    Schedule {
        /// The definition.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// What was found can't be written out.
    #[error("the output can't be written: {0}")]
    Output(#[from] std::io::Error),
}

impl Error {
    /// The code, such as `CXO001`.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::File { .. } => "CXO001",
            Self::Definition { .. } => "CXO002",
            Self::Window { .. } => "CXO003",
            Self::Time { .. } => "CXO004",
            Self::Catalogue { .. } => "CXO005",
            Self::StateMachine => "CXO006",
            Self::NotFound { .. } => "CXO007",
            Self::NotRedrivable { .. } => "CXO008",
            Self::Exists { .. } => "CXO009",
            Self::TooLarge { .. } => "CXO010",
            Self::Refused { .. } => "CXO011",
            Self::Unavailable { .. } => "CXO012",
            Self::Output(_) => "CXO013",
            Self::Template { .. } => "CXO014",
            Self::Schedule { .. } => "CXO015",
        }
    }

    /// How the process ends: 1 the definition is wrong, 2 the command line is, 3 AWS says no, 4 try again.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Definition { .. } | Self::TooLarge { .. } | Self::Schedule { .. } => 1,
            Self::File { .. }
            | Self::Window { .. }
            | Self::Time { .. }
            | Self::Catalogue { .. }
            | Self::Template { .. }
            | Self::StateMachine => 2,
            Self::NotFound { .. }
            | Self::NotRedrivable { .. }
            | Self::Exists { .. }
            | Self::Refused { .. } => 3,
            Self::Unavailable { .. } | Self::Output(_) => 4,
        }
    }
}

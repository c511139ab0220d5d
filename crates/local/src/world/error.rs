//! Why a world can't be started or used.

use std::io;
use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The state machine's definition can't be read.
    #[error("CXL201: the state machine {path} can't be read: {source}")]
    MachineFile { path: PathBuf, source: io::Error },
    /// Its placeholders and the values for them differ.
    #[error("CXL202: the state machine {path}: {source}")]
    Placeholders {
        path: PathBuf,
        source: asl::SubstituteError,
    },
    /// The definition is refused.
    #[error("CXL203: the state machine {path}: {source}")]
    Machine {
        path: PathBuf,
        source: asl::DefinitionError,
    },
    /// The folder for the objects can't be used.
    #[error("CXL204: the folder {path} can't be used: {source}; choose another one with --out")]
    Folder { path: PathBuf, source: io::Error },
    /// A port can't be opened.
    #[error("CXL205: {what} can't listen: {source}")]
    Port {
        what: &'static str,
        source: io::Error,
    },
    /// A handler has no executable.
    #[error("CXL206: there is no executable of the handler {0}")]
    Handler(&'static str),
    /// An execution can't be started.
    #[error("CXL207: the execution can't be started: {0}")]
    Start(#[from] asl::StartError),
    /// There is no such execution.
    #[error("CXL208: {0}")]
    Unknown(#[from] asl::UnknownExecution),
    /// It can't be redriven.
    #[error("CXL209: the execution can't be redriven: {0}")]
    Redrive(#[from] asl::RedriveError),
    /// The engine does not take the state machine.
    #[error("CXL210: {0}")]
    Register(#[from] asl::RegisterError),
    /// One of the stack's templates can't be read.
    #[error("CXL211: the template {path} can't be read: {source}")]
    Template { path: PathBuf, source: io::Error },
}

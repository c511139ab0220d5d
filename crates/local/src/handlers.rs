//! Finds or builds the handlers' executables.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

/// The handlers, by the names of their packages, functions and executables.
pub const NAMES: [&str; 6] = [
    "trigger",
    "poll-once",
    "fetch-page",
    "cancel",
    "finalize",
    "publish",
];
/// The package that has all dependencies of tests, and the smallest of its tests. Cargo counts what only tests depend on where it
/// builds one.
const TESTS: &str = "pipeline-tests";
const SMALL_TEST: &str = "messages";
/// Prefixes of the variables that cargo sets for a program that it runs. A cargo that this program starts must not see them:
/// build scripts depend on some of them and would run again.
const CARGO_VARIABLES: [&str; 6] = [
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_BIN_",
    "CARGO_CRATE_",
    "CARGO_PRIMARY_",
    "OUT_DIR",
];

/// The paths of the handlers' executables.
#[derive(Debug, Clone)]
pub struct Handlers(BTreeMap<String, PathBuf>);

#[derive(Debug, thiserror::Error)]
pub enum HandlersError {
    /// Cargo can't be started.
    #[error(
        "CXL101: {cargo} can't be started; set CARGO to it, or LOCAL_HANDLERS to a folder with the built handlers"
    )]
    NoCargo {
        cargo: String,
        #[source]
        source: io::Error,
    },
    #[error("CXL102: the handlers can't be built: {0}")]
    Build(String),
    /// An executable is not where it should be.
    #[error("CXL103: there is no handler {name} at {path}; build it, or unset LOCAL_HANDLERS")]
    Missing {
        name: String,
        /// Where it was looked for.
        path: PathBuf,
    },
}

impl Handlers {
    /// The handlers in the folder that `LOCAL_HANDLERS` names; without it they are built as tests have them.
    ///
    /// # Errors
    /// When one is missing, or can't be built.
    pub async fn from_env() -> Result<Self, HandlersError> {
        match std::env::var_os("LOCAL_HANDLERS") {
            Some(folder) => Self::in_folder(Path::new(&folder)),
            None => Self::build(Features::OfTests, Output::Captured).await,
        }
    }

    /// Executables that were built before: `{folder}/{name}`, or `{folder}/{name}/bootstrap` as cargo-lambda leaves them.
    ///
    /// # Errors
    /// When one is missing.
    pub fn in_folder(folder: &Path) -> Result<Self, HandlersError> {
        let find = |name: &str| {
            let path = folder.join(name);
            let bootstrap = path.join("bootstrap");
            let found = [&path, &bootstrap].into_iter().find(|path| path.is_file());
            let found = found.ok_or_else(|| HandlersError::Missing {
                name: name.to_owned(),
                path: path.clone(),
            })?;
            Ok((name.to_owned(), found.clone()))
        };
        NAMES
            .iter()
            .map(|name| find(name))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Builds the handlers with cargo, in the profile that this code was built in.
    ///
    /// Whichever features are chosen, `preserve_order` of `serde_json` is among them, which the state machine's expressions need and
    /// the deployed handlers, built by themselves, don't have: nothing that a handler stores depends on the order of a map. Cargo's
    /// lock makes it safe to call this from many processes at once.
    ///
    /// # Errors
    /// When cargo can't be started or the build fails.
    pub async fn build(features: Features, output: Output) -> Result<Self, HandlersError> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
        let built = build_command(&cargo, features, output).output().await;
        let built = built.map_err(|source| HandlersError::NoCargo {
            cargo: cargo.to_string_lossy().into_owned(),
            source,
        })?;
        if !built.status.success() {
            let messages = String::from_utf8_lossy(&built.stderr);
            return Err(HandlersError::Build(format!(
                "cargo {}\n{messages}",
                built.status
            )));
        }
        let executables = read_executables(&built.stdout);
        for name in NAMES {
            if !executables.contains_key(name) {
                return Err(HandlersError::Build(format!(
                    "cargo built no executable {name}"
                )));
            }
        }
        Ok(Self(executables))
    }

    /// The executable of a handler.
    #[must_use]
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.0.get(name).map(PathBuf::as_path)
    }
}

fn build_command(cargo: &OsStr, features: Features, output: Output) -> Command {
    let mut command = Command::new(cargo);
    command.current_dir(workspace());
    command.args([
        "build",
        "--locked",
        "--message-format=json-render-diagnostics",
    ]);
    command.args(match features {
        Features::OfThisProgram => &["-p", env!("CARGO_PKG_NAME")][..],
        Features::OfTests => &["-p", TESTS, "--test", SMALL_TEST],
    });
    command.args(NAMES.iter().flat_map(|name| ["-p", name, "--bin", name]));
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if CARGO_VARIABLES
            .iter()
            .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(match output {
        Output::Shown => Stdio::inherit(),
        Output::Captured => Stdio::piped(),
    });
    command.kill_on_drop(true);
    command
}

/// The features that cargo chooses for the dependencies follow from what is built together. With those that are there already, it
/// compiles nothing a second time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Features {
    /// Those of `cargo run -p local`.
    OfThisProgram,
    /// Those of `cargo test --workspace`, with what only tests ask of a dependency.
    OfTests,
}

/// Where cargo's messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// To this process's standard error.
    Shown,
    /// Into the error, if there is one.
    Captured,
}

/// The root of this workspace.
#[must_use]
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// The executables among cargo's messages.
fn read_executables(messages: &[u8]) -> BTreeMap<String, PathBuf> {
    #[derive(Deserialize)]
    struct Artifact {
        target: Target,
        executable: Option<PathBuf>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    let lines = messages.split(|byte| *byte == b'\n');
    let artifacts = lines.filter_map(|line| serde_json::from_slice::<Artifact>(line).ok());
    let built = artifacts.filter_map(|artifact| Some((artifact.target.name, artifact.executable?)));
    built.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_found_among_cargos_messages() {
        let messages =
            br#"{"reason":"compiler-artifact","target":{"name":"serde"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"trigger"},"executable":"/target/debug/trigger"}
{"reason":"build-finished","success":true}
"#;
        let found = read_executables(messages);
        assert_eq!(found.len(), 1);
        assert_eq!(found["trigger"], Path::new("/target/debug/trigger"));
    }
}

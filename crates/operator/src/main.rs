//! The command line `cxr`.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, SdkConfig};
use clap::Parser as _;
use operator::{Cli, CommandError, Context, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let context = Context {
        out: &mut std::io::stdout().lock(),
        now: jiff::Timestamp::now(),
        pause: Duration::from_secs(1),
        width: find_width(),
        cache: find_cache_folder(),
        answer: std::io::stdin().is_terminal().then_some(read_answer),
        aws: load_aws_config,
    };
    match run(Cli::parse(), context).await {
        Ok(code) => code.into(),
        Err(error) => {
            if !is_closed_pipe(&error) {
                let _ = writeln!(std::io::stderr(), "{}: {error}", error.code());
            }
            error.exit_code().into()
        }
    }
}

/// Whether nobody reads the output any more, as in `cxr status | head`: there is nobody to tell either.
fn is_closed_pipe(error: &CommandError) -> bool {
    matches!(error, CommandError::Output(error) if error.kind() == ErrorKind::BrokenPipe)
}

/// The line that a person types.
fn read_answer() -> std::io::Result<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line)
}

/// How wide the terminal is, if the output goes to one.
fn find_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    Some(width.0.into())
}

/// The user's cache folder, by the rules of the system.
#[expect(clippy::disallowed_methods, reason = "this is `main`")]
fn find_cache_folder() -> Option<PathBuf> {
    let folder = |name| std::env::var(name).ok().filter(|it| !it.is_empty());
    let home = || std::env::home_dir().filter(|it| !it.as_os_str().is_empty());
    let caches = if cfg!(windows) {
        folder("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library/Caches"))
    } else {
        let given = folder("XDG_CACHE_HOME").map(PathBuf::from);
        given.or_else(|| Some(home()?.join(".cache")))
    };
    Some(caches?.join("cxr"))
}

/// `ListExecutions` allows five calls a second, so the SDK retries more often than by default.
async fn load_aws_config() -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(8))
        .load()
        .await
}

//! The command line `cxr`.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;
use operator::{Cli, Context, describe_error, describe_usage, run};

fn main() -> ExitCode {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    match runtime.enable_all().build() {
        Ok(runtime) => {
            let code = runtime.block_on(run_command());
            // The search for an address may last longer than anybody waits.
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "{error}");
            ExitCode::FAILURE
        }
    }
}

async fn run_command() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse_usage(&error),
    };
    let is_json = cli.is_json();
    let context = Context {
        out: &mut std::io::stdout().lock(),
        now: jiff::Timestamp::now(),
        pause: Duration::from_secs(1),
        width: find_width(),
        cache: find_cache_folder(),
        answer: std::io::stdin().is_terminal().then_some(read_answer),
        aws: cli.aws_loader(),
    };
    let result = match cli.check_profile(has_keys()) {
        Ok(()) => Box::pin(run(cli, context)).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(code) => code.into(),
        Err(error) => {
            if error.is_closed_pipe() {
                // There is nobody to tell. A shell shows this for a program that such a pipe ended.
                return 141.into();
            }
            let told = describe_error(&error, is_json);
            let _ = writeln!(std::io::stderr(), "{told}");
            error.exit_code().into()
        }
    }
}

/// Prints the help that was asked for, or says what is wrong with the command line.
fn refuse_usage(error: &clap::Error) -> ExitCode {
    let args = std::env::args_os().map(|it| it.to_string_lossy().into_owned());
    let args: Vec<String> = args.collect();
    let is_json = args
        .iter()
        .any(|it| it == "--json" || it == "--format=json")
        || args.windows(2).any(|two| two == ["--format", "json"]);
    if error.use_stderr() && is_json {
        let _ = writeln!(std::io::stderr(), "{}", describe_usage(error));
    } else {
        // Nobody may read it any more, and then there is nobody to tell.
        let _ = error.print();
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// Whether the environment has keys, which the SDK takes before those of any profile.
fn has_keys() -> bool {
    std::env::var_os("AWS_ACCESS_KEY_ID").is_some_and(|it| !it.is_empty())
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

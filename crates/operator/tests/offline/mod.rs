//! A command that needs no network, run in the test's own process.

use clap::Parser as _;
use operator::{Cli, CommandError, Context, run};

/// How the command ends at this moment, and what it prints.
pub(crate) async fn cxr_at(now: &str, args: &[&str]) -> (Result<u8, CommandError>, String) {
    let mut out = Vec::new();
    let context = Context {
        out: &mut out,
        now: now.parse().unwrap(),
        pause: std::time::Duration::ZERO,
        width: None,
        cache: None,
        answer: None,
        aws: async || panic!("no network"),
    };
    let cli = Cli::try_parse_from([&["cxr"], args].concat()).unwrap();
    let result = run(cli, context).await;
    (result, String::from_utf8(out).unwrap())
}

//! Which state machine is meant.

use operator::CommandError;

use crate::states::{MACHINE, Server};
use crate::{cxr, make_context, run_line};

/// Runs a command without `--state-machine`.
async fn cxr_alone(server: &Server, args: &[&str]) -> (Result<u8, CommandError>, String) {
    let mut out = Vec::new();
    let context = make_context(&mut out, async || server.config());
    let result = run_line(args, context).await;
    (result, String::from_utf8(out).unwrap())
}

#[tokio::test]
async fn a_stack_is_as_good_as_the_arn_of_its_state_machine() {
    let server = Server::start().await;
    for command in ["list", "status", "calendar"] {
        let (ended, said) = cxr_alone(&server, &[command, "--stack", "reports-stack"]).await;
        assert_eq!(ended.unwrap(), 0, "{said}");
        let named = cxr(&server, &[command]).await.1;
        assert_eq!(said, named, "{command}");
    }
    let (ended, said) = cxr_alone(&server, &["list", "--stack", "report-stack"]).await;
    let error = ended.unwrap_err();
    assert_eq!(
        (error.code(), error.exit_code(), said.as_str()),
        ("CXO046", 3, "")
    );
    let told = "stack \"report-stack\" does not exist; the stacks with such a state machine in eu-central-1 are: reports-stack";
    assert_eq!(error.to_string(), told);
}

#[tokio::test]
async fn a_state_machine_that_does_not_exist_is_told_with_those_that_do() {
    let server = Server::start().await;
    let wrong = MACHINE.replace(":reports", ":report");
    for command in [&["list"][..], &["status"], &["calendar"]] {
        let args = [command, &["--state-machine", &wrong]].concat();
        let error = cxr_alone(&server, &args).await.0.unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("CXO046", 3));
        let told = format!(
            "{wrong} does not exist; the state machines in eu-central-1 are: backfill, reports"
        );
        assert_eq!(error.to_string(), told);
    }
    let error = cxr(&server, &["show", MACHINE]).await.0.unwrap_err();
    assert_eq!(error.code(), "CXO027");
    assert!(
        error.to_string().contains("this is the state machine"),
        "{error}"
    );
}

/// What the command line says twice has to agree.
#[tokio::test]
async fn another_region_than_that_of_the_state_machine_is_refused() {
    let server = Server::start().await;
    let (ended, _) = cxr(&server, &["list", "--region", "eu-central-1"]).await;
    assert_eq!(ended.unwrap(), 0);
    let error = cxr(&server, &["list", "--region", "us-east-1"])
        .await
        .0
        .unwrap_err();
    assert_eq!((error.code(), error.exit_code()), ("CXO044", 2));
    assert_eq!(server.count_calls(), 1);
}

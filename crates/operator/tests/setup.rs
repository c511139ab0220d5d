//! How `cxr` reaches AWS, tried with the program itself: what is wrong with the set-up is named as that, and within seconds.

#![expect(
    clippy::unwrap_used,
    reason = "a test that can't go on should say where"
)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread::JoinHandle;

const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:reports";

/// Asks Step Functions first.
const LIST: [&str; 3] = ["list", "--state-machine", MACHINE];

/// Asks S3 first.
const STATUS: [&str; 5] = ["status", "--bucket", "b", "--region", "eu-central-1"];

/// `cxr` in an environment with nothing of this machine's.
fn cxr(home: &Path, args: &[&str], env: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cxr"));
    command
        .args(args)
        .env_clear()
        .env("HOME", home)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .envs(env.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(args: &[&str], env: &[(&str, &str)]) -> Output {
    let home = tempfile::tempdir().unwrap();
    cxr(home.path(), args, env).output().unwrap()
}

/// A run that failed said one line on the standard error, and nothing else.
fn check_refused(output: &Output, code: i32, told: &str) {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(said.contains(told), "{told}\n{said}");
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(output.stdout.is_empty());
    for dump in ["Some(", "{ ", "Error {"] {
        assert!(!said.contains(dump), "{said}");
    }
}

const KEYS: [(&str, &str); 2] = [
    ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
];

#[test]
fn what_is_wrong_with_the_set_up_is_named_as_that() {
    let (list, status) = (LIST, STATUS);
    let with_keys = |extra: &[(&'static str, &'static str)]| [&KEYS, extra].concat();
    let [closed, nonsense, no_host, of_file] = [
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL", "nonsense"),
        ("AWS_ENDPOINT_URL", "http:///path"),
        ("AWS_ENDPOINT_URL", "file:///etc/passwd"),
    ];
    let unknown = ("AWS_ENDPOINT_URL", "http://no-such-host.invalid");
    let named = ("STATE_MACHINE_ARN", "report-pipeline");
    for (args, env, code, told) in [
        (
            &["list"][..],
            vec![],
            2,
            "CXO006: no state machine is named: set STATE_MACHINE_ARN",
        ),
        (
            &["list"],
            vec![named],
            2,
            "CXO006: \"report-pipeline\" is not the ARN of a state machine",
        ),
        (
            &list,
            vec![],
            3,
            "CXO043: no AWS credentials: there are none in the environment",
        ),
        (
            &[&list[..], &["--profile", "nope"]].concat(),
            vec![],
            3,
            "CXO043: no AWS credentials: ",
        ),
        (
            &list,
            with_keys(&[nonsense]),
            2,
            "is \"nonsense\", which is not a URL",
        ),
        (&list, with_keys(&[no_host]), 2, "which is not a URL"),
        (&list, with_keys(&[of_file]), 2, "which is not a URL"),
        (
            &list,
            with_keys(&[closed]),
            4,
            "CXO012: ListExecutions: no connection to 127.0.0.1:1: Connection refused",
        ),
        (
            &list,
            with_keys(&[unknown]),
            4,
            "CXO012: ListExecutions: no connection to no-such-host.invalid: ",
        ),
        (
            &["status"],
            vec![],
            2,
            "CXO028: nothing says which bucket the rows are in; set STATE_MACHINE_ARN",
        ),
        (
            &["tenant", "list"],
            with_keys(&[]),
            2,
            "CXO044: no AWS region is set",
        ),
        (
            &["list", "--stack", "reports"],
            with_keys(&[]),
            2,
            "CXO044: no AWS region is set",
        ),
        (
            &["status", "--bucket", "b"],
            with_keys(&[]),
            2,
            "CXO044: no AWS region is set",
        ),
        (
            &status,
            with_keys(&[closed]),
            4,
            "CXO012: S3: ListObjectsV2 on s3://b/: no connection to 127.0.0.1:1: Connection refused",
        ),
        (
            &status,
            with_keys(&[unknown]),
            4,
            "CXO012: S3: ListObjectsV2 on s3://b/: no connection to no-such-host.invalid: ",
        ),
        (
            &status,
            with_keys(&[("AWS_ENDPOINT_URL_S3", "nonsense")]),
            2,
            "is \"nonsense\", which is not a URL",
        ),
    ] {
        check_refused(&run(args, &env), code, told);
    }
}

/// Answers the first connection once it is told to.
fn answer_one(
    answer: &'static str,
    may_answer: impl FnOnce() + Send + 'static,
) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let thread = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        read_request(&mut stream);
        may_answer();
        stream.write_all(answer.as_bytes()).unwrap();
    });
    (host, thread)
}

/// Reads the head of a request.
fn read_request(stream: &mut TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while reader.read_line(&mut head).unwrap() > 2 {}
    head
}

#[test]
fn what_answers_in_the_place_of_aws_is_told_apart_from_it() {
    let page = "content-type: text/html\r\ncontent-length: 4\r\nconnection: close\r\n\r\nHi!\n";
    for (status, rest) in [
        ("502 Bad Gateway", page),
        (
            "502 Bad Gateway",
            "content-length: 0\r\nconnection: close\r\n\r\n",
        ),
        (
            "503 Service Unavailable",
            "content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}",
        ),
        ("200 OK", page),
        ("302 Found", page),
        ("403 Forbidden", page),
    ] {
        for (args, operation) in [
            (&LIST[..], "ListExecutions"),
            (&STATUS, "S3: ListObjectsV2 on s3://b/"),
        ] {
            let answer = format!("HTTP/1.1 {status}\r\n{rest}");
            let (host, thread) = answer_one(answer.leak(), || ());
            let endpoint = format!("http://{host}");
            let env = [&KEYS[..], &[("AWS_ENDPOINT_URL", endpoint.as_str())]].concat();
            let output = run(args, &env);
            let status = &status[..3];
            let told = format!(
                "CXO045: {operation}: an answer that is not AWS's (HTTP {status} from {host}); look for a proxy"
            );
            check_refused(&output, 4, &told);
            thread.join().unwrap();
        }
    }
}

/// A session that has ended is told alike, whichever service says so.
#[test]
fn credentials_that_have_expired_are_named_as_that() {
    let of_states = (
        "application/x-amz-json-1.0",
        r#"{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token included in the request is expired"}"#,
    );
    let of_s3 = (
        "application/xml",
        "<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>",
    );
    for (args, (kind, body)) in [(&LIST[..], of_states), (&STATUS, of_s3)] {
        let length = body.len();
        let answer = format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-type: {kind}\r\nx-amzn-requestid: 1\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        );
        let (host, thread) = answer_one(answer.leak(), || ());
        let endpoint = format!("http://{host}");
        let env = [&KEYS[..], &[("AWS_ENDPOINT_URL", endpoint.as_str())]].concat();
        let told =
            "CXO043: no AWS credentials: those there are have expired; sign in with aws sso login";
        check_refused(&run(args, &env), 3, told);
        thread.join().unwrap();
    }
}

/// The answer comes only after the line was read, so that no machine is too slow for it.
#[test]
fn a_person_who_waits_is_told_for_whom() {
    let (may_answer, told) = std::sync::mpsc::channel::<()>();
    let answer = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let (host, thread) = answer_one(answer, move || told.recv().unwrap());
    let endpoint = format!("http://{host}");
    let env = [&KEYS[..], &[("AWS_ENDPOINT_URL", endpoint.as_str())]].concat();
    let home = tempfile::tempdir().unwrap();
    let list = ["list", "--state-machine", MACHINE];
    let mut child = cxr(home.path(), &list, &env).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    stderr.read_line(&mut line).unwrap();
    assert_eq!(line, format!("waiting for {host} …\n"));
    may_answer.send(()).unwrap();
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert!(rest.starts_with("CXO045"), "{rest}");
    assert_eq!(child.wait().unwrap().code(), Some(4));
    thread.join().unwrap();
}

/// Answers so many requests, each with a text of JSON, and returns their heads.
fn answer_all(bodies: Vec<&'static str>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let thread = std::thread::spawn(move || {
        let heads = bodies.into_iter().map(|body| {
            let (mut stream, _) = listener.accept().unwrap();
            let head = read_request(&mut stream);
            let kind = "content-type: application/x-amz-json-1.0\r\nconnection: close";
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\n{kind}\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
            head
        });
        heads.collect()
    });
    (endpoint, thread)
}

/// A home folder with an AWS configuration.
fn home_with(config: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(home.path().join(".aws/sso/cache")).unwrap();
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    home
}

/// Lists executions with a profile `ops`, against an endpoint, in an environment that names another region.
fn list_as_ops(home: &Path, endpoint: &str) -> Output {
    let env = [
        ("AWS_ENDPOINT_URL", endpoint),
        ("AWS_REGION", "us-west-2"),
        ("STATE_MACHINE_ARN", MACHINE),
        ("PATH", "/usr/bin:/bin"),
    ];
    cxr(home, &["list", "--profile", "ops"], &env)
        .output()
        .unwrap()
}

const NO_EXECUTIONS: &str = r#"{"executions":[]}"#;

/// The region that the answer was asked in is in the signature.
#[test]
fn a_profile_signs_in_and_the_region_of_the_arn_counts() {
    let keys = r#"{"Version":1,"AccessKeyId":"AKIDPROCESS","SecretAccessKey":"secret"}"#;
    let home = home_with(&format!(
        "[profile ops]\nregion = us-east-1\ncredential_process = echo '{keys}'\n"
    ));
    let (endpoint, thread) = answer_all(vec![NO_EXECUTIONS]);
    let output = list_as_ops(home.path(), &endpoint);
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "0 executions\n");
    let head = &thread.join().unwrap()[0];
    assert!(head.contains("Credential=AKIDPROCESS/"), "{head}");
    assert!(head.contains("/eu-central-1/states/"), "{head}");
}

#[test]
fn a_profile_with_sso_signs_in_once_its_owner_has() {
    let home = home_with(
        "[profile ops]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Operators\n\
         [sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp.awsapps.com/start\n",
    );
    let refused = list_as_ops(home.path(), "http://127.0.0.1:1");
    check_refused(&refused, 3, "CXO043: no AWS credentials: ");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("sign in with aws sso login"), "{said}");

    // As `aws sso login` leaves it: the SHA-1 of the session's name.
    let token = r#"{"accessToken":"tok","expiresAt":"2099-01-01T00:00:00Z","region":"eu-central-1","startUrl":"https://corp.awsapps.com/start"}"#;
    let cached = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
    std::fs::write(home.path().join(cached), token).unwrap();
    let role = r#"{"roleCredentials":{"accessKeyId":"AKIDSSO","secretAccessKey":"s","sessionToken":"t","expiration":4070908800000}}"#;
    let (endpoint, thread) = answer_all(vec![role, NO_EXECUTIONS]);
    let output = list_as_ops(home.path(), &endpoint);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "0 executions\n",
        "{said}"
    );
    let heads = thread.join().unwrap();
    assert!(
        heads[0].starts_with("GET /federation/credentials?"),
        "{}",
        heads[0]
    );
    assert!(heads[1].contains("Credential=AKIDSSO/"), "{}", heads[1]);
}

/// As in `cxr explain | head -1`: nobody is there to be told.
#[test]
fn an_output_that_nobody_reads_is_no_error() {
    let report = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../infra/reports/daily-agent-performance.json"
    );
    let window = ["--window", "2026-06-01"];
    for args in [
        &["--help"][..],
        &["help", "status"],
        &["--version"],
        &["check", report],
        &["explain"],
        &["schema"],
        &["schema", "output"],
        &["plan", report, window[0], window[1]],
        &["event", report, window[0], window[1]],
        &["dbt", "--for", "duckdb", report],
        &["completions", "bash"],
        &["man"],
    ] {
        for format in [&[][..], &["--json"]] {
            let home = tempfile::tempdir().unwrap();
            let (reader, writer) = std::io::pipe().unwrap();
            drop(reader);
            let args = [format, args].concat();
            let output = cxr(home.path(), &args, &[])
                .stdout(writer)
                .output()
                .unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(said, "", "{args:?}");
        }
    }
}

/// What is not written to a terminal has nothing but text, whatever the environment says of colours.
#[test]
fn there_are_no_escapes_without_a_terminal() {
    for env in [
        &[][..],
        &[("TERM", "xterm-256color")],
        &[("NO_COLOR", "1")],
        &[("TERM", "dumb")],
    ] {
        for args in [
            &["--help"][..],
            &["explain", "CXD030"],
            &["explain", "nothing"],
            &["show", "--nothing"],
            &["list"],
            &["show", "--nothing", "--json"],
        ] {
            let output = run(args, env);
            let said = [output.stdout, output.stderr].concat();
            assert!(!said.contains(&0x1b), "{args:?} {env:?}");
        }
    }
}

/// With `--json` an error is a document too, also of a command line that can't be understood.
#[test]
fn an_error_in_json_is_alone_on_the_standard_error() {
    for (args, code, exit_code) in [
        (&["list", "--json"][..], "CXO006", 2),
        (&["list", "--format", "json"], "CXO006", 2),
        (&["list", "--nothing", "--json"], "CXO048", 2),
        (&["--format=json", "shwo"], "CXO048", 2),
        (&["explain", "nothing", "--json"], "CXO047", 2),
        (&["list", "--json", "--state-machine", MACHINE], "CXO043", 3),
    ] {
        let output = run(args, &[]);
        assert_eq!(output.stdout, b"", "{args:?}");
        assert_eq!(output.status.code(), Some(exit_code), "{args:?}");
        let document: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
        assert_eq!(
            (&document["v"], &document["kind"]),
            (&1.into(), &"error".into())
        );
        assert_eq!(
            (&document["code"], &document["exitCode"]),
            (&code.into(), &exit_code.into())
        );
    }
}

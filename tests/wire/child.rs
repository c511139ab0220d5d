//! What depends on a process's environment, or has to be measured, is done in a process of its own: this test
//! binary once more, with a task in its environment.

use std::collections::HashMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use cxone::{AccessToken, Client, Limits};
use cxone_sim::{Kind, Options};
use definition::{Dialect, RunId};
use serde_json::{Value, json};
use tokens::Tenants;
use tokio::process::Command;

use crate::harness::{self, ClientUnderTest, faults, limits, small};
use crate::raw::{Raw, answer};
use crate::secrets::{self, Secrets};

const TASK: &str = "WIRE_TASK";
const ANSWER: &str = "the answer is ";

/// Runs a task in a process that has these variables and no others of ours.
pub(crate) async fn ask(task: &str, variables: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "child::a_process_of_its_own",
            "--nocapture",
            "--test-threads=1",
        ])
        .env_clear()
        .env(TASK, task)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let output = tokio::time::timeout(Duration::from_secs(30), output)
        .await
        .unwrap()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let answer = said
        .lines()
        .find_map(|line| line.split_once(ANSWER).map(|(_, answer)| answer));
    answer
        .unwrap_or_else(|| panic!("{said}{}", String::from_utf8_lossy(&output.stderr)))
        .to_owned()
}

#[expect(clippy::disallowed_methods, reason = "the task is in the environment")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// In the usual run of the tests there is no task, and nothing to do.
#[tokio::test]
async fn a_process_of_its_own() {
    let base = || variable("WIRE_BASE").unwrap();
    let answer = match variable(TASK).as_deref() {
        None => return,
        Some("grant") => grant(&harness::client(&base(), limits())).await,
        Some("look") => look().await,
        Some("page") => page(&harness::client(&base(), Limits::default())).await,
        Some(other) => panic!("no task {other}"),
    };
    println!("{ANSWER}{answer}");
}

async fn grant(client: &Client) -> String {
    match client.sign_in(&harness::credentials()).await {
        Ok(_) => "granted".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn run() -> RunId {
    variable("WIRE_RUN").unwrap().parse().unwrap()
}

/// A look as a handler makes it, with all its patience.
async fn look() -> String {
    let sdk = secrets::sdk(&variable("WIRE_SECRETS").unwrap());
    let tenants = Tenants::from_environment(&handler::process_environment(), sdk).unwrap();
    let session = tenants.open_session(&"acme".parse().unwrap());
    let run = run();
    match session
        .call(async |client, token| client.poll_run(token, Dialect::Analytics, &run).await)
        .await
    {
        Ok(look) => format!("{look:?}"),
        Err(error) => error.to_string(),
    }
}

/// A look in a process that is told of a tenant as handlers are.
async fn look_from_outside(secrets: &Secrets, run: &RunId) -> String {
    let kept = secrets.url();
    let variables = [
        ("CXONE_SECRET_PREFIX", "cxone/"),
        ("WIRE_SECRETS", &kept),
        ("WIRE_RUN", run.as_str()),
    ];
    ask("look", &variables).await
}

/// A page, and by how many KiB the process has grown over it.
async fn page(client: &Client) -> String {
    let token = AccessToken::new(variable("WIRE_TOKEN").unwrap()).unwrap();
    let definition = harness::definition("json");
    // Once without harm, so that everything is there that is needed once.
    let calm = variable("WIRE_CALM").unwrap().parse().unwrap();
    harness::read(
        client
            .open_page(
                &token,
                harness::page_of(&definition, &calm, &harness::window(), None),
            )
            .await
            .unwrap(),
    )
    .await
    .unwrap();
    let before = most_kib();
    let read = match client
        .open_page(
            &token,
            harness::page_of(&definition, &run(), &harness::window(), None),
        )
        .await
    {
        Ok(page) => harness::read(page).await,
        Err(error) => Err(error),
    };
    let said = read.map_or_else(
        |error| error.to_string(),
        |(rows, _)| format!("{} rows", rows.len()),
    );
    format!("{} {said}", most_kib() - before)
}

/// The most memory that this process ever had.
fn most_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    field("VmHWM:").or_else(|| field("VmRSS:")).unwrap_or(0)
}

/// What a handler's look comes to, after how long, and how often the tenant was asked.
async fn patience(spec: &str) -> (String, Duration, usize) {
    let under_test = ClientUnderTest::with(small(), limits(), "json").await;
    let run = under_test.start().await.unwrap();
    under_test.tenant.set_faults(faults(spec));
    let secrets = Secrets::reaching(&under_test.tenant).await;
    let began = Instant::now();
    let said = look_from_outside(&secrets, &run).await;
    (said, began.elapsed(), under_test.asked(Kind::Look).len())
}

/// A01, A02, A05, A06: what a handler waits for itself, and what it leaves to the state machine.
#[tokio::test]
async fn a_handler_waits_shortly_and_tries_a_few_times() {
    const COMPLETED: &str = "Completed";
    let cases = [
        ("throttled:on=look,seconds=1,times=2", COMPLETED, 2, 3),
        // No pause at all is no licence to ask as fast as answers come.
        ("throttled:on=look,seconds=0,times=2", COMPLETED, 2, 3),
        (
            "throttled:on=look,retry-after=past,times=2",
            COMPLETED,
            2,
            3,
        ),
        (
            "throttled:on=look,seconds=21",
            "look at run: throttled, retry after 21 s",
            0,
            1,
        ),
        (
            "throttled:on=look,retry-after=none",
            "look at run: throttled",
            0,
            1,
        ),
        (
            "throttled:on=look,retry-after=huge",
            "look at run: throttled",
            0,
            1,
        ),
        (
            "throttled:on=look,seconds=18446744073709551615",
            "look at run: throttled, retry after 18446744073709551615 s",
            0,
            1,
        ),
        ("unavailable:on=look,times=4", COMPLETED, 1, 5),
        (
            "unavailable:on=look,times=forever",
            "look at run: unavailable: status 503",
            1,
            5,
        ),
        ("refused:on=look,times=2", COMPLETED, 0, 3),
        ("non-http:on=look", COMPLETED, 0, 2),
        (
            "unavailable:on=look,status=501",
            "look at run: rejected (status 501): unavailable: try again later",
            0,
            1,
        ),
        (
            "html-200:on=look",
            "look at run: the answer breaks the contract: the answer is of the type text/html",
            0,
            1,
        ),
    ];
    let played = cases.map(|(spec, ..)| patience(spec));
    let played = futures_util::future::join_all(played).await;
    for ((spec, expected, least, asked), (said, took, count)) in cases.iter().zip(played) {
        assert_eq!(said, *expected, "{spec}");
        assert_eq!(count, *asked, "{spec}");
        assert!(took >= Duration::from_secs(*least), "{spec}: {took:?}");
    }
}

/// What a handler's look comes to where the tenant's issuer says where its API is.
async fn discovered(spec: &str, credentials: &Value, token_path: Option<&str>) -> String {
    let under_test = ClientUnderTest::with(small(), limits(), "json").await;
    let run = under_test.start().await.unwrap();
    under_test.tenant.set_faults(faults(spec));
    let issuer = under_test.tenant.base_url();
    let mut secret = credentials.clone();
    if let Some(path) = token_path {
        secret["token_url"] = format!("{issuer}{path}").into();
    }
    secret["tenant_id"] = "sim-tenant".into();
    secret["issuer"] = issuer.into();
    look_from_outside(&Secrets::holding(&secret).await, &run).await
}

/// A30 to A33 where the issuer is asked: what passes is waited for, and what does not is told without an address.
#[tokio::test]
async fn a_handler_finds_the_api_by_its_tenants_id() {
    let client = json!({"client_id": harness::CLIENT_ID, "client_secret": harness::CLIENT_SECRET});
    let cases = [
        ("", "Completed"),
        ("unavailable:on=discovery,times=2", "Completed"),
        ("throttled:on=discovery,seconds=1", "Completed"),
        (
            "throttled:on=discovery,seconds=21",
            "discover the tenant: throttled, retry after 21 s",
        ),
        (
            "discovery-404",
            "discover the tenant: secret cxone/acme: the issuer does not know the tenant of tenant_id; correct tenant_id or issuer",
        ),
        (
            "discovery-foreign:to=other-host",
            "discover the tenant: secret cxone/acme: the issuer names an API for the tenant of tenant_id at a host that is not listed; if it is right, add its domain to api_hosts",
        ),
        (
            "discovery-foreign:to=missing",
            "discover the tenant: the answer breaks the contract: the answer has no api_endpoint",
        ),
        // A throttled grant is a throttled call.
        (
            "throttled:on=token,seconds=21",
            "sign in: throttled, retry after 21 s",
        ),
    ];
    let played = cases.map(|(spec, _)| discovered(spec, &client, None));
    let played = futures_util::future::join_all(played).await;
    for ((spec, expected), said) in cases.iter().zip(played) {
        assert_eq!(said, *expected, "{spec}");
    }
}

/// The three ways to sign in, at a tenant that nobody taught what our client does.
#[tokio::test]
async fn a_handler_signs_in_as_the_fields_of_its_secret_say() {
    let client = json!({"client_id": harness::CLIENT_ID, "client_secret": harness::CLIENT_SECRET});
    let key = json!({"access_key_id": "SIMKEY/1==", "access_key_secret": "sim+key/secret=="});
    let mut both = client.clone();
    both["access_key_id"] = key["access_key_id"].clone();
    both["access_key_secret"] = key["access_key_secret"].clone();
    let user_hub = "/authentication/v1/token/access-key";
    for (secret, path) in [(&client, None), (&both, None), (&key, Some(user_hub))] {
        assert_eq!(discovered("", secret, path).await, "Completed", "{secret}");
    }
    // A key that UserHub refuses, and one that would go to the issuer's endpoint: the fields and the URL are named, the key is not.
    let mut wrong = key.clone();
    wrong["access_key_secret"] = "sim+key/wrong==".into();
    for (secret, path, told) in [
        (
            &wrong,
            Some(user_hub),
            "an access_key_secret that are valid",
        ),
        (
            &key,
            None,
            "secret cxone/acme: its field token_url is missing",
        ),
    ] {
        let said = discovered("", secret, path).await;
        assert!(said.contains(told), "{said}");
        assert!(said.contains("/token/access-key"), "{said}");
        assert!(
            !said.contains("SIMKEY") && !said.contains("sim+key"),
            "{said}"
        );
    }
}

/// A27: a proxy that the environment names gets nothing, least of all the client secret.
#[tokio::test]
async fn a_proxy_of_the_environment_is_not_used() {
    let under_test = ClientUnderTest::new("", "json").await;
    let proxy = Raw::answering(answer(200, "application/json", "{}")).await;
    let (base, there) = (under_test.tenant.base_url(), proxy.url());
    let names = [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ];
    let mut variables = names.map(|name| (name, there.as_str())).to_vec();
    variables.push(("WIRE_BASE", &base));
    assert_eq!(ask("grant", &variables).await, "granted");
    assert_eq!(proxy.requests(), Vec::<String>::new());
    // Of a host that is not loopback as well, though there is nobody.
    variables.pop();
    variables.push(("WIRE_BASE", "https://no-such-host.invalid"));
    assert!(
        ask("grant", &variables)
            .await
            .starts_with("sign in: unavailable: ")
    );
    assert_eq!(proxy.requests(), Vec::<String>::new());
}

/// A21, A70: hostile pages by their kind, what is said of them, and how many MiB they may cost.
#[tokio::test]
async fn hostile_pages_do_not_fill_the_memory() {
    let cases = HashMap::from([
        (
            "bomb:mib=2048,run=2",
            ("the body unpacks to more than 200 times its size", 4),
        ),
        // As large as the largest row that is taken, and twice that while it is moved.
        (
            "huge-row:bytes=33554432",
            ("row 1 is larger than 16777216 bytes", 50),
        ),
        ("depth-bomb:depth=2000000", ("nested more than 127 deep", 4)),
        (
            "token-huge:bytes=5000000",
            ("a field is larger than 256 KiB", 4),
        ),
    ]);
    for (spec, (expected, mib)) in cases {
        // Few rows, so that what the calm page costs is known to be little.
        let under_test = ClientUnderTest::with(
            Options {
                rows: 40,
                ..small()
            },
            limits(),
            "json",
        )
        .await;
        let calm = under_test.start().await.unwrap();
        under_test.tenant.set_faults(faults(spec));
        let run = under_test.start().await.unwrap();
        let base = under_test.tenant.base_url();
        let variables = [
            ("WIRE_BASE", base.as_str()),
            ("WIRE_TOKEN", under_test.token.expose()),
            ("WIRE_CALM", calm.as_str()),
            ("WIRE_RUN", run.as_str()),
        ];
        let said = ask("page", &variables).await;
        let (kib, said) = said.split_once(' ').unwrap();
        assert!(said.contains(expected), "{spec}: {said}");
        let grown: u64 = kib.parse().unwrap();
        println!("{spec}: {grown} KiB");
        assert!(grown <= mib << 10, "{spec}: {grown} KiB");
    }
}

//! Group 5: hostile input (A80 to A88).

use std::time::Duration;

use cxone::{AccessToken, Error};
use cxone_sim::{Kind, fault_table};
use definition::{RunId, ScheduleId};
use tokio::net::TcpListener;

use crate::cases::Call::{File, Start};
use crate::cases::Outcome::{Config, Contract, Failed};
use crate::cases::{Call, check};
use crate::harness::{self, ClientUnderTest, limits};

/// A80, A82: every place that nobody should be sent to. `check` asserts that the URL is not told.
#[tokio::test]
async fn a_link_is_followed_only_to_where_the_configuration_says() {
    const REFUSED: [(&str, &str); 20] = [
        (
            "other-host",
            "host files.evil.example, which the settings don't list",
        ),
        ("ip", "names an address"),
        ("metadata", "not https"),
        ("mapped", "names an address"),
        ("ipv6", "names an address"),
        ("decimal", "names an address"),
        ("octal", "names an address"),
        ("hex", "names an address"),
        ("full-width", "not a URL"),
        ("http", "not https"),
        ("port", "names a port"),
        ("userinfo", "names a user"),
        ("backslash", "not a URL"),
        (
            "fragment",
            "host evil.example, which the settings don't list",
        ),
        (
            "suffix",
            "host evilniceincontact.com, which the settings don't list",
        ),
        ("file", "not https"),
        ("relative", "is relative, so that it names no host"),
        ("empty", "not a URL"),
        ("null", "neither rows nor a download URL"),
        ("decoy", "not https"),
    ];
    let specs = REFUSED.map(|(to, _)| format!("download-url:to={to}"));
    for ((to, reason), spec) in REFUSED.iter().zip(&specs) {
        assert!(fault_table().contains(to));
        let under_test = ClientUnderTest::new(spec, "csv").await;
        let run = under_test.start().await.unwrap();
        let error = under_test.page(&run, None).await.unwrap_err();
        // A host is told, because somebody may have to list it; anything else of a link is not.
        let (Error::Contract { what, .. } | Error::Config { what, .. }) = &error else {
            panic!("{to}: {error}")
        };
        let is_host = matches!(error, Error::Config { .. });
        assert_eq!(is_host, reason.starts_with("host "), "{to}: {error}");
        assert!(what.contains(reason), "{to}: {what}");
        under_test.tells_nothing(&error).unwrap();
        assert_eq!(
            (
                under_test.tenant.decoy_hits(),
                under_test.asked(Kind::Download).len()
            ),
            (0, 0),
            "{to}"
        );
    }
    let choices = fault_table()
        .lines()
        .find(|line| line.contains("`download-url`"))
        .map(|line| line.matches("\\|").count() + 1);
    assert_eq!(choices, Some(REFUSED.len()), "all that the tenant can do");
}

/// A80: the link is its own key.
#[tokio::test]
async fn the_token_is_not_sent_to_where_files_are() {
    let under_test = ClientUnderTest::new("", "csv").await;
    let run = under_test.start().await.unwrap();
    assert_eq!(under_test.read(&run).await.unwrap().rows.len(), 60);
    let downloads = under_test.asked(Kind::Download);
    assert_eq!(
        downloads
            .iter()
            .map(|asked| asked.authorized)
            .collect::<Vec<_>>(),
        [false]
    );
    assert!(
        under_test
            .asked(Kind::Look)
            .iter()
            .all(|asked| asked.authorized)
    );
}

/// D04, D05: which hosts get the token is a matter of the settings, and a link never is one.
#[tokio::test]
async fn the_token_goes_to_the_hosts_that_are_listed_for_it() {
    use crate::raw::{Raw, answer};
    let columns = "agentId,agentName,queueName,handleTime,callsHandled,avgHandleTime\r\n";
    let wants_token = |request: &str| {
        let is_known = request.contains("authorization: Bearer canary-token\r\n");
        let status = if is_known { 200 } else { 401 };
        answer(status, "text/csv", columns)
    };
    for (list, path, expected) in [
        ("api_hosts", "/x.csv", "0 rows, asked with a token"),
        (
            "allowed_hosts",
            "/x.csv",
            "list it in secret cxone/acme in api_hosts instead of allowed_hosts",
        ),
        ("", "/x.csv", "the download URL is not https"),
        // A call of the API is made at the API, whatever host its link names.
        (
            "",
            "/x/Services/v35.0/FILES?a=b&filename=x.csv",
            "0 rows, not asked",
        ),
        (
            "allowed_hosts",
            "/services/v9/files?fileName=x",
            "0 rows, not asked",
        ),
    ] {
        let cluster = Raw::start(move |request| wants_token(request)).await;
        let link = format!("{}{path}", cluster.url());
        let named = format!(r#"{{"state":"completed","downloadUrl":"{link}"}}"#);
        let api = Raw::start(move |request| {
            let is_call = request.to_lowercase().contains("/files?");
            if is_call {
                return wants_token(request);
            }
            answer(200, "application/json", &named)
        })
        .await;
        let host = vec![cluster.url().replace("http://", "")];
        let listed = |name: &str| {
            if list == name {
                host.clone()
            } else {
                Vec::new()
            }
        };
        let config = cxone::ClientConfig {
            base_url: api.url().parse().unwrap(),
            token_url: api.url().parse().unwrap(),
            api_hosts: listed("api_hosts"),
            allowed_hosts: listed("allowed_hosts"),
            source: "secret cxone/acme".to_owned(),
        };
        let client = cxone::Client::with_limits(config, limits()).unwrap();
        let (token, run) = (
            AccessToken::new("canary-token").unwrap(),
            RunId::new("run-1").unwrap(),
        );
        let (csv, window) = (harness::definition("csv"), harness::window());
        let page = client
            .open_page(&token, harness::page_of(&csv, &run, &window, None))
            .await;
        let got = match page {
            Ok(page) => {
                let (rows, _) = harness::read(page).await.unwrap();
                let requests = cluster.requests();
                let asked = match requests.as_slice() {
                    [] => "not asked",
                    [one] if one.contains("Bearer canary-token") => "asked with a token",
                    _ => "asked without a token",
                };
                format!("{} rows, {asked}", rows.len())
            }
            Err(error) => error.to_string(),
        };
        assert!(got.contains(expected), "{list} {path}: {got}");
        let leaked = list != "api_hosts"
            && cluster
                .requests()
                .iter()
                .any(|request| request.contains("canary-token"));
        assert!(!leaked, "{list} {path}");
    }
}

/// A81: a name of this machine or of its network leads nowhere, though somebody listens there.
#[tokio::test]
async fn a_name_that_is_not_of_the_internet_is_not_called() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let called = tokio::spawn(async move { listener.accept().await.map(drop) });
    let mut tried = 0;
    for name in names_of_this_machine() {
        let Ok(mut found) = tokio::net::lookup_host((name.as_str(), port)).await else {
            continue;
        };
        tried += usize::from(found.any(|address| address.is_ipv4()));
        let client = harness::client(&format!("https://{name}:{port}"), limits());
        let error = client.sign_in(&harness::credentials()).await.unwrap_err();
        assert_eq!(error.to_string(), "sign in: unavailable: no connection");
    }
    assert!(
        tried > 0,
        "no name of this machine can be looked up, so that nothing was shown"
    );
    tokio::task::yield_now().await;
    assert!(!called.is_finished(), "somebody called");
    called.abort();
}

/// `localhost` itself is taken for a development setup; the same with a dot at its end is not.
fn names_of_this_machine() -> Vec<String> {
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let own = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let mut names: Vec<String> = hosts
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(|line| line.split_whitespace().skip(1))
        .chain(["localhost.", own.trim()])
        .filter(|name| !name.is_empty() && *name != "localhost")
        .map(str::to_owned)
        .collect();
    names.dedup();
    names
}

const HOSTILE: &[&str] = &[
    "",
    ".",
    "..",
    "../../run",
    "a/b",
    "a%2Fb",
    "%2e%2e",
    "a b",
    "a?b",
    "a#b",
    "a\\b",
    "a&b",
    "-a",
    "_a",
    "a\r\nX-Injected: 1",
    "a\0b",
    "a\u{1b}[31m",
    "é",
    "a\u{202e}b",
    "a\u{ff0e}b",
];

/// A83: what the API gives as an id ends up in paths and keys.
#[tokio::test]
async fn an_id_that_is_more_than_an_id_is_refused() {
    let mut ids: Vec<String> = HOSTILE.iter().map(|id| (*id).to_owned()).collect();
    ids.extend(["x".repeat(129), "x".repeat(10 << 10)]);
    for id in &ids {
        assert!(
            RunId::new(id.as_str()).is_err() && ScheduleId::new(id.as_str()).is_err(),
            "{id:?}"
        );
        let under_test = ClientUnderTest::new(&format!("run-id:id={id}"), "json").await;
        let error = under_test.start().await.unwrap_err();
        assert!(matches!(error, Error::Contract { .. }), "{id:?}: {error}");
        let said = format!("{error} {error:?}");
        assert!(id.len() < 3 || !said.contains(id.as_str()), "{said}");
        assert!(
            under_test
                .tenant
                .journal()
                .iter()
                .all(|asked| !asked.path.contains(".."))
        );
    }
    for good in ["a", "run-1", "A.b_c:d-9", &"x".repeat(128)] {
        let under_test = ClientUnderTest::new(&format!("run-id:id={good}"), "json").await;
        let run = under_test.start().await.unwrap();
        assert_eq!(run.as_str(), good);
        assert_eq!(
            under_test.read(&run).await.unwrap().rows,
            under_test.truth(),
            "{good}"
        );
    }
}

/// A84: what a header can't hold never becomes one.
#[rustfmt::skip]
#[tokio::test]
async fn a_token_can_not_add_a_header() {
    for token in [
        "a\r\nX-Injected: 1",
        "a\nb",
        "a\0b",
        "a b",
        "",
        "\u{e9}",
        &"t".repeat(8193),
    ] {
        assert!(AccessToken::new(token).is_err(), "{token:?}");
    }
    check(&[
        ("A84", "token-text:as=crlf", Call::Grant, Contract("does not fit into a header")),
        ("A84", "token-text:as=nul", Call::Grant, Contract("does not fit into a header")),
        ("A85", "run-id", Start, Contract("no valid runId")),
        ("A86", "run-fails:control=yes", Call::Look, Failed("query exceeded the execution limit   [31mlevel=info fake line")),
        ("A82", "download-url:to=userinfo", File, Contract("names a user")),
        ("D05", "link-host:host=files.other.example", File, Config("host files.other.example, which the settings don't list; if it is CXone's, add it in the test to api_hosts")),
    ])
    .await;
}

/// A86: whatever an API says becomes one line of JSON.
#[tokio::test]
async fn a_log_line_is_one_line() {
    let log = crate::log::Log::default();
    {
        let _guard = log.listen();
        let under_test = ClientUnderTest::new("run-fails:control=yes", "json").await;
        let run = under_test.start().await.unwrap();
        let look = under_test.look(&run).await.unwrap();
        tracing::warn!(run.look = ?look, raw = "a\r\n{\"level\":\"ERROR\"}\u{1b}[2J", "looked");
    }
    let text = log.text();
    let lines: Vec<serde_json::Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines
            .iter()
            .filter(|line| line["fields"]["message"] == "looked")
            .count(),
        1
    );
    assert!(
        !text
            .trim_end()
            .contains(|c: char| c.is_control() && c != '\n'),
        "{text}"
    );
}

/// A88 at the client: what a base URL must not be.
#[tokio::test]
async fn only_https_and_this_machine_are_called() {
    for (url, good) in [
        ("https://api.example.com", true),
        ("https://api.example.com/base", true),
        ("http://127.0.0.1:1", true),
        ("http://[::1]:1", true),
        ("http://localhost:1", true),
        ("http://api.example.com", false),
        ("http://127.0.0.1.example.com", false),
        ("http://localhost.:1", false),
        ("http://169.254.169.254", false),
        ("ftp://api.example.com", false),
        ("https://user@api.example.com", false),
        ("https://api.example.com/?x=1", false),
        ("https://api.example.com/#x", false),
        ("data:text/plain,x", false),
    ] {
        let config = cxone::ClientConfig {
            base_url: url.parse().unwrap(),
            token_url: "https://token.example.com".parse().unwrap(),
            api_hosts: Vec::new(),
            allowed_hosts: Vec::new(),
            source: "the test".to_owned(),
        };
        let made =
            tokio::time::timeout(Duration::from_secs(5), async { cxone::Client::new(config) });
        match made.await.unwrap() {
            Ok(_) => assert!(good, "{url}"),
            Err(error) => {
                assert!(
                    !good && matches!(error, Error::Config { .. }),
                    "{url}: {error}"
                );
                assert!(!error.to_string().contains("example.com"), "{error}");
            }
        }
    }
}

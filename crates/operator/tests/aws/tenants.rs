//! `cxr tenant`, with the real SDK against the local Secrets Manager.

use serde_json::{Map, Value, json};

use crate::cxr;
use crate::states::Server;

const TENANT: &str = "cxone/acme";
const TOKEN: &str = "cxone/acme/token";

fn acme() -> Value {
    json!({
        "base_url": "https://api.example", "token_url": "https://token.example/t",
        "client_id": "c-1", "client_secret": "CANARY-1", "api_hosts": ["nice.example"],
    })
}

/// The tenant with fields changed; `null` takes one away.
fn with(changes: &Value) -> Value {
    let mut fields: Map<String, Value> = serde_json::from_value(acme()).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        fields.insert(name.clone(), value.clone());
    }
    fields.retain(|_, value| !value.is_null());
    fields.into()
}

/// A token that was granted to the client `c-1`.
fn token_until(expires_at: &str) -> String {
    json!({
        "v": 2, "access_token": "CANARY-token", "issued_at": "2026-06-10T11:00:00Z", "expires_at": expires_at,
        "client": "a6f7ef47ee8dc84af9056a3051ddc302f19581a96eb7e12f510fdf550326a399",
        "refresh_token": "CANARY-refresh",
    })
    .to_string()
}

/// Runs the command, looks for secrets (all of them have `CANARY`) in all that it says, and returns the code of its error, or of its exit, and what it said.
async fn tenant(server: &Server, args: &[&str]) -> (String, String) {
    let (result, out) = cxr(server, &[&["tenant"], args].concat()).await;
    let (code, said) = match result {
        Ok(code) => (code.to_string(), out),
        Err(error) => (error.code().to_owned(), format!("{out}{error}")),
    };
    assert!(!said.contains("CANARY"), "{said}");
    (code, said)
}

async fn done(server: &Server, args: &[&str]) -> String {
    let (code, out) = tenant(server, args).await;
    assert_eq!(code, "0", "{out}");
    out
}

/// `cxr tenant set acme` with a file.
async fn set(server: &Server, fields: &Value, options: &[&str]) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("acme.json");
    std::fs::write(&file, fields.to_string()).unwrap();
    let args = [&["set", "acme", file.to_str().unwrap()], options].concat();
    let (code, said) = tenant(server, &args).await;
    (code, said.replace(file.to_str().unwrap(), "acme.json"))
}

fn stored(server: &Server) -> Value {
    serde_json::from_str(&server.secrets().current(TENANT).unwrap()).unwrap()
}

#[tokio::test]
async fn a_tenant_is_made_of_two_secrets_with_one_key() {
    let server = Server::start().await;
    let key = ["--kms-key-id", "alias/reports"];
    let created = "cxone/acme: created
  base_url           added: https://api.example
  token_url          added: https://token.example/t
  client_id          added: c-1
  client_secret      added
  api_hosts          added: nice.example
  KMS key            added: alias/reports
cxone/acme/token: created
  KMS key            added: alias/reports
";
    let (code, out) = set(&server, &acme(), &[&key[..], &["--dry-run"]].concat()).await;
    let planned = created.replace(": created", ": would be created");
    assert_eq!((code.as_str(), out), ("0", planned));
    assert_eq!(server.secrets().versions(TENANT), 0);
    let (_, out) = set(&server, &acme(), &key).await;
    assert_eq!(out, created);
    assert_eq!(stored(&server), acme());
    assert_eq!(server.secrets().current(TOKEN), None, "it has no value");
    for secret in [TENANT, TOKEN] {
        let key = server.secrets().kms_key(secret);
        assert_eq!(key.as_deref(), Some("alias/reports"));
    }
}

#[tokio::test]
async fn what_is_unchanged_is_not_written() {
    let server = Server::start().await;
    set(&server, &acme(), &["--kms-key-id", "k-1"]).await;
    let before = server.secret_calls().len();
    for key in [&[][..], &["--kms-key-id", "arn:aws:kms:r:1:key/k-1"]] {
        let (_, out) = set(&server, &acme(), key).await;
        assert_eq!(out, "cxone/acme: unchanged\ncxone/acme/token: unchanged\n");
    }
    let calls = server.secret_calls().split_off(before);
    let reads = |call: &String| call.starts_with("Describe") || call.starts_with("Get");
    assert!(calls.iter().all(reads), "{calls:?}");
}

#[tokio::test]
async fn changes_are_told_field_by_field_and_secret_ones_without_their_values() {
    for (changes, told) in [
        (
            json!({"client_secret": "CANARY-2"}),
            "client_secret      changed\n",
        ),
        (
            json!({"client_id": "c-2"}),
            "client_id          changed: c-1 -> c-2\n",
        ),
        (
            json!({"api_hosts": [], "client_auth": "post"}),
            "client_auth        added: post\n  api_hosts          changed: nice.example -> none\n",
        ),
        (
            json!({"api_hosts": null}),
            "api_hosts          removed: nice.example\n",
        ),
        (
            json!({"access_key_id": "k", "access_key_secret": "CANARY-3"}),
            "access_key_id      added: k\n  access_key_secret  added\n",
        ),
    ] {
        let server = Server::start().await;
        set(&server, &acme(), &[]).await;
        let token = token_until("2026-06-10T13:00:00Z");
        server.secrets().put(TOKEN, Some(&token));
        let (code, out) = set(&server, &with(&changes), &[]).await;
        let expected = format!("cxone/acme: changed\n  {told}cxone/acme/token: unchanged\n");
        assert_eq!((code.as_str(), out), ("0", expected));
        assert_eq!(stored(&server), with(&changes));
        assert_eq!(server.secrets().current(TOKEN), Some(token), "{changes}");
    }
}

/// A stored token names its client, and not the address that granted it.
#[tokio::test]
async fn the_token_of_another_address_is_discarded() {
    let moved = json!({"base_url": null, "issuer": "https://gov.example", "tenant_id": "t-1"});
    for changes in [
        json!({"base_url": "https://api2.example"}),
        json!({"token_url": "https://token2.example/t"}),
        moved,
    ] {
        let server = Server::start().await;
        set(&server, &acme(), &[]).await;
        let token = token_until("2026-06-10T13:00:00Z");
        server.secrets().put(TOKEN, Some(&token));
        let (_, out) = set(&server, &with(&changes), &["--dry-run"]).await;
        assert!(
            out.contains("/token: would be changed\n  the stored token is discarded"),
            "{out}"
        );
        assert_eq!(server.secrets().current(TOKEN), Some(token));
        let (_, out) = set(&server, &with(&changes), &[]).await;
        assert!(
            out.contains("/token: changed\n  the stored token is discarded"),
            "{out}"
        );
        assert_eq!(server.secrets().current(TOKEN).as_deref(), Some("{}"));
        let writes = server.secret_calls();
        assert_eq!(writes[writes.len() - 2..], ["UpdateSecret", "UpdateSecret"]);
    }
}

#[tokio::test]
async fn a_stored_value_that_cannot_be_used_is_replaced() {
    for broken in ["", "{}", "CANARY", r#"{"client_secret":"CANARY"}"#] {
        let server = Server::start().await;
        server.secrets().put(TENANT, Some(broken));
        let (code, said) = tenant(&server, &["show", "acme"]).await;
        assert_eq!(code, "CXO017", "{said}");
        assert!(said.starts_with("secret cxone/acme: its "), "{said}");
        let (code, out) = set(&server, &acme(), &[]).await;
        assert_eq!(code, "0", "{out}");
        assert!(out.contains("replaced as a whole: its "), "{out}");
        assert_eq!(stored(&server), acme());
    }
}

#[tokio::test]
async fn another_key_reencrypts_both_secrets() {
    let server = Server::start().await;
    set(&server, &acme(), &["--kms-key-id", "k-1"]).await;
    let (_, out) = set(&server, &acme(), &["--kms-key-id", "k-2"]).await;
    let line = "  KMS key            changed: k-1 -> k-2\n";
    let expected = format!("cxone/acme: changed\n{line}cxone/acme/token: changed\n{line}");
    assert_eq!(out, expected);
    assert_eq!(stored(&server), acme());
    assert_eq!(server.secrets().versions(TENANT), 2, "encrypted anew");
    let token = token_until("2026-06-10T13:00:00Z");
    server.secrets().put(TOKEN, Some(&token));
    let (_, out) = set(&server, &acme(), &["--kms-key-id", "k-3"]).await;
    assert!(out.contains("because its secret gets another key"), "{out}");
    assert_eq!(server.secrets().current(TOKEN).as_deref(), Some("{}"));
}

#[tokio::test]
async fn what_the_functions_would_refuse_is_not_stored() {
    let server = Server::start().await;
    for (changes, problem) in [
        (
            json!({"base_ulr": "CANARY"}),
            "its field base_ulr is not known",
        ),
        (
            json!({"client_secret": "CANARY\n"}),
            "its field client_secret has white space",
        ),
        (
            json!({"client_secret": null}),
            "its field client_secret is missing",
        ),
        (
            json!({"token_url": "http://a.example"}),
            "its field token_url is not https",
        ),
    ] {
        let (code, said) = set(&server, &with(&changes), &[]).await;
        assert_eq!(code, "CXO017", "{said}");
        assert!(said.starts_with(&format!("acme.json: {problem}")), "{said}");
    }
    for name in ["Acme", "a/token", "a b", ""] {
        for args in [&["set", name, "acme.json"][..], &["show", name]] {
            let (code, said) = tenant(&server, args).await;
            assert_eq!(code, "CXO018", "{said}");
            assert!(said.contains("1 to 63 of a-z 0-9 -"), "{said}");
        }
    }
    let (code, _) = tenant(&server, &["set", "acme", "there-is-none.json"]).await;
    assert_eq!(code, "CXO001");
    assert_eq!(server.secret_calls(), [""; 0]);
}

#[tokio::test]
async fn tenants_are_listed_without_the_secrets_of_their_tokens() {
    let server = Server::start().await;
    assert_eq!(done(&server, &["list"]).await, "0 tenants\n");
    for number in 0..130 {
        let name = format!("dev/t{number:03}");
        server.secrets().put(&name, Some("CANARY"));
        server.secrets().put(&format!("{name}/token"), None);
    }
    for other in ["dev/Upper", "dev/t000/token/x", "develop", "cxone/acme"] {
        server.secrets().put(other, Some("CANARY"));
    }
    server.secrets().put("dev/bare", None);
    server.secrets().remove("dev/t001/token");
    server.secrets().schedule_deletion("dev/t002");
    let out = done(&server, &["list", "--secret-prefix", "dev/"]).await;
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!(lines.len(), 131, "{out}");
    assert!(lines[0].starts_with("bare  changed 20"), "{out}");
    assert!(
        lines[0].ends_with("  has no value  has no secret for its token"),
        "{out}"
    );
    assert!(
        lines[2].starts_with("t001  changed") && lines[2].contains("no secret"),
        "{out}"
    );
    assert!(lines[3].starts_with("t003  changed"), "{out}");
    assert_eq!(lines[130], "130 tenants");
    let json = done(&server, &["list", "--format", "json"]).await;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["tenants"][0]["tenant"], "acme");
    assert_eq!(json["tenants"][0]["hasTokenSecret"], false);
}

#[tokio::test]
async fn a_tenant_is_shown_without_its_secrets() {
    let server = Server::start().await;
    set(&server, &acme(), &["--kms-key-id", "k-1"]).await;
    let shown = done(&server, &["show", "acme"]).await;
    let (first, rest) = shown.split_once("changed            20").unwrap();
    assert_eq!(
        first,
        "tenant             acme\nsecret             cxone/acme\n"
    );
    let (_, rest) = rest.split_once('\n').unwrap();
    assert_eq!(
        rest,
        "KMS key            k-1
base_url           https://api.example
token_url          https://token.example/t
client_id          c-1
client_secret      set
api_hosts          nice.example
token              none is stored
"
    );
    let shown = done(&server, &["show", "acme", "--format", "json"]).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["fields"][3], json!({"field": "client_secret"}));
    assert_eq!(shown["token"], json!({"state": "none"}));
}

#[tokio::test]
async fn the_stored_token_is_told_by_its_end_alone() {
    let server = Server::start().await;
    set(&server, &acme(), &[]).await;
    for (value, told) in [
        ("{}".to_owned(), "none is stored"),
        (
            token_until("2026-06-10T13:00:00Z"),
            "stored, valid until 2026-06-10T13:00:00Z",
        ),
        (
            token_until("2026-06-10T12:00:00Z"),
            "stored, expired at 2026-06-10T12:00:00Z",
        ),
    ] {
        server.secrets().put(TOKEN, Some(&value));
        let shown = done(&server, &["show", "acme"]).await;
        assert!(shown.ends_with(&format!("  {told}\n")), "{shown}");
    }
    set(&server, &with(&json!({"client_id": "c-2"})), &[]).await;
    let shown = done(&server, &["show", "acme"]).await;
    assert!(
        shown.ends_with("one of another client or user is stored, and not used\n"),
        "{shown}"
    );
    server.secrets().remove(TOKEN);
    let shown = done(&server, &["show", "acme"]).await;
    assert!(shown.contains("no secret for it"), "{shown}");
}

#[tokio::test]
async fn a_tenant_that_is_not_there_is_told_with_the_way_to_make_it() {
    let server = Server::start().await;
    for _ in 0..2 {
        let (code, said) = tenant(&server, &["show", "acme"]).await;
        assert_eq!(code, "CXO019", "{said}");
        assert!(said.contains("cxr tenant set acme FILE"), "{said}");
        server.secrets().put(TENANT, None);
    }
    server.secrets().schedule_deletion(TENANT);
    let shown = tenant(&server, &["show", "acme"]).await;
    for (code, said) in [shown, set(&server, &acme(), &[]).await] {
        assert_eq!(code, "CXO021", "{said}");
        assert!(
            said.contains("restore-secret --secret-id cxone/acme"),
            "{said}"
        );
    }
}

#[tokio::test]
async fn a_refusal_names_the_operation_and_the_right_and_repeats_nothing() {
    for (operation, right) in [
        (
            "DescribeSecret",
            "secretsmanager:DescribeSecret on cxone/acme;",
        ),
        (
            "GetSecretValue",
            "secretsmanager:GetSecretValue on cxone/acme, and kms:Decrypt on its key;",
        ),
        (
            "UpdateSecret",
            "secretsmanager:UpdateSecret on cxone/acme, and kms:GenerateDataKey, kms:Encrypt and kms:Decrypt on its key;",
        ),
        (
            "CreateSecret",
            "secretsmanager:CreateSecret on cxone/acme/token, and kms:GenerateDataKey and kms:Decrypt on its key;",
        ),
    ] {
        let server = Server::start().await;
        server.secrets().put(TENANT, Some(&acme().to_string()));
        if operation != "CreateSecret" {
            server.secrets().put(TOKEN, None);
        }
        server.refuse_operation(operation, "AccessDeniedException");
        let (code, said) = set(&server, &with(&json!({"client_id": "c-2"})), &[]).await;
        assert_eq!(code, "CXO011", "{said}");
        let start = format!("{operation}: AWS answers AccessDeniedException: it needs {right}");
        assert!(said.starts_with(&start), "{said}");
    }
    let server = Server::start().await;
    server.refuse_operation("ListSecrets", "AccessDeniedException");
    let (_, said) = tenant(&server, &["list"]).await;
    assert!(
        said.contains("it needs secretsmanager:ListSecrets on *;"),
        "{said}"
    );
    server.refuse_operation("DescribeSecret", "ThrottlingException");
    assert_eq!(tenant(&server, &["show", "acme"]).await.0, "CXO012");
}

//! The token endpoint: client credentials and nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::fault::{Fault, Layer};
use crate::reply::Reply;
use crate::request::{self, Request};
use crate::state::State;

pub(super) fn token(state: &mut State, request: &Request, faults: &[Fault]) -> Reply {
    let form = request::form(&request.body);
    let field = |name: &str| {
        form.iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    };
    if !request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    {
        return Reply::error(400, "invalid_request", "the body is a form");
    }
    if field("grant_type") != Some("client_credentials") {
        return Reply::error(400, "unsupported_grant_type", "only client_credentials");
    }
    let in_body = || {
        Some((
            field("client_id")?.to_owned(),
            field("client_secret")?.to_owned(),
        ))
    };
    let given = request.header("authorization").map_or_else(in_body, basic);
    let known = given.is_some_and(|(id, secret)| {
        id == state.options.client_id && secret == state.options.client_secret
    });
    if !known {
        return Reply::error(
            401,
            "invalid_client",
            "the client is unknown or its secret is wrong",
        )
        .header("WWW-Authenticate", "Basic");
    }
    let mut body = json!({
        "access_token": state.issue_token(),
        "token_type": "Bearer",
        "expires_in": state.options.token_lifetime.as_secs(),
        "scope": state.options.scopes.join(" "),
    });
    for fault in faults.iter().filter(|fault| fault.layer() == Layer::Token) {
        spoil(&mut body, fault);
    }
    Reply::json(200, &body).header("Cache-Control", "no-store")
}

/// HTTP Basic, as RFC 6749 has it: both parts are form-encoded before they are joined.
fn basic(header: &str) -> Option<(String, String)> {
    let text = String::from_utf8(
        STANDARD
            .decode(header.strip_prefix("Basic ")?.trim())
            .ok()?,
    )
    .ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((
        request::decode(id.as_bytes(), true),
        request::decode(secret.as_bytes(), true),
    ))
}

fn spoil(body: &mut Value, fault: &Fault) {
    let (field, value) = match (fault.name(), fault.text("as")) {
        ("expires-in", "zero") => ("expires_in", json!(0)),
        ("expires-in", "negative") => ("expires_in", json!(-1)),
        ("expires-in", "null") => ("expires_in", Value::Null),
        ("expires-in", "string") => ("expires_in", json!("3600")),
        ("expires-in", "float") => ("expires_in", json!(3600.0)),
        ("expires-in", "huge") => ("expires_in", json!(1_000_000_000_000_u64)),
        ("expires-in", "word") => ("expires_in", json!("soon")),
        ("token-type", "mac") => ("token_type", json!("mac")),
        ("token-type", "lower") => ("token_type", json!("bearer")),
        ("token-text", "crlf") => ("access_token", json!("sim\r\nX-Injected: 1")),
        ("token-text", "nul") => ("access_token", json!("sim\0token")),
        ("token-text", "huge") => ("access_token", json!("t".repeat(16 << 10))),
        ("token-text", "empty") => ("access_token", json!("")),
        ("token-text", "number") => ("access_token", json!(17)),
        (name, _) => {
            let field = match name {
                "expires-in" => "expires_in",
                "token-type" => "token_type",
                _ => "access_token",
            };
            if let Value::Object(fields) = body {
                fields.remove(field);
            }
            return;
        }
    };
    body[field] = value;
}

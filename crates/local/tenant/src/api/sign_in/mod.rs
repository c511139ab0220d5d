//! Signing in: at the issuer with a client's credentials, an access key or a refresh token; at `UserHub` with an access
//! key alone.

pub(super) mod discovery;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::error_shape::ErrorShape;
use crate::fault::{Fault, Layer};
use crate::reply::Reply;
use crate::request::{self, Request};
use crate::state::State;

/// The fault that makes the token endpoint take a client's credentials in one form alone.
const CLIENT_AUTH: &str = "client-auth";

/// `way` is the endpoint: `issuer`, `access-key` or `refresh`.
pub(super) fn answer_token_request(
    state: &mut State,
    way: &str,
    request: &Request,
    faults: &[Fault],
) -> Reply {
    let granted = match way {
        "issuer" => issuer_grant(state, request, faults),
        "access-key" => access_key_grant(state, request),
        _ => user_hub_refresh(state, request),
    };
    match granted {
        Ok(mut body) => {
            let corrupts =
                |fault: &&Fault| fault.layer() == Layer::Token && fault.name() != CLIENT_AUTH;
            for fault in faults.iter().filter(corrupts) {
                corrupt_token(&mut body, fault);
            }
            Reply::json(200, &body).header("Cache-Control", "no-store")
        }
        Err(refusal) => refusal,
    }
}

/// Whether a request brings a refresh token; nothing of it is checked yet.
pub(super) fn is_refresh(way: &str, request: &Request) -> bool {
    let is_grant =
        |(name, value): &(String, String)| name == "grant_type" && value == "refresh_token";
    way == "refresh" || request::parse_form(&request.body).iter().any(is_grant)
}

/// The fields of a form.
struct Form(Vec<(String, String)>);

impl Form {
    fn get_field(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        let found = fields.find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

fn issuer_grant(state: &mut State, request: &Request, faults: &[Fault]) -> Result<Value, Reply> {
    if !request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"))
    {
        return Err(Reply::error(400, "invalid_request", "the body is a form"));
    }
    let form = Form(request::parse_form(&request.body));
    let grant = form.get_field("grant_type").unwrap_or_default();
    if !["client_credentials", "password", "refresh_token"].contains(&grant) {
        return Err(Reply::error(
            400,
            "unsupported_grant_type",
            "only client_credentials, password and refresh_token",
        ));
    }
    let auth = faults.iter().find(|fault| fault.name() == CLIENT_AUTH);
    let auth = auth.map_or("any", |fault| fault.text("as"));
    if !is_client(state, request, &form, auth) {
        let text = "the client is unknown or its secret is wrong";
        return Err(Reply::error(401, "invalid_client", text).header("WWW-Authenticate", "Basic"));
    }
    if grant == "client_credentials" {
        let user = state.options.client_id.clone();
        let mut body = plain_token(state, &user);
        body["scope"] = json!(state.options.scopes.join(" "));
        return Ok(body);
    }
    let user = if grant == "password" {
        find_key_owner(state, &form)
    } else {
        redeem_refresh_token(state, &form)
    }?;
    Ok(user_token(state, &user))
}

/// Whether the client's credentials are right, in this form or in any.
fn is_client(state: &State, request: &Request, form: &Form, auth: &str) -> bool {
    let header = request.header("authorization");
    let in_form = || {
        let id = form.get_field("client_id")?;
        let secret = form.get_field("client_secret")?;
        Some((id.to_owned(), secret.to_owned()))
    };
    let raw = header.and_then(parse_basic);
    let given = [
        (raw.clone(), "raw"),
        (raw.map(decode_pair), "encoded"),
        (in_form().filter(|_| header.is_none()), "form"),
    ];
    let known = (
        state.options.client_id.clone(),
        state.options.client_secret.clone(),
    );
    given
        .into_iter()
        .any(|(given, form)| given.as_ref() == Some(&known) && ["any", form].contains(&auth))
}

fn find_key_owner(state: &State, form: &Form) -> Result<String, Reply> {
    let (Some(id), Some(secret)) = (form.get_field("username"), form.get_field("password")) else {
        let text = "username and password are missing";
        return Err(Reply::error(400, "invalid_request", text));
    };
    if !is_access_key(state, id, secret) {
        let text = "the access key is unknown or its secret is wrong";
        return Err(Reply::error(400, "invalid_grant", text));
    }
    Ok(id.to_owned())
}

fn redeem_refresh_token(state: &mut State, form: &Form) -> Result<String, Reply> {
    let Some(given) = form.get_field("refresh_token") else {
        let text = "refresh_token is missing";
        return Err(Reply::error(400, "invalid_request", text));
    };
    state.redeem_token(given).ok_or_else(|| {
        let text = "the refresh token is expired or used up";
        Reply::error(400, "invalid_grant", text)
    })
}

fn access_key_grant(state: &mut State, request: &Request) -> Result<Value, Reply> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let field = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    let (id, secret) = (field("accessKeyId"), field("accessKeySecret"));
    if !is_access_key(state, id, secret) {
        let text = "the access key is unknown or its secret is wrong";
        return Err(ErrorShape::Coded.refuse(401, "INVALID_ACCESS_KEY", text));
    }
    let user = id.to_owned();
    Ok(user_hub_answer(state, &user))
}

fn user_hub_refresh(state: &mut State, request: &Request) -> Result<Value, Reply> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let given = body
        .get("token")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let Some(user) = state.redeem_token(given) else {
        let text = "the refresh token is expired or used up";
        return Err(ErrorShape::Coded.refuse(401, "INVALID_REFRESH_TOKEN", text));
    };
    Ok(user_hub_answer(state, &user))
}

fn is_access_key(state: &State, id: &str, secret: &str) -> bool {
    id == state.options.access_key_id && secret == state.options.access_key_secret
}

/// An access token without a refresh token.
fn plain_token(state: &mut State, user: &str) -> Value {
    json!({
        "access_token": state.issue_token(user),
        "token_type": "Bearer",
        "expires_in": state.options.token_lifetime.as_secs(),
    })
}

/// The answer to a user: an access token, an id token and a refresh token.
fn user_token(state: &mut State, user: &str) -> Value {
    let mut body = plain_token(state, user);
    body["id_token"] = json!(id_token(state, user));
    if !state.options.refresh_lifetime.is_zero() {
        body["refresh_token"] = json!(state.issue_refresh_token(user));
    }
    body
}

fn user_hub_answer(state: &mut State, user: &str) -> Value {
    let mut body = user_token(state, user);
    if !state.options.refresh_lifetime.is_zero() {
        body["refresh_token_expires_in"] = json!(state.options.refresh_lifetime.as_secs());
    }
    body
}

/// A JWT whose signature is not real.
fn id_token(state: &State, user: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({
        "iss": "https://cxone.example",
        "sub": user,
        "tenantId": state.options.tenant_id,
        "iat": state.now().as_second(),
    });
    format!(
        "{}.{}.c2ln",
        part(json!({ "alg": "RS256", "typ": "JWT" })),
        part(claims)
    )
}

/// HTTP Basic: what stands before and after the first colon.
fn parse_basic(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ")?.trim();
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}

/// As RFC 6749 has it: both parts were form-encoded before they were joined.
fn decode_pair((id, secret): (String, String)) -> (String, String) {
    (
        request::percent_decode(id.as_bytes(), true),
        request::percent_decode(secret.as_bytes(), true),
    )
}

fn corrupt_token(body: &mut Value, fault: &Fault) {
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

//! What a call must bring: a token and headers.

use super::error_shape::ErrorShape;
use crate::apis::Api;
use crate::fault::CallContext;
use crate::journal::Kind;
use crate::reply::Reply;
use crate::request::Request;
use crate::state::{Access, State};

const READ: &str = "analytics:reports:read";
const WRITE: &str = "analytics:reports:write";

/// The guide's API checks the scope of the token and both content headers.
pub(super) fn admit_scoped(
    state: &State,
    context: &CallContext,
    shape: ErrorShape,
    request: &Request,
) -> Result<(), Reply> {
    let scope = if matches!(context.kind, Kind::ListSchedules | Kind::Look | Kind::Page) {
        READ
    } else {
        WRITE
    };
    let token = request
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    match token.map(|token| state.check_access(token, scope)) {
        Some(Access::Granted) => {}
        Some(Access::Missing(scope)) => {
            let text = format!("{scope} is missing");
            return Err(Reply::error(403, "insufficient_scope", &text));
        }
        _ => {
            return Err(unknown_token(shape));
        }
    }
    // RFC 9110: no Accept header means anything; one that leaves JSON out can't be served.
    let accept = request.header("accept").unwrap_or("*/*");
    let json = ["application/json", "application/*", "*/*"];
    if !json.iter().any(|range| accept.contains(range)) {
        let text = "answers are application/json";
        return Err(Reply::error(406, "not_acceptable", text));
    }
    let content_type = request.header("content-type").unwrap_or_default();
    if !request.body.is_empty() && !content_type.starts_with("application/json") {
        let text = "bodies are application/json";
        return Err(Reply::error(415, "unsupported_media_type", text));
    }
    Ok(())
}

/// The published APIs know no scopes: any valid token will do.
pub(super) fn admit_bearer(
    state: &State,
    _: &CallContext,
    shape: ErrorShape,
    request: &Request,
) -> Result<(), Reply> {
    if token_owner(state, request).is_none() {
        return Err(unknown_token(shape));
    }
    Ok(())
}

/// The APIs of the ACD also want to be told that JSON is accepted. The link to a data download may be open.
pub(super) fn admit_acd(
    state: &State,
    context: &CallContext,
    shape: ErrorShape,
    request: &Request,
) -> Result<(), Reply> {
    let is_open_link = context.kind == Kind::Download
        && context.api == Some(Api::DataDownload)
        && !state.options.link_needs_bearer
        && request.header("authorization").is_none();
    if is_open_link {
        return Ok(());
    }
    admit_bearer(state, context, shape, request)?;
    let accepts = |value: &str| value.to_ascii_lowercase().contains("application/json");
    if !request.header("accept").is_some_and(accepts) {
        let text = "Accept: application/json is missing";
        return Err(ErrorShape::Header.refuse(406, "not_acceptable", text));
    }
    Ok(())
}

fn unknown_token(shape: ErrorShape) -> Reply {
    let text = "the token is missing, unknown or expired";
    shape
        .refuse(401, "invalid_token", text)
        .header("WWW-Authenticate", "Bearer error=\"invalid_token\"")
}

/// The owner of a request's bearer token; the published APIs take the scheme in any case.
pub(super) fn token_owner<'s>(state: &'s State, request: &Request) -> Option<&'s str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then(|| state.token_user(token.trim()))?
}

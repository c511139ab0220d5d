//! Which call a path and a method are.

use crate::apis::Api;
use crate::journal::Kind;
use crate::request::{self, Request};

const ACD: &str = "/inContactAPI/services/v";
/// The versions of the ACD's APIs that there are.
const VERSIONS: std::ops::RangeInclusive<u16> = 10..=36;

/// A call as its path and method say.
#[derive(Debug)]
pub(super) struct Route {
    pub(super) kind: Kind,
    pub(super) api: Option<Api>,
    /// The version that the path names; 0 where it names none.
    pub(super) version: u16,
    /// What the path names: a schedule, a run, a job, a report, a file, or a way to sign in.
    pub(super) id: String,
    /// The methods that the path takes, if the method is not one of them.
    pub(super) allowed: Option<&'static str>,
}

/// A kind and what the path names, or the methods that the path takes; `None` for an unknown path.
pub(super) type Found<'r> = Option<Result<(Kind, &'r str), &'static str>>;

impl Route {
    pub(super) fn new(api: Option<Api>, version: u16, found: Found<'_>) -> Self {
        let (kind, id, allowed) = match found {
            Some(Ok((kind, id))) => (kind, id, None),
            Some(Err(allowed)) => (Kind::Unknown, "", Some(allowed)),
            None => (Kind::Unknown, "", None),
        };
        Self {
            kind,
            api,
            version,
            id: request::percent_decode(id.as_bytes(), false),
            allowed,
        }
    }
}

/// The version and the rest of a path like `/inContactAPI/services/v34.0/…`
pub(super) fn split_acd_path(path: &str) -> Option<(u16, &str)> {
    let (version, rest) = path.strip_prefix(ACD)?.split_once(".0/")?;
    let version = version.parse().ok()?;
    VERSIONS.contains(&version).then_some((version, rest))
}

/// A path that takes one method.
pub(super) fn only_method<'r>(
    method: &str,
    allowed: &'static str,
    kind: Kind,
    id: &'r str,
) -> Result<(Kind, &'r str), &'static str> {
    if method == allowed {
        Ok((kind, id))
    } else {
        Err(allowed)
    }
}

/// The ways to sign in belong to no API.
pub(super) fn find_sign_in(request: &Request) -> Route {
    let (allowed, kind, way) = match request.path.as_str() {
        "/auth/token" => ("POST", Kind::Token, "issuer"),
        "/authentication/v1/token/access-key" => ("POST", Kind::Token, "access-key"),
        "/authentication/v1/token/refresh" => ("POST", Kind::Token, "refresh"),
        "/.well-known/cxone-configuration" => ("GET", Kind::Discovery, ""),
        _ => return Route::new(None, 0, None),
    };
    Route::new(
        None,
        0,
        Some(only_method(&request.method, allowed, kind, way)),
    )
}

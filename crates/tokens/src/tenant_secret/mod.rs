//! What a tenant's secret holds: everything that reaches the tenant. Pure; nothing here is ever printed.

use std::fmt;

use cxone::{
    AccessKey, Client, ClientAuth, ClientConfig, ClientCredentials, Issuer, TenantApi,
    check_endpoint,
};
use definition::text::line;
use secrecy::SecretString;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use url::Url;

use crate::credentials::Credentials;
use crate::error::Problem;

/// The fields that a tenant's secret may have.
const FIELDS: [&str; 11] = [
    "base_url",
    "token_url",
    "issuer",
    "tenant_id",
    "client_id",
    "client_secret",
    "client_auth",
    "access_key_id",
    "access_key_secret",
    "allowed_hosts",
    "api_hosts",
];

/// How much of an unknown field's name is repeated in an error.
const SHOWN: usize = 40;

/// A tenant's secret, read and checked.
#[derive(Debug)]
pub(crate) struct TenantSecret {
    pub(crate) address: Address,
    pub(crate) credentials: Credentials,
}

/// Where a tenant's API is.
#[derive(Debug)]
pub(crate) enum Address {
    /// At its `base_url`.
    Known(ClientConfig),
    /// Where its `issuer` says.
    Discovered(Issuer),
}

/// Checks the JSON of a tenant's secret, wherever it is kept.
///
/// # Errors
/// What is wrong with it: the field, and never its value.
pub fn check_tenant(text: &str) -> Result<(), Problem> {
    TenantSecret::parse(text, "the tenant").map(drop)
}

impl TenantSecret {
    /// Reads a secret's value; `source` is where a person corrects it.
    pub(crate) fn parse(text: &str, source: &str) -> Result<Self, Problem> {
        let fields = Fields::parse(text)?;
        let credentials = read_credentials(&fields)?;
        if matches!(credentials, Credentials::UserHub(_)) {
            check_user_hub(&fields)?;
        }
        Ok(Self {
            credentials,
            address: read_address(&fields, source)?,
        })
    }
}

impl Address {
    /// The tenant's API. Nothing is called yet.
    pub(crate) fn open(self) -> Result<TenantApi, cxone::Error> {
        match self {
            Self::Known(config) => Client::new(config).map(TenantApi::from),
            Self::Discovered(issuer) => TenantApi::find_by(issuer),
        }
    }
}

/// A URL that is given counts; the issuer says the rest.
fn read_address(fields: &Fields, source: &str) -> Result<Address, Problem> {
    let issuer = fields.read_base("issuer")?;
    let token_url = fields
        .read_url("token_url")?
        .or_else(|| issuer.as_ref().map(Issuer::token_url))
        .ok_or(Problem::NeitherOf("token_url", "issuer"))?;
    let api_hosts = fields.read_hosts("api_hosts")?;
    let allowed_hosts = fields.read_hosts("allowed_hosts")?;
    let tenant = fields.read_id("tenant_id")?;
    let source = source.to_owned();
    if let Some(base_url) = fields.read_base("base_url")? {
        return Ok(Address::Known(ClientConfig {
            base_url,
            token_url,
            api_hosts,
            allowed_hosts,
            source,
        }));
    }
    let (Some(url), Some(tenant)) = (issuer, tenant) else {
        return Err(Problem::NeitherOf("base_url", "issuer with tenant_id"));
    };
    Ok(Address::Discovered(Issuer {
        url,
        tenant,
        token_url,
        api_hosts,
        allowed_hosts,
        source,
    }))
}

/// The fields that are there say how to sign in.
fn read_credentials(fields: &Fields) -> Result<Credentials, Problem> {
    let has_client = fields.has_any(["client_id", "client_secret"]);
    let has_key = fields.has_any(["access_key_id", "access_key_secret"]);
    Ok(match (has_client, has_key) {
        (true, true) => Credentials::AccessKey(read_client(fields)?, read_key(fields)?),
        (false, true) => Credentials::UserHub(read_key(fields)?),
        (true, false) => Credentials::Client(read_client(fields)?),
        (false, false) => return Err(Problem::NeitherOf("client_id", "access_key_id")),
    })
}

/// UserHub alone takes an access key without a client, and no issuer says where that is. The usual endpoints, whose paths end in
/// `/token`, want a client, so that the key would be sent there for nothing.
fn check_user_hub(fields: &Fields) -> Result<(), Problem> {
    let Some(url) = fields.read_url("token_url")? else {
        return Err(Problem::Wrong("token_url", NO_USER_HUB));
    };
    let last = url.path().trim_end_matches('/').rsplit('/').next();
    if last.is_some_and(|last| last.eq_ignore_ascii_case("token")) {
        return Err(Problem::Wrong("token_url", NOT_USER_HUB));
    }
    Ok(())
}

fn read_client(fields: &Fields) -> Result<ClientCredentials, Problem> {
    let client = ClientCredentials {
        client_id: fields.require_id("client_id")?,
        client_secret: fields.require_secret("client_secret")?,
        auth: read_client_auth(fields)?,
    };
    if client.auth == ClientAuth::Basic && client.client_id.contains(':') {
        return Err(Problem::Wrong("client_id", COLON));
    }
    Ok(client)
}

fn read_key(fields: &Fields) -> Result<AccessKey, Problem> {
    Ok(AccessKey {
        id: fields.require_id("access_key_id")?,
        secret: fields.require_secret("access_key_secret")?,
    })
}

fn read_client_auth(fields: &Fields) -> Result<ClientAuth, Problem> {
    match fields.read_text("client_auth")? {
        None | Some("basic") => Ok(ClientAuth::Basic),
        Some("basic_encoded") => Ok(ClientAuth::BasicEncoded),
        Some("post") => Ok(ClientAuth::Post),
        Some(_) => Err(Problem::Wrong("client_auth", CLIENT_AUTH)),
    }
}

const TEXT: &str = "is not a text of at least one character";
const ENDS: &str = "has white space or an invisible character at its start or end";
const BLANK: &str = "has white space or an invisible character in it";
const CONTROL: &str = "has a line end or another control character in it";
const URL: &str = "is not a URL like https://host/path";
const QUERY: &str = "has a query";
const LIST: &str = "is not a list of texts";
const HOST: &str =
    "lists something that is not a domain like niceincontact.com (no scheme, no path, no port)";
const CLIENT_AUTH: &str = "is none of \"basic\", \"basic_encoded\" and \"post\"";
const COLON: &str =
    "has a colon, which client_auth \"basic\" can't send; use \"basic_encoded\" or \"post\"";

const NO_USER_HUB: &str = "is missing, and no issuer takes an access key without a client_id; use https://{area}.nice-incontact.com/authentication/v1/token/access-key, or add client_id and client_secret";
const NOT_USER_HUB: &str = "is an endpoint that takes no access key without a client_id; use https://{area}.nice-incontact.com/authentication/v1/token/access-key, or add client_id and client_secret";

/// The fields of a secret, each of which is known and there once.
struct Fields(Map<String, Value>);

impl Fields {
    fn parse(text: &str) -> Result<Self, Problem> {
        // Some editors begin a file with a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let value: Value = serde_json::from_str(text).map_err(|error| Problem::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
        let Value::Object(fields) = value else {
            return Err(Problem::NotAnObject);
        };
        let unknown = fields.keys().find(|name| !FIELDS.contains(&name.as_str()));
        if let Some(name) = unknown {
            return Err(Problem::Unknown(line(name, SHOWN)));
        }
        match find_doubled(text) {
            Some(name) => Err(Problem::Doubled(name)),
            None => Ok(Self(fields)),
        }
    }

    fn has_any(&self, names: [&str; 2]) -> bool {
        names.iter().any(|name| self.0.contains_key(*name))
    }

    /// A text, without white space at its ends: a line end that came along when it was stored is not part of it.
    fn read_text(&self, name: &'static str) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => {
                if text.starts_with(is_blank) || text.ends_with(is_blank) {
                    return Err(Problem::Wrong(name, ENDS));
                }
                Ok(Some(text))
            }
            Some(_) => Err(Problem::Wrong(name, TEXT)),
        }
    }

    /// A text without white space.
    fn read_id(&self, name: &'static str) -> Result<Option<String>, Problem> {
        let text = self.read_text(name)?;
        if text.is_some_and(|text| text.contains(is_blank)) {
            return Err(Problem::Wrong(name, BLANK));
        }
        Ok(text.map(str::to_owned))
    }

    fn require_id(&self, name: &'static str) -> Result<String, Problem> {
        self.read_id(name)?.ok_or(Problem::Missing(name))
    }

    /// A text that may have spaces in it.
    fn require_secret(&self, name: &'static str) -> Result<SecretString, Problem> {
        let text = self.read_text(name)?.ok_or(Problem::Missing(name))?;
        if text.contains(char::is_control) {
            return Err(Problem::Wrong(name, CONTROL));
        }
        Ok(text.into())
    }

    /// A URL that secrets may be sent to. White space in it is refused here, because the parser of URLs drops some.
    fn read_url(&self, name: &'static str) -> Result<Option<Url>, Problem> {
        let Some(text) = self.read_id(name)? else {
            return Ok(None);
        };
        let url: Url = text.parse().map_err(|_| Problem::Wrong(name, URL))?;
        check_endpoint(&url).map_err(|what| Problem::Wrong(name, what))?;
        Ok(Some(url))
    }

    /// A URL that paths are appended to.
    fn read_base(&self, name: &'static str) -> Result<Option<Url>, Problem> {
        let url = self.read_url(name)?;
        if url.as_ref().is_some_and(|url| url.query().is_some()) {
            return Err(Problem::Wrong(name, QUERY));
        }
        Ok(url)
    }

    fn read_hosts(&self, name: &'static str) -> Result<Vec<String>, Problem> {
        let listed = match self.0.get(name) {
            None => return Ok(Vec::new()),
            Some(Value::Array(listed)) => listed,
            Some(_) => return Err(Problem::Wrong(name, LIST)),
        };
        let hosts = listed.iter().map(|host| match host {
            Value::String(host) if is_domain(host) => Ok(host.clone()),
            Value::String(_) => Err(Problem::Wrong(name, HOST)),
            _ => Err(Problem::Wrong(name, LIST)),
        });
        hosts.collect()
    }
}

/// A known field that occurs twice: of its values only the last would count, and the other may be the one that was meant.
fn find_doubled(text: &str) -> Option<&'static str> {
    let Names(names) = serde_json::from_str(text).ok()?;
    let count = |field: &str| names.iter().filter(|name| *name == field).count();
    FIELDS.into_iter().find(|field| count(field) > 1)
}

/// The names of an object's fields, as often as they occur.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamesVisitor;
        impl<'de> Visitor<'de> for NamesVisitor {
            type Value = Names;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
                let mut names = Vec::new();
                while let Some((name, IgnoredAny)) = map.next_entry()? {
                    names.push(name);
                }
                Ok(Names(names))
            }
        }
        deserializer.deserialize_map(NamesVisitor)
    }
}

/// White space, and what looks like nothing at all.
fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

/// A domain of two names at least, since one name alone would allow a whole top level. On this machine also a host with its port.
fn is_domain(text: &str) -> bool {
    let (host, port) = text
        .split_once(':')
        .map_or((text, None), |(host, port)| (host, Some(port)));
    if matches!(host, "localhost" | "127.0.0.1") {
        return port.is_none_or(|port| port.parse::<u16>().is_ok());
    }
    let domain = host.strip_prefix("*.").or(host.strip_prefix('.'));
    let domain = domain.unwrap_or(host);
    let is_label = |label: &str| {
        let mut bytes = label.bytes();
        !label.is_empty() && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    port.is_none() && domain.contains('.') && domain.split('.').all(is_label)
}

#[cfg(test)]
mod tests;

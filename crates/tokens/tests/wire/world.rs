//! Secrets Manager, a token endpoint and an API that wants a bearer, on one loopback port.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use bytes::Bytes;
use cxone::{Issuer, TenantApi};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokens::{Config, Tokens};
use tokio::net::TcpListener;

pub(crate) const CLIENT: &str = "cxone/client";
pub(crate) const TOKEN: &str = "cxone/token";
/// The access key that the tenant knows: both halves end as real ones do.
pub(crate) const KEY: &str = "KEY+ID/4WX==:CANARY-key&s%cret +/=";
pub(crate) const KEY_FIELDS: &str =
    r#""access_key_id":"KEY+ID/4WX==","access_key_secret":"CANARY-key&s%cret +/=""#;
const USER_HUB: &str = "/authentication/v1/token/access-key";
pub(crate) const CLIENT_V1: &str = r#"{"client_id":"c-1","client_secret":"s-1"}"#;

/// What the server knows. Tests change it and look at what landed in it.
pub(crate) struct World {
    /// Secret id to its version ids and values, the current one last.
    pub(crate) secrets: HashMap<String, Vec<(String, String)>>,
    /// When every version was written, in seconds.
    pub(crate) created: i64,
    /// `client_id:client_secret` that the token endpoint takes.
    pub(crate) client: String,
    /// `access_key_id:access_key_secret` that it takes beside the client, or alone where UserHub is.
    pub(crate) key: String,
    /// Whether a refresh token comes with each token.
    pub(crate) refreshes: bool,
    /// Refresh tokens that were neither used nor revoked.
    pub(crate) refreshable: HashSet<String>,
    /// The requests for tokens, by their grant type, and the others that were made without a token.
    pub(crate) asked: Vec<String>,
    /// What the issuer says of the tenant `t-1`.
    pub(crate) endpoint: String,
    pub(crate) expires_in: Value,
    pub(crate) valid: HashSet<String>,
    pub(crate) granted: u32,
    /// Answers that come instead of the right ones, by operation.
    pub(crate) faults: HashMap<&'static str, VecDeque<(u16, Value)>>,
    /// A value that appears in the token secret just before it is written.
    pub(crate) rival: Option<String>,
}

impl World {
    pub(crate) fn stored(&self) -> Option<Value> {
        let (_, text) = self.secrets.get(TOKEN)?.last()?;
        serde_json::from_str(text).ok()
    }

    pub(crate) fn put(&mut self, secret: &str, text: &str) {
        let versions = self.secrets.entry(secret.to_owned()).or_default();
        versions.push((format!("version-{}", versions.len()), text.to_owned()));
    }

    pub(crate) fn fail(
        &mut self,
        operation: &'static str,
        times: usize,
        status: u16,
        body: &Value,
    ) {
        let faults = self.faults.entry(operation).or_default();
        faults.extend((0..times).map(|_| (status, body.clone())));
    }

    fn answer(&mut self, head: &hyper::http::request::Parts, body: &[u8]) -> (u16, Value) {
        let header = |name: &str| {
            let value = head.headers.get(name);
            value
                .and_then(|value| value.to_str().ok())
                .unwrap_or_default()
        };
        let target = header("x-amz-target");
        let operation = match target.split_once('.') {
            Some((_, "GetSecretValue")) => "get",
            Some((_, "PutSecretValue")) => "put",
            _ => match head.uri.path() {
                "/auth/token" => "grant",
                USER_HUB => "user-hub",
                "/.well-known/cxone-configuration" => "discover",
                _ => "api",
            },
        };
        if let Some(fault) = self.faults.get_mut(operation).and_then(VecDeque::pop_front) {
            return fault;
        }
        match operation {
            "get" => self.get(&parse(body)),
            "put" => self.write(&parse(body)),
            "grant" => self.grant(header("authorization"), &form(header("content-type"), body)),
            "user-hub" => self.user_hub(header("authorization"), &parse(body)),
            "discover" => self.discover(head.uri.query().unwrap_or_default()),
            _ => self.look(header("authorization")),
        }
    }

    fn get(&self, body: &Value) -> (u16, Value) {
        let id = body["SecretId"].as_str().unwrap();
        let Some((version, text)) = self.secrets.get(id).and_then(|versions| versions.last())
        else {
            return (400, json!({"__type": "ResourceNotFoundException"}));
        };
        let answer = json!({
            "ARN": id, "Name": id, "VersionId": version, "SecretString": text,
            "VersionStages": ["AWSCURRENT"], "CreatedDate": self.created,
        });
        (200, answer)
    }

    fn write(&mut self, body: &Value) -> (u16, Value) {
        let text = |field: &str| body[field].as_str().unwrap().to_owned();
        let (id, version, value) = (
            text("SecretId"),
            text("ClientRequestToken"),
            text("SecretString"),
        );
        let rival = self.rival.take();
        let Some(versions) = self.secrets.get_mut(&id) else {
            return (400, json!({"__type": "ResourceNotFoundException"}));
        };
        versions.extend(rival.map(|value| (version.clone(), value)));
        match versions.iter().find(|(known, _)| *known == version) {
            Some((_, known)) if *known != value => {
                return (400, json!({"__type": "ResourceExistsException"}));
            }
            Some(_) => {}
            None => versions.push((version.clone(), value)),
        }
        (
            200,
            json!({"ARN": id, "Name": id, "VersionId": version, "VersionStages": ["AWSCURRENT"]}),
        )
    }

    fn grant(&mut self, authorization: &str, form: &HashMap<String, String>) -> (u16, Value) {
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let kind = field("grant_type");
        self.asked.push(kind.clone());
        if authorization != basic(&self.client) {
            return (401, json!({"error": "invalid_client"}));
        }
        let is_good = match kind.as_str() {
            "client_credentials" => form.len() == 1,
            "password" => format!("{}:{}", field("username"), field("password")) == self.key,
            "refresh_token" => self.refreshable.remove(&field("refresh_token")),
            _ => false,
        };
        if !is_good {
            // As an API does that is no friend: it repeats what it was sent.
            let told = format!("{} {}", field("password"), field("refresh_token"));
            return (
                400,
                json!({"error": "invalid_grant", "error_description": told}),
            );
        }
        (200, self.token())
    }

    fn user_hub(&mut self, authorization: &str, body: &Value) -> (u16, Value) {
        self.asked.push("user-hub".to_owned());
        let text = |name: &str| body[name].as_str().unwrap().to_owned();
        let (id, secret) = (text("accessKeyId"), text("accessKeySecret"));
        if !authorization.is_empty() || format!("{id}:{secret}") != self.key {
            let told = format!("not {id} {secret}");
            return (422, json!({"error": secret, "error_description": told}));
        }
        let mut token = self.token();
        token["refresh_token_expires_in"] = json!(7_200);
        (200, token)
    }

    fn discover(&mut self, query: &str) -> (u16, Value) {
        self.asked.push("discover".to_owned());
        if query != "tenantId=t-1" {
            return (404, json!({"error": "not_found"}));
        }
        (
            200,
            json!({"api_endpoint": self.endpoint, "area": "na1", "private": false}),
        )
    }

    fn token(&mut self) -> Value {
        self.granted += 1;
        let token = format!("t-{}", self.granted);
        self.valid.insert(token.clone());
        let mut answer =
            json!({"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in});
        if self.refreshes {
            let refresh = format!("CANARY-refresh=/+{}", self.granted);
            self.refreshable.insert(refresh.clone());
            answer["refresh_token"] = refresh.into();
        }
        answer
    }

    fn look(&self, authorization: &str) -> (u16, Value) {
        let token = authorization.strip_prefix("Bearer ").unwrap_or_default();
        if self.valid.contains(token) {
            (
                200,
                json!({"runId": "run-1", "state": "completed", "data": [], "nextPageToken": null}),
            )
        } else {
            (401, json!({"error": "invalid_token"}))
        }
    }
}

/// A form, read by hand for the same reason as below.
fn form(kind: &str, body: &[u8]) -> HashMap<String, String> {
    assert_eq!(kind, "application/x-www-form-urlencoded");
    let text = std::str::from_utf8(body).unwrap();
    text.split('&')
        .map(|field| {
            let (name, value) = field.split_once('=').unwrap();
            assert!(!value.contains('='), "{name} is not encoded");
            (name.to_owned(), decoded(value))
        })
        .collect()
}

fn decoded(value: &str) -> String {
    let mut rest = value.bytes();
    let mut bytes = Vec::new();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn parse(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap()
}

/// RFC 7617, written out so that it does not agree with the client by sharing its code.
fn basic(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::from("Basic ");
    for chunk in text.as_bytes().chunks(3) {
        let bits = (0..3).fold(0_usize, |bits, i| {
            bits << 8 | usize::from(*chunk.get(i).unwrap_or(&0))
        });
        for i in 0..4 {
            let letter = LETTERS[bits >> (18 - 6 * i) & 63] as char;
            encoded.push(if i <= chunk.len() { letter } else { '=' });
        }
    }
    encoded
}

/// A server under way.
#[derive(Clone)]
pub(crate) struct Server {
    world: Arc<Mutex<World>>,
    address: String,
}

impl Server {
    /// With one client, an empty token secret and tokens of an hour.
    pub(crate) async fn start() -> Self {
        let world = World {
            secrets: HashMap::new(),
            created: Timestamp::now().as_second() - 3_600,
            client: "c-1:s-1".into(),
            key: KEY.into(),
            refreshes: false,
            refreshable: HashSet::new(),
            asked: Vec::new(),
            endpoint: String::new(),
            expires_in: json!(3_600),
            valid: HashSet::new(),
            granted: 0,
            faults: HashMap::new(),
            rival: None,
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            world: Arc::new(Mutex::new(world)),
            address: format!("http://{}", listener.local_addr().unwrap()),
        };
        server.world().endpoint = format!("{}/area-1", server.address);
        server.world().put(CLIENT, CLIENT_V1);
        server.world().put(TOKEN, "{}");
        tokio::spawn(server.clone().accept(listener));
        server
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// What a fresh process has.
    pub(crate) fn process(&self) -> Tokens {
        self.process_at(self.cxone())
    }

    /// A fresh process whose tokens come from UserHub.
    pub(crate) fn process_of_user_hub(&self) -> Tokens {
        self.process_at(self.client(USER_HUB))
    }

    pub(crate) fn process_at(&self, site: impl Into<TenantApi>) -> Tokens {
        let config = Config {
            client_secret_id: CLIENT.into(),
            token_secret_id: TOKEN.into(),
        };
        let retry =
            RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1));
        let aws = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("eu-central-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "test"))
            .endpoint_url(&self.address)
            .retry_config(retry)
            .build();
        let secrets = aws_sdk_secretsmanager::Client::from_conf(aws);
        Tokens::new(config, secrets, site)
    }

    /// A tenant whose issuer is this server.
    pub(crate) fn discovered(&self, tenant: &str, allowed_hosts: &[&str]) -> TenantApi {
        let url = self.address.parse().unwrap();
        let issuer = Issuer {
            token_url: Issuer::token_url(&url),
            url,
            tenant: tenant.to_owned(),
            allowed_hosts: allowed_hosts.iter().map(ToString::to_string).collect(),
        };
        TenantApi::find_by(issuer).unwrap()
    }

    pub(crate) fn cxone(&self) -> cxone::Client {
        self.client("/auth/token")
    }

    fn client(&self, token_path: &str) -> cxone::Client {
        let config = cxone::ClientConfig {
            base_url: self.address.parse().unwrap(),
            token_url: format!("{}{token_path}", self.address).parse().unwrap(),
            api_hosts: Vec::new(),
            allowed_hosts: Vec::new(),
            source: "the test".to_owned(),
        };
        cxone::Client::new(config).unwrap()
    }

    async fn accept(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let server = self.clone();
            tokio::spawn(async move {
                let service = service_fn(|request| server.serve(request));
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await
                    .ok();
            });
        }
    }

    async fn serve(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let (status, answer) = self.world().answer(&head, &body);
        let response = Response::builder()
            .status(status)
            .header("content-type", "application/json")
            .body(Full::from(answer.to_string()))
            .unwrap();
        Ok(response)
    }
}

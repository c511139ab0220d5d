//! A token endpoint, an issuer and an API that wants a bearer, on one loopback port; and Secrets Manager beside them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use local_aws::lambda::LambdaHost;
use local_aws::{Action, Gateway, Secrets, Services};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokens::{SecretNames, Tokens};
use tokio::net::TcpListener;

pub(crate) const TENANT: &str = "cxone/acme";
pub(crate) const TOKEN: &str = "cxone/acme/token";
/// The access key that the tenant knows: both halves end as real ones do.
pub(crate) const KEY: &str = "KEY+ID/4WX==:CANARY-key&s%cret +/=";
pub(crate) const USER_HUB: &str = "/authentication/v1/token/access-key";

/// The fields of that access key.
pub(crate) fn key_fields() -> Value {
    json!({"access_key_id": "KEY+ID/4WX==", "access_key_secret": "CANARY-key&s%cret +/="})
}

/// What the server knows. Tests change it and look at what landed in it.
pub(crate) struct World {
    /// What the Basic header has to hold before it is encoded in base64; empty: the form has `client_id` and `client_secret`.
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
    /// When the tokens were granted that are neither revoked nor spent.
    pub(crate) valid: HashMap<String, Instant>,
    /// How old a token has to be for the API to take it.
    pub(crate) ripe_after: Duration,
    pub(crate) granted: u32,
    /// Answers that come instead of the right ones, by operation.
    pub(crate) faults: HashMap<&'static str, VecDeque<(u16, Value)>>,
}

impl World {
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
        let operation = match head.uri.path() {
            "/auth/token" => "grant",
            USER_HUB => "user-hub",
            "/.well-known/cxone-configuration" => "discover",
            _ => "api",
        };
        if let Some(fault) = self.faults.get_mut(operation).and_then(VecDeque::pop_front) {
            return fault;
        }
        match operation {
            "grant" => self.grant(header("authorization"), &form(header("content-type"), body)),
            "user-hub" => self.user_hub(header("authorization"), &parse(body)),
            "discover" => self.discover(head.uri.query().unwrap_or_default()),
            _ => self.look(header("authorization")),
        }
    }

    fn grant(&mut self, authorization: &str, form: &HashMap<String, String>) -> (u16, Value) {
        let field = |name: &str| form.get(name).cloned().unwrap_or_default();
        let kind = field("grant_type");
        self.asked.push(kind.clone());
        let (is_client, own_fields) = if self.client.is_empty() {
            let given = (field("client_id"), field("client_secret"));
            let known = ("c-1".to_owned(), "s-1".to_owned());
            (authorization.is_empty() && given == known, 2)
        } else {
            (authorization == basic(&self.client), 0)
        };
        if !is_client {
            return (401, json!({"error": "invalid_client"}));
        }
        let is_good = match kind.as_str() {
            "client_credentials" => form.len() == 1 + own_fields,
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
        self.valid.insert(token.clone(), Instant::now());
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
        let granted = self.valid.get(token);
        if granted.is_some_and(|granted| granted.elapsed() >= self.ripe_after) {
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
    aws: Arc<Aws>,
}

struct Aws {
    gateway: Gateway,
    services: Services,
    _folder: TempDir,
}

impl Aws {
    /// The tenant's secret, an empty one for its token, and versions that are an hour old.
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let host = LambdaHost::start().await.unwrap();
        let services = Services::open(folder.path(), host).unwrap();
        let listen = ([127, 0, 0, 1], 0).into();
        let gateway = Gateway::start(listen, services.clone()).await.unwrap();
        services.secrets.set_clock_behind(Duration::from_hours(1));
        services.secrets.put(TOKEN, Some("{}"));
        Self {
            gateway,
            services,
            _folder: folder,
        }
    }
}

impl Server {
    /// With one client, an empty token secret and tokens of an hour.
    pub(crate) async fn start() -> Self {
        let world = World {
            client: "c-1:s-1".into(),
            key: KEY.into(),
            refreshes: false,
            refreshable: HashSet::new(),
            asked: Vec::new(),
            endpoint: String::new(),
            expires_in: json!(3_600),
            valid: HashMap::new(),
            ripe_after: Duration::ZERO,
            granted: 0,
            faults: HashMap::new(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Self {
            world: Arc::new(Mutex::new(world)),
            address: format!("http://{}", listener.local_addr().unwrap()),
            aws: Arc::new(Aws::start().await),
        };
        server.world().endpoint = format!("{}/area-1", server.address);
        server.put_tenant(&json!({}));
        tokio::spawn(server.clone().accept(listener));
        server
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub(crate) fn secrets(&self) -> &Secrets {
        &self.aws.services.secrets
    }

    /// A URL of this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.address)
    }

    /// Stores the tenant's secret with some fields changed; null takes one away.
    pub(crate) fn put_tenant(&self, changes: &Value) {
        let fields = json!({
            "base_url": self.address, "token_url": self.url("/auth/token"),
            "client_id": "c-1", "client_secret": "s-1",
        });
        let mut fields: Map<String, Value> = serde_json::from_value(fields).unwrap();
        fields.extend(changes.as_object().unwrap().clone());
        fields.retain(|_, value| !value.is_null());
        let secret = Value::Object(fields).to_string();
        self.secrets().put(TENANT, Some(&secret));
    }

    /// The token secret's value.
    pub(crate) fn stored(&self) -> Option<Value> {
        serde_json::from_str(&self.secrets().current(TOKEN)?).ok()
    }

    /// Calls of Secrets Manager so far, of one operation.
    pub(crate) fn count_calls(&self, operation: &str) -> usize {
        let calls = self.aws.gateway.calls();
        calls
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    }

    /// Secrets Manager answers the next so many calls of an operation with an error.
    pub(crate) fn refuse_calls(
        &self,
        operation: &'static str,
        times: usize,
        status: u16,
        code: &str,
    ) {
        let refusal = Action::Refuse {
            status,
            code: code.to_owned(),
            message: "CANARY-message".to_owned(),
        };
        let left = Mutex::new(times);
        self.aws.gateway.set_hook(move |call| {
            let mut left = left.lock().unwrap();
            if call.operation != operation || *left == 0 {
                return Action::Pass;
            }
            *left -= 1;
            refusal.clone()
        });
    }

    /// Somebody else stores a token just before it is written the next time.
    pub(crate) fn write_before(&self, rival: &'static str) {
        let secrets = self.secrets().clone();
        self.aws.gateway.set_hook(move |call| {
            if call.operation != "PutSecretValue" {
                return Action::Pass;
            }
            secrets.put(TOKEN, Some(rival));
            Action::Refuse {
                status: 400,
                code: "ResourceExistsException".to_owned(),
                message: String::new(),
            }
        });
    }

    /// What a fresh process has.
    pub(crate) fn process(&self) -> Tokens {
        let retry = RetryConfig::standard().with_initial_backoff(Duration::from_millis(1));
        let aws = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("id", "key", None, None, "test"))
            .endpoint_url(self.aws.gateway.url())
            .retry_config(retry)
            .build();
        let secrets = aws_sdk_secretsmanager::Client::from_conf(aws);
        let names = SecretNames::new("cxone/", &"acme".parse().unwrap());
        Tokens::new(names, secrets)
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

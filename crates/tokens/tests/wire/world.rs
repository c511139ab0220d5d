//! Secrets Manager, a token endpoint and an API that wants a bearer, on one loopback port.

use std::collections::{HashMap, HashSet, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};

use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};
use bytes::Bytes;
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
pub(crate) const CLIENT_V1: &str = r#"{"client_id":"c-1","client_secret":"s-1"}"#;

/// What the server knows. Tests change it and look at what landed in it.
pub(crate) struct World {
    /// Secret id to its version ids and values, the current one last.
    pub(crate) secrets: HashMap<String, Vec<(String, String)>>,
    /// When every version was written, in seconds.
    pub(crate) created: i64,
    /// `client_id:client_secret` that the token endpoint takes.
    pub(crate) client: String,
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
            _ if head.uri.path() == "/auth/token" => "grant",
            _ => "api",
        };
        if let Some(fault) = self.faults.get_mut(operation).and_then(VecDeque::pop_front) {
            return fault;
        }
        match operation {
            "get" => self.get(&parse(body)),
            "put" => self.write(&parse(body)),
            "grant" => self.grant(header("authorization")),
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

    fn grant(&mut self, authorization: &str) -> (u16, Value) {
        if authorization != basic(&self.client) {
            return (401, json!({"error": "invalid_client"}));
        }
        self.granted += 1;
        let token = format!("t-{}", self.granted);
        self.valid.insert(token.clone());
        let answer =
            json!({"access_token": token, "token_type": "Bearer", "expires_in": self.expires_in});
        (200, answer)
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
        Tokens::new(config, secrets, self.cxone())
    }

    pub(crate) fn cxone(&self) -> cxone::Client {
        let config = cxone::Config {
            base_url: self.address.parse().unwrap(),
            token_url: format!("{}/auth/token", self.address).parse().unwrap(),
            allowed_hosts: Vec::new(),
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

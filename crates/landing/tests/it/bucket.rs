//! An S3 over a temporary folder, with faults.

use std::convert::Infallible;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use landing::{Config, Store};
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;

pub(crate) const NAME: &str = "landing-zone";

/// What happens instead of a good answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// This status and error code; nothing is done.
    Refuse(u16, &'static str),
    /// It is done, but the connection closes without an answer.
    LoseAnswer,
    /// It is done, but this status and error code are the answer.
    DoneBut(u16, &'static str),
    /// Half of the body, then the connection closes.
    CutBody,
}

#[derive(Debug)]
struct Rule {
    method: Method,
    /// What the path with its query contains.
    part: &'static str,
    times: usize,
    fault: Fault,
}

/// A bucket of its own for a test.
pub(crate) struct Bucket {
    root: TempDir,
    rules: Arc<Mutex<Vec<Rule>>>,
    client: aws_sdk_s3::Client,
}

impl Bucket {
    pub(crate) async fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join(NAME)).unwrap();
        let rules = Arc::<Mutex<Vec<Rule>>>::default();
        let server = Server {
            s3: service(root.path()),
            rules: Arc::clone(&rules),
            order: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(server.run(listener));
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .region(Region::new("eu-central-1"))
            .endpoint_url(endpoint)
            .force_path_style(true)
            .retry_config(
                RetryConfig::standard().with_initial_backoff(std::time::Duration::from_millis(1)),
            )
            .build();
        Self {
            root,
            rules,
            client: aws_sdk_s3::Client::from_conf(config),
        }
    }

    pub(crate) fn store(&self) -> Store {
        let config = Config {
            bucket: NAME.to_owned(),
            prefix: String::new(),
        };
        Store::new(self.client.clone(), config)
    }

    /// The next `times` requests of this method to a path or query with this part in it go wrong.
    pub(crate) fn fault(&self, method: Method, part: &'static str, times: usize, fault: Fault) {
        self.rules().push(Rule {
            method,
            part,
            times,
            fault,
        });
    }

    pub(crate) fn heal(&self) {
        self.rules().clear();
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores an object, whatever is there.
    pub(crate) async fn put(&self, key: &str, body: &[u8]) {
        self.client
            .put_object()
            .bucket(NAME)
            .key(key)
            .body(ByteStream::from(body.to_vec()))
            .send()
            .await
            .unwrap();
    }

    /// Puts an empty object where the server finds it.
    pub(crate) fn place(&self, key: &str) {
        let path = self.root.path().join(NAME).join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"").unwrap();
    }

    /// The stored bytes; none if there is no such object.
    pub(crate) fn stored(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.root.path().join(NAME).join(key)).ok()
    }

    pub(crate) fn remove(&self, key: &str) {
        std::fs::remove_file(self.root.path().join(NAME).join(key)).unwrap();
    }

    /// Uploads that are neither complete nor aborted.
    pub(crate) fn open_uploads(&self) -> usize {
        std::fs::read_dir(self.root.path())
            .unwrap()
            .filter(|entry| {
                let name = entry.as_ref().unwrap().file_name();
                name.to_string_lossy().contains("upload")
            })
            .count()
    }
}

fn service(root: &Path) -> S3Service {
    let mut builder = S3ServiceBuilder::new(FileSystem::new(root).unwrap());
    builder.set_auth(SimpleAuth::from_single("id", "secret"));
    builder.build()
}

#[derive(Clone)]
struct Server {
    s3: S3Service,
    rules: Arc<Mutex<Vec<Rule>>>,
    /// s3s-fs looks first and writes then; S3 does both at once.
    order: Arc<tokio::sync::Mutex<()>>,
}

impl Server {
    async fn run(self, listener: TcpListener) {
        while let Ok((stream, _)) = listener.accept().await {
            let server = self.clone();
            let answer = service_fn(move |request| {
                let server = server.clone();
                async move { server.answer(request).await }
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), answer),
            );
        }
    }

    /// An error closes the connection.
    async fn answer(
        &self,
        request: Request<Incoming>,
    ) -> Result<Response<s3s::Body>, std::io::Error> {
        let fault = self.next_fault(&request);
        if let Some(Fault::Refuse(status, code)) = fault {
            // As S3 does, which reads on so that the client can read the answer.
            let _ = request.into_body().collect().await;
            return Ok(refusal(status, code));
        }
        let _turn = match *request.method() {
            Method::PUT | Method::POST => Some(self.order.lock().await),
            _ => None,
        };
        let response = self
            .s3
            .call(request.map(s3s::Body::from))
            .await
            .map_err(|_| std::io::Error::other("s3s"))?;
        match fault {
            Some(Fault::LoseAnswer) => Err(std::io::Error::other("lost")),
            Some(Fault::DoneBut(status, code)) => Ok(refusal(status, code)),
            Some(Fault::CutBody) => Ok(cut(response).await),
            _ => Ok(response),
        }
    }

    fn next_fault(&self, request: &Request<Incoming>) -> Option<Fault> {
        let target = request.uri().path_and_query()?.as_str();
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules.iter_mut().find(|rule| {
            rule.times > 0 && rule.method == *request.method() && target.contains(rule.part)
        })?;
        rule.times -= 1;
        Some(rule.fault)
    }
}

fn refusal(status: u16, code: &str) -> Response<s3s::Body> {
    let body = format!("<Error><Code>{code}</Code><Message>as requested</Message></Error>");
    Response::builder()
        .status(status)
        .header("content-type", "application/xml")
        .body(s3s::Body::from(body))
        .unwrap()
}

async fn cut(response: Response<s3s::Body>) -> Response<s3s::Body> {
    let (mut parts, body) = response.into_parts();
    let whole = body.collect().await.unwrap().to_bytes();
    parts.headers.insert("content-length", whole.len().into());
    let half =
        Full::<Bytes>::from(whole.slice(..whole.len() / 2)).map_err(|it: Infallible| match it {});
    Response::from_parts(parts, s3s::Body::http_body(half))
}

//! A server that sends canned bytes: one answer a connection, in their order, each connection closed after it.

use std::io::Write as _;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use cxone::{
    AccessToken, CancelOutcome, Client, ClientConfig, Error, Limits, Page, PageEnd, PageQuery,
    RowChunk,
};
use definition::{Definition, Dialect, PageToken, RunId, RunStatus, ScheduleId, Window};
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// What the server does with one request.
#[derive(Clone)]
pub(crate) enum Answer {
    /// Sends these bytes and closes.
    Bytes(Vec<u8>),
    /// Sends these bytes one by one, with a pause between them.
    Drip(Vec<u8>, Duration),
    /// Sends these bytes and then nothing, without closing.
    Hang(Vec<u8>),
    /// Closes at once.
    Close,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) client: Client,
    requests: Arc<Mutex<Vec<String>>>,
}

pub(crate) const TOKEN: &str = "canary-access-token";
pub(crate) const SECRET: &str = "canary-client-secret";

impl Server {
    pub(crate) async fn start(answers: Vec<Answer>) -> Self {
        Self::with_limits(answers, Limits::default()).await
    }

    pub(crate) async fn with_limits(answers: Vec<Answer>, limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let config = ClientConfig {
            base_url: format!("{url}/canary-base").parse().unwrap(),
            token_url: format!("{url}/auth/token").parse().unwrap(),
            api_hosts: Vec::new(),
            allowed_hosts: Vec::new(),
            source: "the test".to_owned(),
        };
        let (log, base) = (Arc::clone(&requests), url.clone());
        tokio::spawn(async move {
            for answer in answers {
                let (mut socket, _) = listener.accept().await.unwrap();
                let request = read_request(&mut socket).await;
                log.lock().unwrap().push(request);
                let fill = |bytes: Vec<u8>| match String::from_utf8(bytes) {
                    Ok(text) => text.replace("{url}", &base).into_bytes(),
                    Err(error) => error.into_bytes(),
                };
                match answer {
                    Answer::Bytes(bytes) => {
                        let _ = socket.write_all(&fill(bytes)).await;
                        let _ = socket.shutdown().await;
                    }
                    Answer::Drip(bytes, pause) => {
                        let mut tick = tokio::time::interval(pause);
                        for byte in bytes {
                            if socket.write_all(&[byte]).await.is_err() {
                                break;
                            }
                            tick.tick().await;
                        }
                    }
                    Answer::Hang(bytes) => {
                        let _ = socket.write_all(&bytes).await;
                        tokio::spawn(async move {
                            let _ = socket.read(&mut [0; 16]).await;
                            drop(socket);
                        });
                    }
                    Answer::Close => drop(socket),
                }
            }
        });
        Self {
            client: Client::with_limits(config, limits).unwrap(),
            requests,
        }
    }

    /// The requests so far, each as its head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn read_request(socket: &mut tokio::net::TcpStream) -> String {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase()
                        .strip_prefix("content-length: ")?
                        .parse()
                        .ok()
                })
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return text,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
    }
}

pub(crate) fn token() -> AccessToken {
    AccessToken::new(TOKEN).unwrap()
}

pub(crate) fn run() -> RunId {
    RunId::new("run-1").unwrap()
}

pub(crate) fn window() -> Window {
    "20261121T000000Z-20261122T000000Z".parse().unwrap()
}

pub(crate) fn definition(format: &str) -> Definition {
    let mut value: serde_json::Value = serde_json::from_str(include_str!(
        "../../../definition/tests/fixtures/guide.json"
    ))
    .unwrap();
    value["report"]["dimensions"] = serde_json::json!(["agentId", "agentName"]);
    value["report"]["metrics"] = serde_json::json!(["handleTime", "avgHandleTime"]);
    value["report"]["grouping"] = serde_json::json!(["agentId"]);
    value["delivery"]["format"] = serde_json::json!(format);
    value["pipeline"] = serde_json::json!({ "tenant": "acme" });
    Definition::parse(value.to_string()).unwrap().definition
}

/// A definition of one of the published APIs.
pub(crate) fn published(api: &str, report: serde_json::Value) -> Definition {
    published_with(api, report, serde_json::json!({}))
}

pub(crate) fn published_with(
    api: &str,
    mut report: serde_json::Value,
    more: serde_json::Value,
) -> Definition {
    report["dateRange"] = serde_json::json!({ "type": "relative", "value": "previousDay" });
    let mut pipeline = serde_json::json!({ "tenant": "acme", "api": api, "key": ["Contact ID"] });
    if let serde_json::Value::Object(more) = more {
        pipeline.as_object_mut().unwrap().extend(more);
    }
    let definition = serde_json::json!({
        "name": "Published",
        "schedule": { "type": "daily", "time": "06:00", "timezone": "UTC" },
        "report": report,
        "delivery": { "type": "api" },
        "pipeline": pipeline,
    });
    let checked = Definition::parse(definition.to_string()).unwrap();
    assert_eq!(checked.warnings, []);
    checked.definition
}

/// What a page gave: its rows as lines, and what it said beside them.
pub(crate) type Got = Result<(String, PageEnd), Error>;

impl Server {
    pub(crate) async fn start_run(
        &self,
        definition: &Definition,
        schedule: Option<&ScheduleId>,
    ) -> Result<RunId, Error> {
        self.client
            .start_run(&token(), definition, schedule, &window())
            .await
    }

    pub(crate) async fn poll_run(&self, dialect: Dialect) -> Result<RunStatus, Error> {
        self.client.poll_run(&token(), dialect, &RUN).await
    }

    pub(crate) async fn cancel_run(&self, dialect: Dialect) -> Result<CancelOutcome, Error> {
        self.client.cancel_run(&token(), dialect, &RUN).await
    }

    pub(crate) async fn open_page(
        &self,
        definition: &Definition,
        at: Option<&PageToken>,
    ) -> Result<Page, Error> {
        let wanted = PageQuery {
            definition,
            run: &RUN,
            window: &WINDOW,
            at,
        };
        self.client.open_page(&token(), wanted).await
    }

    /// Why there is no first page, in words.
    pub(crate) async fn refusal(&self, definition: &Definition) -> String {
        self.rows(definition, None).await.unwrap_err().to_string()
    }

    /// Reads a page to its end.
    pub(crate) async fn rows(&self, definition: &Definition, at: Option<&PageToken>) -> Got {
        let mut page = self.open_page(definition, at).await?;
        let (mut chunk, mut rows) = (RowChunk::new(), Vec::new());
        while page.read_rows(&mut chunk).await? {
            rows.extend_from_slice(chunk.bytes());
        }
        Ok((String::from_utf8(rows).unwrap(), page.finish().await?))
    }

    /// The first line of each request so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        let line = |request: String| {
            request
                .split(" HTTP/")
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        self.requests().into_iter().map(line).collect()
    }
}

static RUN: LazyLock<RunId> = LazyLock::new(run);
static WINDOW: LazyLock<Window> = LazyLock::new(window);

/// The answer with a file as base64 in it, as `files?fileName=` gives it.
pub(crate) fn packed(csv: impl AsRef<[u8]>) -> Answer {
    json(
        "200 OK",
        format!(
            r#"{{"files":{{"fileName":"x.csv","file":"{}"}}}}"#,
            base64(csv)
        ),
    )
}

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    use ::base64::Engine as _;
    ::base64::engine::general_purpose::STANDARD.encode(bytes)
}

pub(crate) fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// An answer with a status line, headers and a body whose length it says.
pub(crate) fn answer(status: &str, headers: &str, body: impl AsRef<[u8]>) -> Answer {
    let body = body.as_ref();
    let mut bytes = format!(
        "HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
        body.len()
    )
    .into_bytes();
    bytes.extend_from_slice(body);
    Answer::Bytes(bytes)
}

pub(crate) fn json(status: &str, body: impl AsRef<[u8]>) -> Answer {
    answer(
        status,
        "Content-Type: application/json; charset=utf-8\r\n",
        body,
    )
}

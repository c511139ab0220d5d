//! A client that shows the bytes: one connection a request, unless a test wants otherwise.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::Engine as _;
use cxone_sim::{Fault, Options, Tenant};
use jiff::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) const REPORTS: &str = "/api/v2/analytics/reports";
pub(crate) const START: &str = "2026-01-14T00:00:00Z";
pub(crate) const END: &str = "2026-01-15T00:00:00Z";

/// What came back, down to how the connection ended.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    /// The body as it was on the wire.
    pub(crate) wire: Vec<u8>,
    pub(crate) reset: bool,
    /// Everything, head included.
    pub(crate) raw: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The body without chunks and compression.
    pub(crate) fn body(&self) -> Vec<u8> {
        let mut body = self.wire.clone();
        if self.header("transfer-encoding") == Some("chunked") {
            body = dechunk(&body).expect("a whole chunked body");
        }
        if self.header("content-encoding") == Some("gzip") {
            let mut plain = Vec::new();
            flate2::read::MultiGzDecoder::new(body.as_slice())
                .read_to_end(&mut plain)
                .expect("whole gzip");
            body = plain;
        }
        body
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        let body = self.body();
        serde_json::from_slice(&body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&body)))
    }

    /// The raw rows of a page.
    pub(crate) fn rows(&self) -> Vec<String> {
        #[derive(serde::Deserialize)]
        struct Page {
            data: Vec<Box<RawValue>>,
        }
        let page: Page = serde_json::from_slice(&self.body()).expect("a page");
        page.data.iter().map(|row| row.get().to_owned()).collect()
    }

    pub(crate) fn next(&self) -> Option<String> {
        self.json()["nextPageToken"].as_str().map(String::from)
    }
}

/// The content of a chunked body, if it is whole.
pub(crate) fn dechunk(mut wire: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    loop {
        let at = wire.windows(2).position(|pair| pair == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&wire[..at]).ok()?, 16).ok()?;
        let piece = wire.get(at + 2..at + 2 + size)?;
        wire = wire.get(at + 4 + size..)?;
        if size == 0 {
            return Some(out);
        }
        out.extend_from_slice(piece);
    }
}

/// A tenant with a clock that stands still, a schedule and perhaps a run.
pub(crate) struct Session {
    pub(crate) tenant: Tenant,
    pub(crate) token: String,
    clock: Arc<AtomicI64>,
    pub(crate) schedule: String,
    pub(crate) run: String,
}

pub(crate) fn definition() -> Value {
    json!({
        "name": "Daily Agent Performance Aggregation",
        "schedule": { "type": "daily", "time": "02:00", "timezone": "UTC" },
        "report": {
            "type": "agent",
            "metrics": ["handleTime", "talkTime", "wrapUpTime", "callsHandled", "avgHandleTime"],
            "dimensions": ["agentId", "agentName", "queueId", "queueName"],
            "filters": [{ "dimension": "status", "values": ["available", "onbreak", "busy"], "operator": "in" }],
            "dateRange": { "type": "relative", "value": "previousDay" },
            "grouping": ["agentId", "queueId"],
        },
        "delivery": { "type": "api" },
    })
}

pub(crate) fn small() -> Options {
    Options {
        rows: 25,
        page_size: 10,
        ..Options::default()
    }
}

impl Session {
    pub(crate) async fn open(mut options: Options) -> Self {
        let clock = Arc::new(AtomicI64::new(
            "2026-01-15T06:00:00Z"
                .parse::<Timestamp>()
                .unwrap()
                .as_second(),
        ));
        let read = Arc::clone(&clock);
        options.now =
            Arc::new(move || Timestamp::from_second(read.load(Ordering::SeqCst)).unwrap());
        let tenant = Tenant::start(options).await.unwrap();
        Self {
            tenant,
            token: String::new(),
            clock,
            schedule: String::new(),
            run: String::new(),
        }
    }

    /// Logged in, scheduled and started, with faults from the beginning of the run on.
    pub(crate) async fn started(options: Options, definition: &Value, faults: &[&str]) -> Self {
        let mut session = Self::open(options).await;
        session.login().await;
        let created = session.post("/schedules", definition).await;
        assert_eq!(
            created.status,
            201,
            "{:?}",
            String::from_utf8_lossy(&created.raw)
        );
        session.schedule = text(&created.json()["scheduleId"]);
        session.arm(faults);
        session.start().await;
        session
    }

    pub(crate) async fn with(faults: &[&str]) -> Self {
        Self::started(small(), &definition(), faults).await
    }

    /// With faults that come when the run is already there.
    pub(crate) async fn later(faults: &[&str]) -> Self {
        let session = Self::with(&[]).await;
        session.arm(faults);
        session
    }

    /// A run that is delivered as CSV.
    pub(crate) async fn csv(faults: &[&str]) -> Self {
        let mut definition = definition();
        definition["delivery"]["format"] = json!("csv");
        Self::started(small(), &definition, faults).await
    }

    pub(crate) fn arm(&self, faults: &[&str]) {
        self.tenant
            .set_faults(faults.iter().map(|fault| fault.parse::<Fault>().unwrap()));
    }

    pub(crate) fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(crate) async fn token_answer(&self) -> Answer {
        let basic = base64::engine::general_purpose::STANDARD.encode("sim-client:sim-secret");
        let headers = format!(
            "Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        );
        self.send(
            "POST",
            "/auth/token",
            &headers,
            b"grant_type=client_credentials",
        )
        .await
    }

    pub(crate) async fn login(&mut self) {
        self.token = text(&self.token_answer().await.json()["access_token"]);
    }

    pub(crate) async fn start(&mut self) {
        let answer = self.start_over(START, END).await;
        if answer.status == 202 {
            self.run = text(&answer.json()["runId"]);
        }
    }

    pub(crate) async fn start_over(&self, start: &str, end: &str) -> Answer {
        let range = json!({ "dateRange": { "type": "absolute", "start": start, "end": end } });
        self.post(&format!("/schedules/{}/runs", self.schedule), &range)
            .await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &[u8]) -> Answer {
        self.send(method, &format!("{REPORTS}{path}"), &self.headers(), body)
            .await
    }

    pub(crate) fn headers(&self) -> String {
        format!(
            "Authorization: Bearer {}\r\nAccept: application/json\r\nContent-Type: application/json\r\n",
            self.token
        )
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.call("POST", path, body.to_string().as_bytes()).await
    }

    pub(crate) async fn look(&self) -> Answer {
        self.call("GET", &format!("/results/{}", self.run), b"")
            .await
    }

    pub(crate) async fn page(&self, token: &str) -> Answer {
        self.call(
            "GET",
            &format!("/results/{}?pageToken={}", self.run, escape(token)),
            b"",
        )
        .await
    }

    /// The page with this number, found by following the tokens.
    pub(crate) async fn nth(&self, page: usize) -> Answer {
        let mut answer = self.look().await;
        for _ in 0..page {
            answer = self.page(&answer.next().expect("a next page")).await;
        }
        answer
    }

    pub(crate) async fn download(&self) -> Answer {
        let url = self.look().await.json()["downloadUrl"]
            .as_str()
            .expect("a link")
            .to_owned();
        let path = url
            .strip_prefix(&self.tenant.base_url())
            .expect("our own link")
            .to_owned();
        self.send("GET", &path, "", b"").await
    }

    /// Sends a request on a connection of its own and reads to the connection's end.
    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &str,
        body: &[u8],
    ) -> Answer {
        let mut stream = TcpStream::connect(self.tenant.address()).await.unwrap();
        stream
            .write_all(&request(
                method,
                target,
                &format!("{headers}Connection: close\r\n"),
                body,
            ))
            .await
            .unwrap();
        let mut raw = Vec::new();
        let reset = stream.read_to_end(&mut raw).await.is_err();
        parse(raw, reset)
    }

    /// The rows that the run should have.
    pub(crate) fn truth(&self) -> Vec<String> {
        self.tenant
            .truth(&self.run)
            .unwrap()
            .map(|row| String::from_utf8(row).unwrap())
            .collect()
    }
}

pub(crate) fn request(method: &str, target: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: sim\r\n{headers}Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

fn parse(raw: Vec<u8>, reset: bool) -> Answer {
    let mut headers = vec![httparse::EMPTY_HEADER; 4_096];
    let mut response = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(at)) = response.parse(&raw) else {
        return Answer {
            status: 0,
            headers: Vec::new(),
            wire: Vec::new(),
            reset,
            raw,
        };
    };
    let status = response.code.unwrap();
    let shown = response
        .headers
        .iter()
        .map(|header| {
            (
                header.name.to_owned(),
                String::from_utf8_lossy(header.value).into_owned(),
            )
        })
        .collect();
    Answer {
        status,
        headers: shown,
        wire: raw[at..].to_vec(),
        reset,
        raw,
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Everything escaped but what never needs it.
pub(crate) fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}

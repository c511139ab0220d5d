//! A server on loopback that answers with the bytes of the case at hand, and the client that reads them.

use std::sync::{Arc, Mutex, PoisonError};

use cxone::{AccessToken, Client, ClientConfig, Error, Limits, Page, PageEnd, PageQuery, RowChunk};
use definition::{Definition, PageToken, RunId, Window};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// Small enough for a case to reach.
pub(crate) const MAX_ROW: usize = 4 * 1024;
pub(crate) const RATIO_AFTER: usize = 96 * 1024;
/// The most that a chunk may hold beside its last row.
const CHUNK: usize = 256 * 1024;

/// A body, each piece of which reaches the client by itself.
pub(crate) struct Answer {
    pub(crate) pieces: Vec<Vec<u8>>,
    pub(crate) content_type: &'static str,
    pub(crate) gzip: bool,
    /// Whether the connection breaks off where the body should end.
    pub(crate) breaks_off: bool,
}

impl Answer {
    pub(crate) fn json(pieces: Vec<Vec<u8>>) -> Self {
        Self {
            pieces,
            content_type: "application/json",
            gzip: false,
            breaks_off: false,
        }
    }

    pub(crate) fn csv(pieces: Vec<Vec<u8>>) -> Self {
        Self {
            content_type: "text/csv",
            ..Self::json(pieces)
        }
    }

    pub(crate) fn with_gzip(self, gzip: bool) -> Self {
        Self { gzip, ..self }
    }

    /// The answer on the wire. A client takes a chunk as one piece, however the bytes travel.
    fn into_http(self) -> Vec<u8> {
        let coding = if self.gzip {
            "Content-Encoding: gzip\r\n"
        } else {
            ""
        };
        let kind = self.content_type;
        let mut bytes = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{coding}Transfer-Encoding: chunked\r\n\r\n"
        )
        .into_bytes();
        for piece in &self.pieces {
            bytes.extend(format!("{:x}\r\n", piece.len()).into_bytes());
            bytes.extend_from_slice(piece);
            bytes.extend_from_slice(b"\r\n");
        }
        if !self.breaks_off {
            bytes.extend_from_slice(b"0\r\n\r\n");
        }
        bytes
    }
}

/// What became of a body.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    /// The rows, each with its line end, and what was said beside them.
    Taken(Vec<u8>, PageEnd),
    Refused(&'static str),
}

impl Outcome {
    fn new(read: Result<(Vec<u8>, PageEnd), Error>) -> Self {
        match read {
            Ok((rows, end)) => Self::Taken(rows, end),
            Err(Error::Unavailable { .. }) => Self::Refused("unavailable"),
            Err(Error::Contract { .. }) => Self::Refused("contract"),
            Err(Error::NotCompleted { .. }) => Self::Refused("not completed"),
            // A link to a host that is not listed.
            Err(Error::Config { .. }) => Self::Refused("config"),
            Err(other) => panic!("a body must not be the cause of {other}"),
        }
    }
}

#[derive(Default)]
struct Answers {
    results: Vec<u8>,
    file: Vec<u8>,
    breaks_off: bool,
}

/// The client with its server, both in one thread.
pub(crate) struct Reader {
    runtime: Runtime,
    client: Client,
    url: String,
    answers: Arc<Mutex<Answers>>,
    pub(crate) definition: Definition,
    published: Definition,
}

impl Reader {
    pub(crate) fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let answers = Arc::<Mutex<Answers>>::default();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        runtime.spawn(serve(listener, Arc::clone(&answers)));
        let config = ClientConfig {
            base_url: url.parse().unwrap(),
            token_url: url.parse().unwrap(),
            api_hosts: Vec::new(),
            allowed_hosts: Vec::new(),
            source: "the test".to_owned(),
        };
        let limits = Limits {
            row_bytes: MAX_ROW,
            ratio_after: RATIO_AFTER as u64,
            page_bytes: 4 << 20,
            download_bytes: 4 << 20,
            ..Limits::default()
        };
        let definition = parse_definition(
            r#"{"type":"agent","metrics":["handleTime"],"dimensions":["agentId"],"#,
            r#"{"tenant":"acme"}"#,
        );
        let published = parse_definition(
            r#"{"reportId":"540","apiVersion":34,"utcOffset":"+00:00","#,
            r#"{"tenant":"acme","api":"data-download","key":["agentId"]}"#,
        );
        Self {
            client: Client::with_limits(config, limits).unwrap(),
            runtime,
            url,
            answers,
            definition,
            published,
        }
    }

    /// Reads an answer as a page of the guide's API.
    pub(crate) fn read_page(&self, answer: Answer) -> Outcome {
        let breaks_off = answer.breaks_off;
        self.set_answers(Answers {
            results: answer.into_http(),
            breaks_off,
            ..Answers::default()
        });
        self.read(&self.definition, None, MAX_ROW)
    }

    /// Reads an answer as the file of a run of the guide's API.
    pub(crate) fn read_file(&self, answer: Answer) -> Outcome {
        let link = format!(
            r#"{{"state":"completed","downloadUrl":"{}/files/x"}}"#,
            self.url
        );
        self.set_answers(Answers {
            results: Answer::json(vec![link.into_bytes()]).into_http(),
            file: answer.into_http(),
            breaks_off: false,
        });
        // A column's name is in every row, and a control character takes six bytes.
        self.read(&self.definition, None, 14 * MAX_ROW)
    }

    /// Reads an answer as the file of a data download, plain or as base64 within JSON.
    pub(crate) fn read_published_file(&self, answer: Answer) -> Outcome {
        self.set_answers(Answers {
            file: answer.into_http(),
            ..Answers::default()
        });
        let at = PageToken::new(format!("{}/files/x", self.url)).unwrap();
        self.read(&self.published, Some(&at), 14 * MAX_ROW)
    }

    fn set_answers(&self, answers: Answers) {
        *self.answers.lock().unwrap_or_else(PoisonError::into_inner) = answers;
    }

    fn read(&self, definition: &Definition, at: Option<&PageToken>, largest_row: usize) -> Outcome {
        let token = AccessToken::new("token").unwrap();
        let run = RunId::new("run-1").unwrap();
        let window: Window = "20261121T000000Z-20261122T000000Z".parse().unwrap();
        let query = PageQuery {
            definition,
            run: &run,
            window: &window,
            at,
        };
        self.runtime.block_on(async {
            match self.client.open_page(&token, query).await {
                Ok(page) => Outcome::new(read_all(page, largest_row).await),
                Err(error) => Outcome::new(Err(error)),
            }
        })
    }
}

fn parse_definition(report: &str, pipeline: &str) -> Definition {
    let text = format!(
        r#"{{"name":"n","schedule":{{"type":"daily","time":"06:00","timezone":"UTC"}},
        "report":{report}"dateRange":{{"type":"relative","value":"previousDay"}}}},
        "delivery":{{"type":"api"}},"pipeline":{pipeline}}}"#
    );
    Definition::parse(text).unwrap().definition
}

/// Reads a page to its end, and checks that it takes no more memory than it may.
async fn read_all(mut page: Page, largest_row: usize) -> Result<(Vec<u8>, PageEnd), Error> {
    let (mut rows, mut chunk, mut count) = (Vec::new(), RowChunk::new(), 0);
    while page.read_rows(&mut chunk).await? {
        assert!(chunk.bytes().len() <= CHUNK + largest_row + 1);
        assert!(!chunk.is_empty(), "a chunk without rows is the last one");
        count += chunk.len() as u64;
        rows.extend_from_slice(chunk.bytes());
    }
    let end = page.finish().await?;
    assert_eq!(end.rows, count);
    Ok((rows, end))
}

async fn serve(listener: TcpListener, answers: Arc<Mutex<Answers>>) {
    while let Ok((socket, _)) = listener.accept().await {
        tokio::spawn(answer_requests(socket, Arc::clone(&answers)));
    }
}

/// Answers one request after the other. None has a body, and a client sends the next one when it has read the answer.
async fn answer_requests(mut socket: TcpStream, answers: Arc<Mutex<Answers>>) {
    let _ = socket.set_nodelay(true);
    let (mut buffer, mut request) = ([0; 4096], Vec::new());
    loop {
        match socket.read(&mut buffer).await {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&buffer[..read]),
        }
        if !request.ends_with(b"\r\n\r\n") {
            continue;
        }
        let is_file = request.starts_with(b"GET /files/");
        request.clear();
        let (answer, breaks_off) = {
            let answers = answers.lock().unwrap_or_else(PoisonError::into_inner);
            let answer = if is_file {
                &answers.file
            } else {
                &answers.results
            };
            (answer.clone(), answers.breaks_off)
        };
        if socket.write_all(&answer).await.is_err() || breaks_off {
            return;
        }
    }
}

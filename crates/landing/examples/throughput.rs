//! What a part costs beside its compression, and what a merge costs.
//!
//! `cargo run --release -p landing --example throughput [-- rows [keys]]`
//!
//! Everything in one process and one run: rows like the guide's, from memory, through the SDK to a server
//! that reads and forgets (parts) or makes sidecars up (merge). CPU seconds of this thread, so
//! that the server does not count; only ratios mean anything.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement for people"
)]

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use definition::rows::Rows;
use definition::{ColumnNames, Compression, OutputFormat};
use delivery::documents::{Part, Sidecar, sha256_hex};
use flate2::write::GzEncoder;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response};
use landing::{Config, Limits, PartSet, PartSpec, Store};

const CHUNK: usize = 256 * 1024;

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse().unwrap());
    let rows = args.next().unwrap_or(1_000_000_usize);
    let keys = args.next().unwrap_or(10_000_000_usize);
    parts(rows);
    merge(keys);
}

fn parts(rows: usize) {
    let work = Work {
        page: page(10_000),
        pages: rows.div_ceil(10_000),
        server: Server::start(Arc::new(|_| Bytes::new())),
    };
    let length = work.page.len() / 10_000;
    println!("{} rows of {length} bytes", work.pages * 10_000);
    let gzip = |sink| GzEncoder::new(sink, flate2::Compression::new(1));
    let zstd = |sink| zstd::stream::write::Encoder::new(sink, 1).unwrap();
    let gzip_alone = work.compress("gzip 1 alone", gzip(Sink::default()));
    let zstd_alone = work.compress("zstd 1 alone", zstd(Sink::default()));
    let gzip_put = work.put(
        "gzip 1 and PutObject",
        gzip(Sink::default()),
        GzEncoder::get_mut,
    );
    let zstd_put = work.put("zstd 1 and PutObject", zstd(Sink::default()), |zstd| {
        zstd.get_mut()
    });
    let gzip = Some((gzip_alone, gzip_put));
    let zstd = Some((zstd_alone, zstd_put));
    work.parts("ndjson gzip", OutputFormat::Ndjson, Compression::Gzip, gzip);
    work.parts("ndjson zstd", OutputFormat::Ndjson, Compression::Zstd, zstd);
    work.parts("csv gzip", OutputFormat::Csv, Compression::Gzip, gzip);
    work.parts("ndjson none", OutputFormat::Ndjson, Compression::None, None);
}

struct Work {
    page: Vec<u8>,
    pages: usize,
    server: Server,
}

impl Work {
    fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.pages).flat_map(|_| whole_rows(&self.page))
    }

    fn rate(&self, spent: Duration) -> f64 {
        (self.pages * self.page.len()) as f64 / spent.as_secs_f64() / 1e6
    }

    fn compress(&self, name: &str, mut encoder: impl std::io::Write) -> Duration {
        let write = |piece| encoder.write_all(piece).unwrap();
        let spent = cpu(|| self.pieces().for_each(write));
        println!("{name:24} {:6.0} MB/s", self.rate(spent));
        spent
    }

    /// The least that lands: the SDK as it comes, an object for each 5 MiB.
    fn put<E: std::io::Write>(
        &self,
        name: &str,
        mut encoder: E,
        sink: impl Fn(&mut E) -> &mut Sink,
    ) -> Duration {
        let spent = self.server.client(async |client| {
            for piece in self.pieces() {
                encoder.write_all(piece).unwrap();
                let kept = &mut sink(&mut encoder).kept;
                if kept.get_or_insert_default().len() >= 5 << 20 {
                    let body = kept.take().unwrap_or_default().into();
                    client
                        .put_object()
                        .bucket("bucket")
                        .key("x")
                        .body(body)
                        .send()
                        .await
                        .unwrap();
                }
            }
        });
        println!("{name:24} {:6.0} MB/s", self.rate(spent));
        spent
    }

    fn parts(
        &self,
        name: &str,
        format: OutputFormat,
        compression: Compression,
        baselines: Option<(Duration, Duration)>,
    ) {
        let mut stored = Vec::new();
        let spent = self.server.client(async |client| {
            let spec = spec(format, compression);
            let mut set = PartSet::new(store(client), spec, "data/".to_owned());
            for piece in self.pieces() {
                set.append_rows(Rows::unknown(piece)).await.unwrap();
            }
            stored = set.close().await.unwrap().parts;
        });
        print!("{name:24} {:6.0} MB/s", self.rate(spent));
        if let Some((alone, put)) = baselines {
            let of = |baseline: Duration| baseline.as_secs_f64() / spent.as_secs_f64();
            print!(
                ", {:.2} of alone, {:.2} of and PutObject",
                of(alone),
                of(put)
            );
        }
        let bytes: u64 = stored.iter().map(|part| part.bytes).sum();
        println!(
            "; {} parts, {bytes} bytes; peak {} MiB",
            stored.len(),
            peak()
        );
    }
}

fn store(client: aws_sdk_s3::Client) -> Store {
    let config = Config {
        bucket: "bucket".to_owned(),
        prefix: String::new(),
        owner: String::new(),
    };
    Store::new(client, config)
}

fn merge(keys: usize) {
    let rows = 250_000;
    let parts = keys.div_ceil(rows);
    let sidecars: Arc<Vec<Bytes>> = Arc::new((0..parts).map(|n| sidecar(n, rows)).collect());
    let list: Vec<Part> = sidecars
        .iter()
        .enumerate()
        .map(|(n, keys)| Part {
            key: format!("data/{n}"),
            rows: rows as u64,
            bytes: 0,
            sha256: String::new(),
            keys: Sidecar {
                key: format!("data/{n}.keys"),
                bytes: keys.len() as u64,
                sha256: sha256_hex(keys),
            },
        })
        .collect();
    let before = peak();
    let server = Server::start(Arc::new(move |path| {
        let name = path
            .rsplit('/')
            .next()
            .and_then(|name| name.strip_suffix(".keys"));
        sidecars[name.unwrap().parse::<usize>().unwrap()].clone()
    }));
    let started = Instant::now();
    let mut found = 0;
    let spent = server.client(async |client| {
        found = landing::merge(&store(client), &list).await.unwrap().rows;
    });
    println!(
        "merge of {found} keys in {parts} sidecars: {:.1} s, {:.1} s CPU of the client; peak before {before} MiB, after {} MiB (the server holds the sidecars)",
        started.elapsed().as_secs_f64(),
        spent.as_secs_f64(),
        peak()
    );
}

fn spec(format: OutputFormat, compression: Compression) -> PartSpec {
    let columns = [
        "agentId",
        "agentName",
        "queueId",
        "queueName",
        "handleTime",
        "talkTime",
        "holdTime",
        "afterCallWork",
        "contactsHandled",
        "avgHandleTime",
    ];
    PartSpec {
        format,
        compression,
        columns: columns.map(str::to_owned).to_vec(),
        key: vec!["agentId".to_owned(), "queueId".to_owned()],
        formula_guard: false,
        column_names: ColumnNames::AsIs,
        limits: Limits::default(),
    }
}

/// Rows as the guide's agent report has them.
fn page(rows: usize) -> Vec<u8> {
    let mut out = String::new();
    let mut state = 1_u64;
    let mut next = |below: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % below
    };
    for n in 0..rows {
        writeln!(
            out,
            r#"{{"agentId":"a-{n:06}","agentName":"Agent {} O'Neill-{}","queueId":"q-{:02}","queueName":"Billing, EU {}","handleTime":{},"talkTime":{},"holdTime":{},"afterCallWork":{},"contactsHandled":{},"avgHandleTime":{}.{:02}}}"#,
            next(9_000), next(500), next(40), next(40), next(90_000), next(80_000), next(9_000),
            next(5_000), next(300), next(900), next(100)
        )
        .unwrap();
    }
    out.into_bytes()
}

/// Pieces of whole rows, about as large as the ones of a page.
fn whole_rows(page: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = page;
    std::iter::from_fn(move || {
        let end = rest.len().min(CHUNK);
        let end = rest[..end].iter().rposition(|byte| *byte == b'\n')? + 1;
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn sidecar(part: usize, rows: usize) -> Bytes {
    let hash = |n: u64| u128::from(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)) << 64 | u128::from(n);
    let mut entries: Vec<[u8; 28]> = (0..rows)
        .map(|n| {
            let mut entry = [0; 28];
            entry[..16].copy_from_slice(&hash((part * rows + n) as u64).to_be_bytes());
            entry[24..].copy_from_slice(&u32::try_from(n).unwrap().to_be_bytes());
            entry
        })
        .collect();
    entries.sort_unstable();
    entries.into_flattened().into()
}

/// Forgets what is written, or keeps it where somebody wants it.
#[derive(Default)]
struct Sink {
    kept: Option<Vec<u8>>,
}

impl std::io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if let Some(kept) = &mut self.kept {
            kept.extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// CPU time of this thread.
fn cpu(work: impl FnOnce()) -> Duration {
    let before = thread_time();
    work();
    thread_time().saturating_sub(before)
}

fn thread_time() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// Peak resident memory of the process, the server's included.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM"))
        .unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<usize>()
        .unwrap()
        / 1024
}

/// An S3 of few words, on a thread of its own.
struct Server {
    endpoint: String,
}

type Objects = Arc<dyn Fn(&str) -> Bytes + Send + Sync>;

impl Server {
    fn start(objects: Objects) -> Self {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                while let Ok((stream, _)) = listener.accept().await {
                    let objects = Arc::clone(&objects);
                    let service = hyper::service::service_fn(move |request| {
                        let objects = Arc::clone(&objects);
                        async move { Ok::<_, hyper::Error>(answer(request, &objects).await) }
                    });
                    let stream = hyper_util::rt::TokioIo::new(stream);
                    tokio::spawn(
                        hyper::server::conn::http1::Builder::new()
                            .serve_connection(stream, service),
                    );
                }
            });
        });
        Self {
            endpoint: format!("http://{}", receiver.recv().unwrap()),
        }
    }

    /// Runs the work on this thread alone; gives its CPU time.
    fn client(&self, work: impl AsyncFnOnce(aws_sdk_s3::Client)) -> Duration {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("id", "secret", None, None, "example"))
            .region(Region::new("eu-central-1"))
            .endpoint_url(&self.endpoint)
            .force_path_style(true)
            .build();
        let client = aws_sdk_s3::Client::from_conf(config);
        cpu(|| runtime.block_on(work(client)))
    }
}

async fn answer(request: Request<Incoming>, objects: &Objects) -> Response<Full<Bytes>> {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let method = request.method().clone();
    let range = request
        .headers()
        .get("range")
        .map(|range| range.to_str().unwrap().to_owned());
    let mut body = request.into_body();
    while let Some(frame) = body.frame().await {
        drop(frame);
    }
    let response = Response::builder().header("etag", "\"e\"");
    let xml = match (method, query) {
        (Method::POST, query) if query.starts_with("uploads") => {
            "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        }
        (Method::POST, _) => "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>",
        (Method::GET, _) => {
            let object = objects(&path);
            let range = range.unwrap();
            let (start, end) = range
                .strip_prefix("bytes=")
                .unwrap()
                .split_once('-')
                .unwrap();
            let piece = object.slice(start.parse::<usize>().unwrap()..=end.parse().unwrap());
            return response.status(206).body(piece.into()).unwrap();
        }
        _ => "",
    };
    response.body(Full::from(xml)).unwrap()
}

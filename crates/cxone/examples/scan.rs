//! How fast rows are read, in rows a CPU second, beside `serde_json` in the same run.
//!
//! `cargo run --release -p cxone --example scan [rows]`. Everything but the last line is over loopback, so that it has
//! the cost of a socket in it; only ratios within one run mean anything.
#![expect(clippy::print_stdout, reason = "it prints a table")]

use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use cxone::{AccessToken, Client, ClientConfig, PageQuery, RowChunk};
use definition::{Definition, RunId};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Deserialize;
use serde_json::value::RawValue;

const PAGE_ROWS: usize = 10_000;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The page as `serde_json` would keep its rows: as they are, each in a slice of its own.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

fn main() -> Result<()> {
    let rows: usize = std::env::args()
        .nth(1)
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let pages = rows.div_ceil(PAGE_ROWS);
    let page = page();
    println!(
        "{pages} pages of {PAGE_ROWS} rows, {} bytes a row",
        page.len() / PAGE_ROWS
    );

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for (name, gzip) in [("cxone, plain", false), ("cxone, gzip", true)] {
        let url = serve(&page, gzip)?;
        measure(name, || runtime.block_on(read(&url, pages)))?;
    }
    let url = serve_file(&file())?;
    measure("cxone, CSV", || runtime.block_on(read(&url, pages)))?;
    let url = serve(&page, false)?;
    measure("the socket alone (reqwest)", || {
        runtime.block_on(socket(&url, pages))
    })?;
    let url = serve(&page, false)?;
    measure("serde_json RawValue, whole pages in memory", || {
        runtime.block_on(whole(&url, pages))
    })?;
    measure("serde_json RawValue, in memory, no socket", || {
        in_memory(&page, pages)
    })
}

/// Does the work, which gives how many rows it read, and prints how fast that was.
fn measure(name: &str, work: impl FnOnce() -> Result<usize>) -> Result<()> {
    let cpu = cpu_seconds()?;
    let rows = work()?;
    let seconds = cpu_seconds()? - cpu;
    #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
    let rate = rows as f64 / seconds / 1e6;
    println!("{name:44} {rate:6.2} M rows a CPU second");
    Ok(())
}

fn page() -> String {
    let mut page = r#"{"runId":"run-1","state":"completed","data":["#.to_owned();
    for i in 0..PAGE_ROWS {
        let comma = if i > 0 { "," } else { "" };
        let (queue, [handle, talk, wrap_up, calls, average]) = numbers(i);
        let _ = write!(
            page,
            r#"{comma}{{"agentId":"a-{i:06}","agentName":"Zoë \"Zed\" O'Brien {i}","queueId":"q-{queue:02}","queueName":"Billing, EU {queue:02}","handleTime":{handle},"talkTime":{talk},"wrapUpTime":{wrap_up},"callsHandled":{calls},"avgHandleTime":{average}.50,"interactionId":"8f14e45f-ceea-467f-a0e6-{i:012}"}}"#,
        );
    }
    page.push_str(r#"],"nextPageToken":"eyJwYWdlIjoyfQ==","total":1000000}"#);
    page
}

/// The same rows as CSV; a quarter of the texts have to be quoted.
fn file() -> String {
    let names = "agentId,agentName,queueId,queueName,handleTime,talkTime,wrapUpTime,callsHandled,avgHandleTime,interactionId";
    let mut file = format!("{names}\r\n");
    for i in 0..PAGE_ROWS {
        let (queue, [handle, talk, wrap_up, calls, average]) = numbers(i);
        let _ = write!(
            file,
            "a-{i:06},Zoë O'Brien {i},q-{queue:02},\"Billing, EU {queue:02}\",{handle},{talk},{wrap_up},{calls},{average}.50,8f14e45f-ceea-467f-a0e6-{i:012}\r\n",
        );
    }
    file
}

/// The queue and the metrics of a row.
fn numbers(i: usize) -> (usize, [usize; 5]) {
    (i % 40, [i * 7, i * 5, i * 2, i % 90, i % 700])
}

/// A server for a run whose result is this file.
fn serve_file(file: &str) -> Result<String> {
    let (listener, url) = listen()?;
    let link = format!(r#"{{"state":"completed","downloadUrl":"{url}/x.csv"}}"#);
    let link = answer("application/json", "", link.as_bytes());
    let file = answer("text/csv", "", file.as_bytes());
    run_server(listener, [link, file]);
    Ok(url)
}

/// A server that answers every request with the page.
fn serve(page: &str, gzip: bool) -> Result<String> {
    let (listener, url) = listen()?;
    let page = if gzip {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(page.as_bytes())?;
        let coding = "Content-Encoding: gzip\r\n";
        answer("application/json", coding, &encoder.finish()?)
    } else {
        answer("application/json", "", page.as_bytes())
    };
    run_server(listener, [page, Vec::new()]);
    Ok(url)
}

fn listen() -> Result<(TcpListener, String)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", listener.local_addr()?);
    Ok((listener, url))
}

fn answer(kind: &str, coding: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{coding}Content-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Gives the first answer to every request, and the second one where `/x.csv` is asked for. The thread's CPU time is not
/// counted: see `cpu_seconds`.
fn run_server(listener: TcpListener, answers: [Vec<u8>; 2]) {
    std::thread::spawn(move || -> std::io::Result<()> {
        for socket in listener.incoming() {
            let (mut socket, mut request) = (socket?, [0; 16 * 1024]);
            // A request without a body comes in one piece over loopback.
            while socket.read(&mut request)? > 0 {
                let is_file = request.starts_with(b"GET /x.csv");
                socket.write_all(&answers[usize::from(is_file)])?;
            }
        }
        Ok(())
    });
}

async fn read(url: &str, pages: usize) -> Result<usize> {
    let config = ClientConfig {
        base_url: url.parse()?,
        token_url: url.parse()?,
        api_hosts: Vec::new(),
        allowed_hosts: Vec::new(),
        source: "the test".to_owned(),
    };
    let client = Client::new(config)?;
    let (token, run) = (AccessToken::new("token")?, RunId::new("run-1")?);
    let mut definition: serde_json::Value =
        serde_json::from_str(include_str!("../../definition/tests/fixtures/guide.json"))?;
    definition["pipeline"] = serde_json::json!({ "tenant": "acme" });
    let definition = Definition::from_value(&definition)?.definition;
    let window = "20261121T000000Z-20261122T000000Z".parse()?;
    let wanted = PageQuery {
        definition: &definition,
        run: &run,
        window: &window,
        at: None,
    };
    let (mut chunk, mut rows) = (RowChunk::new(), 0);
    for _ in 0..pages {
        let mut page = client.open_page(&token, wanted).await?;
        while page.read_rows(&mut chunk).await? {
            rows += chunk.len();
        }
        page.finish().await?;
    }
    Ok(rows)
}

/// Reads the pages and looks at nothing.
async fn socket(url: &str, pages: usize) -> Result<usize> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    for _ in 0..pages {
        let mut response = client.get(url).send().await?;
        while response.chunk().await?.is_some() {}
    }
    Ok(pages * PAGE_ROWS)
}

/// Reads each page into memory, splits it with `serde_json`, and copies its rows out as lines.
async fn whole(url: &str, pages: usize) -> Result<usize> {
    let client = reqwest::Client::builder().no_proxy().build()?;
    let (mut rows, mut lines) = (0, Vec::new());
    for _ in 0..pages {
        let body = client.get(url).send().await?.bytes().await?;
        let page: Page<'_> = serde_json::from_slice(&body)?;
        lines.clear();
        for row in &page.data {
            lines.extend_from_slice(row.get().as_bytes());
            lines.push(b'\n');
        }
        rows += page.data.len();
    }
    Ok(rows)
}

/// The same without the socket and the copy.
fn in_memory(page: &str, pages: usize) -> Result<usize> {
    let mut rows = 0;
    for _ in 0..pages {
        let page: Page<'_> = serde_json::from_str(page)?;
        rows += page.data.iter().filter(|row| row.get().len() > 2).count();
    }
    Ok(rows)
}

/// The CPU time of this thread alone, user and system, so that the server's is not in it.
fn cpu_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/thread-self/stat")?;
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields[11].parse::<u64>()? + fields[12].parse::<u64>()?;
    #[expect(clippy::cast_precision_loss, reason = "a hundred ticks a second")]
    Ok(ticks as f64 / 100.0)
}

//! What a file of any size takes of memory, measured in a process that does nothing else.
#![expect(
    clippy::unwrap_used,
    reason = "a test that can't be set up should panic"
)]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cxone::{AccessToken, Client, ClientConfig, PageQuery, RowChunk};
use definition::{Definition, RunId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The file as base64.
const PACKED_BYTES: usize = 200 << 20;
/// Above what the process has taken before: buffers for one answer, and nothing that grows.
const ALLOWED_KIB: u64 = 12 * 1024;
/// 60 bytes, so that each is 80 characters without padding.
const ROW: &str = "0000000000000017,Zoe O'Brien,Billing EU,1234,205.50,closed\r\n";
const HEADER: &str = "Contact ID,Agent Name,Skill Name,Handle Time,Wait Time,State\r\n";

#[tokio::test]
async fn two_hundred_megabytes_of_base64_take_no_more_memory_than_two() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let url = base.clone();
    tokio::spawn(async move {
        loop {
            let (socket, _) = listener.accept().await.unwrap();
            serve(socket, &url).await;
        }
    });
    let config = ClientConfig {
        base_url: base.parse().unwrap(),
        token_url: base.parse().unwrap(),
        api_hosts: Vec::new(),
        allowed_hosts: Vec::new(),
        source: "the test".to_owned(),
    };
    let client = Client::new(config).unwrap();
    let (few, _) = rows(&client, "2").await;
    let before = peak_kib();
    let (rows, summary_rows) = rows(&client, "200").await;
    let grown = peak_kib() - before;
    assert_eq!((few, summary_rows), (expected(2 << 20), 1));
    assert_eq!(rows, expected(PACKED_BYTES));
    println!("{rows} rows of {PACKED_BYTES} bytes of base64 took {grown} KiB more than {few} did");
    assert!(grown < ALLOWED_KIB, "{grown} KiB");
}

fn expected(packed: usize) -> u64 {
    (packed / 80) as u64
}

/// How many rows a job's file has, and how many totals.
async fn rows(client: &Client, job: &str) -> (u64, u64) {
    let definition = Definition::parse(
        br#"{"name":"n","schedule":{"type":"daily","time":"06:00","timezone":"UTC"},
        "report":{"reportId":"4711","apiVersion":34,"range":"template",
        "dateRange":{"type":"relative","value":"previousDay"}},"delivery":{"type":"api"},
        "pipeline":{"tenant":"acme","api":"report-jobs","key":["Contact ID"]}}"#,
    );
    let definition = definition.unwrap().definition;
    let token = AccessToken::new("token").unwrap();
    let (run, window) = (
        RunId::new(job).unwrap(),
        "20261121T000000Z-20261122T000000Z".parse().unwrap(),
    );
    let wanted = PageQuery {
        definition: &definition,
        run: &run,
        window: &window,
        at: None,
    };
    let mut page = client.open_page(&token, wanted).await.unwrap();
    let mut chunk = RowChunk::new();
    while page.read_rows(&mut chunk).await.unwrap() {}
    let end = page.finish().await.unwrap();
    (end.rows, end.summary_rows)
}

/// A job's state, or its file of as many megabytes as its number says.
async fn serve(mut socket: TcpStream, base: &str) {
    let mut request = vec![0; 8 * 1024];
    let length = socket.read(&mut request).await.unwrap();
    let request = String::from_utf8_lossy(&request[..length]).into_owned();
    let (path, _) = request.split_once(" HTTP/").unwrap();
    let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n";
    socket.write_all(head.as_bytes()).await.unwrap();
    let Some((_, megabytes)) = path.split_once("fileName=") else {
        let (_, job) = path.rsplit_once('/').unwrap();
        let link = format!("{base}/inContactAPI/services/v34.0/files?fileName={job}");
        let job = format!(r#"{{"jobId":"{job}","state":"Finished","resultFileURL":"{link}"}}"#);
        socket.write_all(job.as_bytes()).await.unwrap();
        return;
    };
    let megabytes: usize = megabytes.parse().unwrap();
    let begin = format!(
        "{{\"files\":{{\"fileName\":\"x\",\"file\":\"{}",
        STANDARD.encode(header())
    );
    socket.write_all(begin.as_bytes()).await.unwrap();
    let some = STANDARD.encode(ROW.repeat(1024));
    let mut left = expected(megabytes << 20) * 80;
    while left > 0 {
        let length = left.min(some.len() as u64);
        let piece = &some.as_bytes()[..usize::try_from(length).unwrap()];
        socket.write_all(piece).await.unwrap();
        left -= length;
    }
    let end = format!("{}\"}}}}", STANDARD.encode("Total,,,,,\r\n"));
    socket.write_all(end.as_bytes()).await.unwrap();
    let _ = socket.shutdown().await;
}

/// The header with empty lines behind it, so that its base64 needs no padding.
fn header() -> String {
    let missing = (3 - HEADER.len() % 3) % 3;
    format!("{HEADER}{}", "\n".repeat(missing))
}

/// The most memory that this process has had, in KiB.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.unwrap()
        .trim()
        .trim_end_matches("kB")
        .trim()
        .parse()
        .unwrap()
}

//! The least that a day can cost: its pages read from the socket, and compressed as they are. `tests/bench/run` compares
//! fetch-page with it.
//!
//! `limit MODE BASE_URL TOKEN RUN`, where `MODE` is `socket`, `gzip`, `zstd` or `scan`; prints the number of rows, which only
//! `scan` knows.
#![expect(clippy::print_stdout, reason = "it prints what it found")]

use std::io::{self, Write};

use cxone::{AccessToken, Client, ClientConfig, PageQuery, RowChunk};
use definition::{Definition, RunId};
use flate2::write::GzEncoder;
use serde_json::json;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// More than what stands behind the rows of a page.
const TAIL: usize = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mode, base_url, token, run] = &arguments[..] else {
        return Err("usage: limit MODE BASE_URL TOKEN RUN".into());
    };
    let reader = Reader {
        base_url,
        token,
        run,
    };
    let rows = match mode.as_str() {
        "socket" => reader.read_into(io::sink()).await?,
        "gzip" => {
            let gzip = GzEncoder::new(io::sink(), flate2::Compression::new(1));
            reader.read_into(gzip).await?
        }
        "zstd" => {
            let zstd = zstd::stream::write::Encoder::new(io::sink(), 1)?;
            reader.read_into(zstd.auto_finish()).await?
        }
        "scan" => reader.scan().await?,
        other => return Err(format!("there is no mode {other}").into()),
    };
    println!("{rows}");
    Ok(())
}

struct Reader<'a> {
    base_url: &'a str,
    token: &'a str,
    run: &'a str,
}

impl Reader<'_> {
    /// Gives every byte of the pages to `out`, and looks at their ends only.
    async fn read_into(&self, mut out: impl Write) -> Result<usize> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let base_url = format!(
            "{}/api/v2/analytics/reports/results/{}",
            self.base_url, self.run
        );
        let mut url = base_url.clone();
        loop {
            let request = client
                .get(&url)
                .bearer_auth(self.token)
                .header("Accept", "application/json");
            let mut response = request.send().await?.error_for_status()?;
            let mut tail = Vec::new();
            while let Some(bytes) = response.chunk().await? {
                out.write_all(&bytes)?;
                tail.extend_from_slice(&bytes[bytes.len().saturating_sub(TAIL)..]);
                tail.drain(..tail.len().saturating_sub(TAIL));
            }
            let Some(next) = find_next(&tail)? else {
                out.flush()?;
                return Ok(0);
            };
            let query = url::form_urlencoded::Serializer::new(String::new())
                .append_pair("pageToken", &next)
                .finish();
            url = format!("{base_url}?{query}");
        }
    }

    /// Reads the rows as fetch-page does, and drops them.
    async fn scan(&self) -> Result<usize> {
        let client = Client::new(ClientConfig {
            base_url: self.base_url.parse()?,
            token_url: self.base_url.parse()?,
            api_hosts: Vec::new(),
            allowed_hosts: Vec::new(),
            source: "the bench".to_owned(),
        })?;
        let (token, run) = (AccessToken::new(self.token)?, RunId::new(self.run)?);
        let mut definition: serde_json::Value =
            serde_json::from_str(include_str!("../../definition/tests/fixtures/guide.json"))?;
        definition["pipeline"] = json!({ "tenant": "acme" });
        let definition = Definition::from_value(&definition)?.definition;
        let window = "20261121T000000Z-20261122T000000Z".parse()?;
        let (mut at, mut chunk, mut rows) = (None, RowChunk::new(), 0);
        loop {
            let wanted = PageQuery {
                definition: &definition,
                run: &run,
                window: &window,
                at: at.as_ref(),
            };
            let mut page = client.open_page(&token, wanted).await?;
            while page.read_rows(&mut chunk).await? {
                rows += chunk.len();
            }
            at = page.finish().await?.next;
            if at.is_none() {
                return Ok(rows);
            }
        }
    }
}

/// The page token at the end of a page.
fn find_next(tail: &[u8]) -> Result<Option<String>> {
    let tail = String::from_utf8_lossy(tail);
    let (_, behind) = tail
        .rsplit_once("\"nextPageToken\":")
        .ok_or("a page ends without nextPageToken")?;
    let mut values = serde_json::Deserializer::from_str(behind).into_iter();
    let next: Option<Option<String>> = values.next().transpose()?;
    Ok(next.flatten())
}

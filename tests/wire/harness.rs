//! The real client against one tenant, and what came of a call.

use std::time::Duration;

use cxone::{
    AccessToken, CancelOutcome, Client, ClientAuth, ClientConfig, ClientCredentials, Error, Limits,
    Page, PageEnd, PageQuery, RowChunk,
};
use cxone_sim::{Entry, Fault, Kind, Options, Tenant};
use definition::RunStatus;
use definition::{Definition, Dialect, PageToken, RunId, ScheduleId, Window};
use serde_json::{Value, json};

pub(crate) const CLIENT_ID: &str = "sim-client";
pub(crate) const CLIENT_SECRET: &str = "canary-client-secret";
/// Downloads from here are allowed, so that a refusal has another reason than the name.
const FILES: &str = "niceincontact.com";
/// More pages than this are a circle, which is not for the client to find.
const PAGES: usize = 12;

/// Nothing is waited for here, and a machine that is busy is no reason to fail.
pub(crate) fn limits() -> Limits {
    Limits {
        connect: Duration::from_secs(10),
        read: Duration::from_secs(15),
        call: Duration::from_secs(20),
        page: Duration::from_secs(20),
        download: Duration::from_secs(20),
        ..Limits::default()
    }
}

/// Of calls that get no answer.
pub(crate) fn short() -> Limits {
    Limits {
        connect: Duration::from_secs(1),
        read: Duration::from_secs(2),
        call: Duration::from_secs(3),
        page: Duration::from_secs(3),
        download: Duration::from_secs(3),
        ..Limits::default()
    }
}

pub(crate) fn small() -> Options {
    Options {
        rows: 60,
        page_size: 20,
        client_secret: CLIENT_SECRET.to_owned(),
        ..Options::default()
    }
}

pub(crate) fn faults(text: &str) -> Vec<Fault> {
    text.split(" & ")
        .filter(|fault| !fault.is_empty())
        .map(|fault| fault.parse().unwrap_or_else(|error| panic!("{error}")))
        .collect()
}

pub(crate) fn definition(format: &str) -> Definition {
    let value = json!({
        "name": "Canary Report",
        "schedule": { "type": "daily", "time": "06:00", "timezone": "UTC" },
        "report": {
            "type": "agent",
            "metrics": ["handleTime", "callsHandled", "avgHandleTime"],
            "dimensions": ["agentId", "agentName", "queueName"],
            "filters": [],
            "dateRange": { "type": "relative", "value": "previousDay" },
            "grouping": ["agentId"],
        },
        "delivery": { "type": "api", "format": format },
        "pipeline": { "tenant": "acme" },
    });
    Definition::from_value(&value).unwrap().definition
}

pub(crate) fn window() -> Window {
    "20260114T000000Z-20260115T000000Z".parse().unwrap()
}

pub(crate) fn client(base: &str, limits: Limits) -> Client {
    let config = ClientConfig {
        base_url: base.parse().unwrap(),
        token_url: format!("{base}/auth/token").parse().unwrap(),
        api_hosts: Vec::new(),
        allowed_hosts: vec![FILES.to_owned()],
        source: "the test".to_owned(),
    };
    Client::with_limits(config, limits).unwrap()
}

pub(crate) fn credentials() -> ClientCredentials {
    ClientCredentials {
        client_id: CLIENT_ID.to_owned(),
        client_secret: CLIENT_SECRET.to_owned().into(),
        auth: ClientAuth::Basic,
    }
}

/// A tenant, a client of it and the token that it was granted.
pub(crate) struct ClientUnderTest {
    pub(crate) tenant: Tenant,
    pub(crate) client: Client,
    pub(crate) token: AccessToken,
    pub(crate) definition: Definition,
}

/// All pages of a run.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) rows: Vec<Vec<u8>>,
    pub(crate) ends: Vec<PageEnd>,
}

impl ClientUnderTest {
    pub(crate) async fn new(spec: &str, format: &str) -> Self {
        Self::with(
            Options {
                faults: faults(spec),
                ..small()
            },
            limits(),
            format,
        )
        .await
    }

    pub(crate) async fn with(options: Options, limits: Limits, format: &str) -> Self {
        let tenant = Tenant::start(options).await.unwrap();
        let client = client(&tenant.base_url(), limits);
        let token = client.sign_in(&credentials()).await.unwrap().token;
        Self {
            tenant,
            client,
            token,
            definition: definition(format),
        }
    }

    pub(crate) async fn register(&self) -> Result<ScheduleId, Error> {
        let registered = self
            .client
            .register_schedule(&self.token, &self.definition)
            .await?;
        match registered {
            Some(id) => Ok(id),
            None => panic!("analytics has schedules"),
        }
    }

    pub(crate) async fn start(&self) -> Result<RunId, Error> {
        let schedule = self.register().await?;
        self.client
            .start_run(&self.token, &self.definition, Some(&schedule), &window())
            .await
    }

    pub(crate) async fn look(&self, run: &RunId) -> Result<RunStatus, Error> {
        self.client
            .poll_run(&self.token, Dialect::Analytics, run)
            .await
    }

    pub(crate) async fn cancel(&self, run: &RunId) -> Result<CancelOutcome, Error> {
        self.client
            .cancel_run(&self.token, Dialect::Analytics, run)
            .await
    }

    /// One page, and all of it or nothing.
    pub(crate) async fn page(
        &self,
        run: &RunId,
        at: Option<&PageToken>,
    ) -> Result<(Vec<Vec<u8>>, PageEnd), Error> {
        read(
            self.client
                .open_page(&self.token, page_of(&self.definition, run, &window(), at))
                .await?,
        )
        .await
    }

    /// Page after page, as far as they lead.
    pub(crate) async fn read(&self, run: &RunId) -> Result<Read, Error> {
        let mut all = Read::default();
        let mut at = None;
        while all.ends.len() < PAGES {
            let (rows, end) = self.page(run, at.as_ref()).await?;
            all.rows.extend(rows);
            at.clone_from(&end.next);
            all.ends.push(end);
            if at.is_none() {
                break;
            }
        }
        Ok(all)
    }

    pub(crate) fn truth(&self) -> Vec<Vec<u8>> {
        let runs = self.tenant.runs();
        let run = runs.last().unwrap();
        self.tenant.truth(&run.id).unwrap().collect()
    }

    /// Requests of one kind so far.
    pub(crate) fn asked(&self, kind: Kind) -> Vec<Entry> {
        let mut journal = self.tenant.journal();
        journal.retain(|entry| entry.kind == kind);
        journal
    }
}

/// Reads a page to its end. After an error there is no end to be had, whatever rows were seen before.
pub(crate) async fn read(mut page: Page) -> Result<(Vec<Vec<u8>>, PageEnd), Error> {
    let (mut chunk, mut rows) = (RowChunk::new(), Vec::new());
    loop {
        match page.read_rows(&mut chunk).await {
            Ok(true) => rows.extend(chunk.iter().map(<[u8]>::to_vec)),
            Ok(false) => break,
            Err(error) => {
                assert!(chunk.is_empty(), "rows beside an error");
                assert!(page.finish().await.is_err(), "an end after {error}");
                return Err(error);
            }
        }
    }
    page.finish().await.map(|end| (rows, end))
}

impl ClientUnderTest {
    /// No error repeats a secret, an address, a query, a page token or a row.
    pub(crate) fn tells_nothing(
        &self,
        error: &(dyn std::error::Error + 'static),
    ) -> Result<(), String> {
        let mut said = format!("{error:?}");
        let mut next = Some(error);
        while let Some(error) = next {
            said.push_str(&error.to_string());
            next = error.source();
        }
        let secrets = self.secrets();
        let told = secrets.iter().find(|secret| said.contains(secret.as_str()));
        told.map_or(Ok(()), |secret| Err(format!("{secret:?} is told: {said}")))
    }

    /// All that must not be told.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let mut secrets: Vec<String> = [
            CLIENT_SECRET,
            "://",
            "pageToken=",
            "?name",
            "sig=",
            "169.254",
            "2852039166",
            "/download",
            "canary-row",
        ]
        .map(str::to_owned)
        .into();
        secrets.push(self.token.expose().to_owned());
        secrets.push(self.tenant.address().to_string());
        if let Some(run) = self.tenant.runs().last()
            && let Some(truth) = self.tenant.truth(&run.id)
        {
            for row in truth.take(40) {
                let row: Value = serde_json::from_slice(&row).unwrap();
                let texts = row.as_object().unwrap().values().filter_map(Value::as_str);
                secrets.extend(texts.filter(|text| text.len() > 4).map(str::to_owned));
            }
        }
        secrets
    }
}

/// Which page of which run.
pub(crate) fn page_of<'a>(
    definition: &'a Definition,
    run: &'a RunId,
    window: &'a Window,
    at: Option<&'a PageToken>,
) -> PageQuery<'a> {
    PageQuery {
        definition,
        run,
        window,
        at,
    }
}

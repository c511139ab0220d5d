//! The connections to AWS. One that does not come is given up within seconds, a person who waits is told so, and whatever
//! answers in the place of AWS is told apart from it.

use std::collections::HashSet;
use std::error::Error;
use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_sfn::config::ConfigBag;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, ConnectorBuilder};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};

/// A person who waits longer than this is told for whom.
const PATIENCE: Duration = Duration::from_secs(2);

/// An answer that has not begun after this does not come: the slowest calls of AWS take some seconds.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// What is said of an answer of something else.
pub(crate) const NOT_AWS: &str = "an answer that is not AWS's";

/// Why nothing came of a request that no retry can help.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error("no connection to {host}: {reason}")]
    NotReached { host: String, reason: String },
    #[error("{host} takes the connection, and gives no answer within {} s", ANSWER_LIMIT.as_secs())]
    NoAnswer { host: String },
    #[error("{} (HTTP {status} from {host})", NOT_AWS)]
    NotAws { host: String, status: u16 },
}

/// The SDK's own HTTP client, watched. `is_quiet`: nothing is said on the standard error.
pub(super) fn watch_connections(is_quiet: bool) -> SharedHttpClient {
    SharedHttpClient::new(WatchedClient {
        inner: make_client(),
        watch: Arc::new(Watch {
            reached: Mutex::default(),
            has_told: Mutex::new(is_quiet),
        }),
    })
}

/// What the SDK makes where no client is given.
fn make_client() -> SharedHttpClient {
    Builder::new().build_with_connector_fn(|settings, components| {
        let tls = Provider::Rustls(CryptoMode::AwsLc);
        let mut connector = ConnectorBuilder::default().tls_provider(tls);
        connector.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            connector.set_sleep_impl(components.sleep_impl());
        }
        connector.set_proxy_config(Some(ProxyConfig::from_env()));
        connector.build()
    })
}

/// What is known of the connections of one process.
#[derive(Debug)]
struct Watch {
    /// The hosts that answered.
    reached: Mutex<HashSet<String>>,
    /// Whether a person was told to wait, which is done once.
    has_told: Mutex<bool>,
}

#[derive(Debug)]
struct WatchedClient {
    inner: SharedHttpClient,
    watch: Arc<Watch>,
}

#[derive(Debug)]
struct WatchedConnector {
    inner: SharedHttpConnector,
    watch: Arc<Watch>,
}

impl HttpClient for WatchedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(WatchedConnector {
            inner: self.inner.http_connector(settings, components),
            watch: Arc::clone(&self.watch),
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.inner.validate_base_client_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

impl HttpConnector for WatchedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let watch = Arc::clone(&self.watch);
        let host = host_of(request.uri()).to_owned();
        let signature = request.headers().get("authorization");
        let is_signed = signature.is_some_and(|it| it.starts_with("AWS4-"));
        let answer = self.inner.call(request);
        HttpConnectorFuture::new(async move {
            match watch.wait_for(&host, answer).await {
                Ok(answer) if is_signed && !is_from_aws(&answer) => {
                    let status = answer.status().as_u16();
                    let error = ConnectionError::NotAws { host, status };
                    Err(ConnectorError::user(error.into()))
                }
                Ok(answer) => {
                    watch.note_answer(host);
                    Ok(answer)
                }
                // To try again what has no answer takes minutes.
                Err(error) if error.is_user() || watch.was_reached(&host) => Err(error),
                // An address that never answered is wrong, or there is no network: to try again takes half a minute.
                Err(error) => {
                    let reason = innermost(&error);
                    let error = ConnectionError::NotReached { host, reason };
                    Err(ConnectorError::user(error.into()))
                }
            }
        })
    }
}

impl Watch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a person who waits is told for whom"
    )]
    async fn wait_for(
        &self,
        host: &str,
        mut answer: HttpConnectorFuture,
    ) -> Result<HttpResponse, ConnectorError> {
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            () = tokio::time::sleep(PATIENCE) => {
                self.tell_of_waiting(host);
                let rest = tokio::time::timeout(ANSWER_LIMIT.saturating_sub(PATIENCE), answer);
                rest.await.unwrap_or_else(|_| {
                    let host = host.to_owned();
                    Err(ConnectorError::user(ConnectionError::NoAnswer { host }.into()))
                })
            }
        }
    }

    fn tell_of_waiting(&self, host: &str) {
        let mut has_told = self.has_told.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *has_told, true) {
            let _ = writeln!(std::io::stderr(), "waiting for {host} …");
        }
    }

    fn note_answer(&self, host: String) {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.insert(host);
    }

    fn was_reached(&self, host: &str) -> bool {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        reached.contains(host)
    }
}

/// The host of a URL, with its port if the URL names one.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// Whether an answer may be one of AWS, or of something that speaks like it. A proxy and a captive portal answer with a page.
fn is_from_aws(answer: &HttpResponse) -> bool {
    let headers = answer.headers();
    let has_id = ["x-amzn-requestid", "x-amz-request-id"];
    if has_id.iter().any(|name| headers.contains_key(*name)) {
        return true;
    }
    // An object of a bucket is of any type, and only AWS itself is sure to name the request.
    let is_page = |kind: &str| kind.contains("html") || kind.starts_with("text/plain");
    let kind = headers.get("content-type");
    !answer.status().is_server_error() && !kind.is_some_and(is_page)
}

/// The cause of a cause, and so on: only the last one says what happened.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet() -> Watch {
        Watch {
            reached: Mutex::default(),
            has_told: Mutex::new(true),
        }
    }

    /// Also one that answered before: whoever stays for hours asks again by itself.
    #[tokio::test(start_paused = true)]
    async fn a_host_that_takes_the_connection_and_never_answers_is_given_up() {
        let silent = HttpConnectorFuture::new(std::future::pending());
        let begun = tokio::time::Instant::now();
        let error = quiet().wait_for("host:1", silent).await.unwrap_err();
        assert_eq!(begun.elapsed(), ANSWER_LIMIT);
        assert!(error.is_user(), "the SDK would ask eight times");
        assert_eq!(
            innermost(&error),
            "host:1 takes the connection, and gives no answer within 30 s"
        );
    }

    #[expect(clippy::disallowed_methods, reason = "time is virtual")]
    #[tokio::test(start_paused = true)]
    async fn an_answer_that_begins_within_the_limit_is_waited_for() {
        let late = HttpConnectorFuture::new(async {
            tokio::time::sleep(ANSWER_LIMIT.saturating_sub(Duration::from_millis(1))).await;
            Err(ConnectorError::other("late".into(), None))
        });
        let error = quiet().wait_for("host:1", late).await.unwrap_err();
        assert_eq!(innermost(&error), "late");
    }
}

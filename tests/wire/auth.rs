//! Group 2: tokens and clocks (A30 to A39).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use cxone::{AccessToken, Client, Page};
use cxone_sim::{Kind, Options};
use definition::Dialect;
use definition::RunStatus;
use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::json;
use tokens::{AuthError, Error, SecretNames, Tokens, UnavailableError};

use crate::cases::Call::{Cancel, Grant, Pages, Start};
use crate::cases::Outcome::{Contract, Forbidden, Lives, Unauthorized, Unavailable};
use crate::cases::check;
use crate::harness::{self, ClientUnderTest, faults, limits, small};
use crate::secrets::{self, Secrets};

/// A client whose calls are made with tokens that are kept as in production.
struct Signed {
    under_test: ClientUnderTest,
    tokens: Tokens,
    _secrets: Secrets,
}

impl Signed {
    /// The run is there before the tenant misbehaves.
    async fn new(options: Options, spec: &str) -> (Self, definition::RunId) {
        let under_test = ClientUnderTest::with(options, limits(), "json").await;
        let run = under_test.start().await.unwrap();
        under_test.tenant.set_faults(faults(spec));
        let secrets = Secrets::reaching(&under_test.tenant).await;
        let names = SecretNames::new("cxone/", &"acme".parse().unwrap());
        let tokens = Tokens::new(names, secrets::sdk(&secrets.url()));
        let signed = Self {
            under_test,
            tokens,
            _secrets: secrets,
        };
        (signed, run)
    }

    async fn look(&self, run: &definition::RunId) -> Result<RunStatus, Error> {
        self.tokens
            .call(|client, token| async move {
                client.poll_run(&token, Dialect::Analytics, run).await
            })
            .await
    }

    async fn page(
        &self,
        run: &definition::RunId,
        at: Option<&definition::PageToken>,
    ) -> Result<Page, Error> {
        let definition = &self.under_test.definition;
        let window = harness::window();
        let wanted = harness::page_of(definition, run, &window, at);
        let call = |client: Client, token: AccessToken| async move {
            client.open_page(&token, wanted).await
        };
        self.tokens.call(call).await
    }

    /// Grants for those tokens: the first one is that of the client under test.
    fn grants(&self) -> usize {
        self.under_test.asked(Kind::Token).len() - 1
    }
}

#[rustfmt::skip]
#[tokio::test]
async fn a_refusal_says_whether_the_token_or_the_right_is_missing() {
    check(&[
        ("A30", "unauthorized:on=page", Pages, Unauthorized("invalid_token")),
        ("A30", "unauthorized:on=start-run", Start, Unauthorized("invalid_token")),
        ("A30", "token-expires:on=page,after=1", Pages, Unauthorized("invalid_token")),
        ("A31", "forbidden:on=look", Pages, Forbidden("Application > Access is missing")),
        ("A31", "forbidden:on=cancel", Cancel, Forbidden("Application > Access is missing")),
        ("A32", "unavailable:on=token", Grant, Unavailable("status 503")),
        ("A33", "invalid-client:status=400", Grant, Unauthorized("invalid_client")),
        ("A33", "invalid-client:status=401", Grant, Unauthorized("invalid_client")),
        ("A33", "invalid-client:status=403", Grant, Unauthorized("invalid_client")),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn a_grant_is_taken_in_every_form_that_makes_sense() {
    check(&[
        ("A34", "expires-in:as=zero", Grant, Lives(0)),
        ("A34", "expires-in:as=negative", Grant, Lives(0)),
        ("A34", "expires-in:as=null", Grant, Lives(300)),
        ("A34", "expires-in:as=missing", Grant, Lives(300)),
        ("A34", "expires-in:as=word", Grant, Lives(300)),
        ("A34", "expires-in:as=string", Grant, Lives(3_600)),
        ("A34", "expires-in:as=float", Grant, Lives(3_600)),
        ("A34", "expires-in:as=huge", Grant, Lives(86_400)),
        ("A36", "token-type:as=lower", Grant, Lives(3_600)),
        ("A36", "token-type:as=missing", Grant, Lives(3_600)),
        ("A36", "token-type:as=mac", Grant, Contract("not a bearer token")),
        ("A36", "token-text:as=crlf", Grant, Contract("does not fit into a header")),
        ("A36", "token-text:as=nul", Grant, Contract("does not fit into a header")),
        ("A36", "token-text:as=huge", Grant, Contract("does not fit into a header")),
        ("A36", "token-text:as=empty", Grant, Contract("does not fit into a header")),
        ("A36", "token-text:as=missing", Grant, Contract("not a token")),
        ("A36", "token-text:as=number", Grant, Contract("not a token")),
    ])
    .await;
}

/// A30: the token ends between two pages.
#[tokio::test]
async fn a_token_that_ends_between_pages_is_replaced_and_the_same_page_asked_for() {
    let (signed, run) = Signed::new(small(), "token-expires:on=page,after=1").await;
    let (mut rows, mut at) = (Vec::new(), None);
    loop {
        let page = signed.page(&run, at.as_ref()).await.unwrap();
        let (more, end) = harness::read(page).await.unwrap();
        rows.extend(more);
        at = end.next;
        if at.is_none() {
            break;
        }
    }
    assert_eq!(rows, signed.under_test.truth());
    let pages: Vec<_> = signed
        .under_test
        .asked(Kind::Page)
        .iter()
        .map(|asked| (asked.page, asked.status))
        .collect();
    assert_eq!(pages, [(Some(1), 200), (Some(2), 401), (Some(2), 200)]);
    assert_eq!(signed.grants(), 2);
}

/// A30: every token is refused.
#[tokio::test]
async fn a_fresh_token_that_is_refused_ends_it_without_a_storm() {
    let (signed, run) = Signed::new(small(), "unauthorized:on=look").await;
    let error = signed.look(&run).await.unwrap_err();
    assert!(
        matches!(error, Error::Auth(AuthError::Token { .. })),
        "{error:?}"
    );
    signed.under_test.tells_nothing(&error).unwrap();
    assert!(signed.grants() <= 2, "{} grants", signed.grants());
    // One more than tokens, after a pause.
    assert!(signed.under_test.asked(Kind::Look).len() <= 3);
}

/// D08: the issuer's clock is ahead of the API's, so that a token is refused until it is some seconds old.
#[tokio::test]
async fn a_token_that_is_too_young_ripens_instead_of_failing_the_day() {
    // All wait at the same time.
    let young = async |spec| {
        let (signed, run) = Signed::new(small(), spec).await;
        assert_eq!(signed.look(&run).await.unwrap(), RunStatus::Completed);
        assert!(signed.grants() <= 2, "{spec}: {} grants", signed.grants());
        assert_eq!(signed.under_test.asked(Kind::Look).len(), 3, "{spec}");
    };
    // Older than any clock explains, and asked for four times at most.
    let old = async {
        let (signed, run) = Signed::new(small(), "token-young:seconds=3600").await;
        let error = signed.look(&run).await.unwrap_err();
        assert!(
            matches!(error, Error::Auth(AuthError::Token { .. })),
            "{error:?}"
        );
        assert!(signed.under_test.asked(Kind::Look).len() <= 4);
    };
    tokio::join!(young("token-young"), young("token-young:seconds=4"), old);
}

/// D09: whatever is in the id and the secret, the endpoint gets it in the form that the tenant's secret names.
#[tokio::test]
async fn a_client_of_any_characters_signs_in_in_the_form_that_the_endpoint_takes() {
    for (id, secret) in [
        ("app@vendor", "a+b/c=="),
        ("plain", "100%41"),
        ("ünï", "with a space + more=?"),
    ] {
        for (takes, auth) in [
            ("client-auth:as=raw", "basic"),
            ("client-auth:as=encoded", "basic_encoded"),
            ("client-auth:as=form", "post"),
        ] {
            let options = Options {
                client_id: id.to_owned(),
                client_secret: secret.to_owned(),
                faults: faults(takes),
                ..small()
            };
            let tenant = cxone_sim::Tenant::start(options).await.unwrap();
            for told in ["basic", "basic_encoded", "post"] {
                let secrets = Secrets::holding(&json!({
                    "base_url": tenant.base_url(), "token_url": tenant.token_url(),
                    "client_id": id, "client_secret": secret, "client_auth": told,
                }))
                .await;
                let names = SecretNames::new("cxone/", &"acme".parse().unwrap());
                let tokens = Tokens::new(names, secrets::sdk(&secrets.url()));
                let granted = tokens.bearer().await;
                assert_eq!(granted.is_ok(), told == auth, "{id} {takes} {told}");
                if let Err(error) = granted {
                    let said = format!("{error} {error:?}");
                    assert!(
                        matches!(error, Error::Auth(AuthError::Client { .. })),
                        "{said}"
                    );
                    assert!(
                        said.contains("client_auth") && !said.contains(secret),
                        "{said}"
                    );
                }
            }
        }
    }
}

/// A31: another token would not help.
#[tokio::test]
async fn a_missing_right_asks_for_no_other_token() {
    let (signed, run) = Signed::new(small(), "forbidden:on=look").await;
    let error = signed.look(&run).await.unwrap_err();
    assert!(
        matches!(error, Error::Auth(AuthError::Permission { .. })),
        "{error:?}"
    );
    assert_eq!(
        (signed.grants(), signed.under_test.asked(Kind::Look).len()),
        (1, 1)
    );
}

/// A32, A33: what the token endpoint says, and what is told of it.
#[tokio::test]
async fn a_token_endpoint_that_is_down_is_not_one_that_refuses() {
    for (spec, wait, refused) in [
        ("unavailable:on=token,times=forever", None, false),
        (
            "unavailable:on=token,status=500,body=html,times=forever",
            None,
            false,
        ),
        ("refused:on=token,times=forever", None, false),
        (
            "throttled:on=token,seconds=40,times=forever",
            Some(40),
            false,
        ),
        // A word as large as it gets is no reason to fall over.
        (
            "throttled:on=token,seconds=18446744073709551615,times=forever",
            Some(u64::MAX),
            false,
        ),
        ("invalid-client:status=400", None, true),
        ("invalid-client:status=401", None, true),
        ("invalid-client:status=403", None, true),
    ] {
        let (signed, run) = Signed::new(small(), spec).await;
        let error = signed.look(&run).await.unwrap_err();
        signed.under_test.tells_nothing(&error).unwrap();
        assert_eq!(error.retry_after(), wait.map(Duration::from_secs), "{spec}");
        let fits = match &error {
            Error::Unavailable(UnavailableError::Grant(_)) => !refused,
            Error::Auth(AuthError::Client { .. }) => refused,
            _ => false,
        };
        assert!(fits, "{spec}: {error:?}");
        assert_eq!(signed.grants(), 1, "{spec}: asked once");
    }
}

/// A32: a token that is still good does not need its endpoint.
#[tokio::test]
async fn the_token_at_hand_serves_while_its_endpoint_is_down() {
    let (signed, run) = Signed::new(small(), "unavailable:on=token,at=2,times=forever").await;
    for _ in 0..3 {
        assert_eq!(signed.look(&run).await.unwrap(), RunStatus::Completed);
    }
    assert_eq!(signed.grants(), 1);
}

/// A34: a token that is said to live for no time at all.
#[tokio::test]
async fn a_token_without_a_life_is_not_asked_for_at_every_call() {
    for form in ["zero", "negative"] {
        let (signed, run) = Signed::new(small(), &format!("expires-in:as={form}")).await;
        for _ in 0..5 {
            assert_eq!(signed.look(&run).await.unwrap(), RunStatus::Completed);
        }
        assert_eq!(signed.grants(), 1, "{form}");
    }
}

/// A35: the tenant's clock is ahead, so that the token ends there before it ends here.
#[tokio::test]
async fn a_token_that_ended_at_the_tenant_is_replaced() {
    let clock = Arc::new(AtomicI64::new(1_800_000_000));
    let theirs = Arc::clone(&clock);
    let now = Arc::new(move || Timestamp::from_second(theirs.load(Ordering::SeqCst)).unwrap());
    let (signed, run) = Signed::new(Options { now, ..small() }, "").await;
    assert_eq!(signed.look(&run).await.unwrap(), RunStatus::Completed);
    clock.fetch_add(3_601, Ordering::SeqCst);
    assert_eq!(signed.look(&run).await.unwrap(), RunStatus::Completed);
    let statuses: Vec<_> = signed
        .under_test
        .asked(Kind::Look)
        .iter()
        .map(|asked| asked.status)
        .collect();
    assert_eq!((statuses, signed.grants()), (vec![200, 401, 200], 2));
}

/// A39: many tasks whose token ends at the same time.
#[tokio::test]
async fn many_refused_calls_ask_for_one_new_token() {
    let (signed, run) = Signed::new(small(), "token-expires:on=look,after=1").await;
    assert_eq!(signed.look(&run).await.unwrap(), RunStatus::Completed);
    let looks = (0..16).map(|_| signed.look(&run));
    for look in join_all(looks).await {
        assert_eq!(look.unwrap(), RunStatus::Completed);
    }
    // Every new token gets one call before the next one ends all of them, were the fault not spent.
    assert_eq!(signed.grants(), 2);
}

/// A37: the clocks differ.
#[tokio::test]
async fn a_clock_that_differs_is_told_and_changes_nothing() {
    for (spec, told) in [
        ("clock-skew:seconds=3600", true),
        ("clock-skew:seconds=3600,direction=behind", true),
        ("clock-skew:seconds=5", false),
    ] {
        let log = crate::log::Log::default();
        let _guard = log.listen();
        let options = Options {
            faults: faults(spec),
            now: Arc::new(Timestamp::now),
            ..small()
        };
        let under_test = ClientUnderTest::with(options, limits(), "json").await;
        let run = under_test.start().await.unwrap();
        assert_eq!(
            under_test.read(&run).await.unwrap().rows,
            under_test.truth(),
            "{spec}"
        );
        assert_eq!(
            log.text().contains("the clock differs from CXone's"),
            told,
            "{spec}"
        );
    }
}

/// A86 in part: what is logged on the way of a refused token.
#[tokio::test]
async fn the_log_of_a_sign_in_holds_no_secret() {
    for spec in [
        "token-expires:on=look,after=0",
        "unauthorized:on=look",
        "invalid-client",
        "token-text:as=crlf",
        "throttled:on=token,times=forever",
    ] {
        let log = crate::log::Log::default();
        let _guard = log.listen();
        let (signed, run) = Signed::new(small(), spec).await;
        let _ = signed.look(&run).await;
        let text = log.text();
        let told = signed
            .under_test
            .secrets()
            .into_iter()
            .find(|secret| text.contains(secret.as_str()));
        assert_eq!(told, None, "{spec}: {text}");
        assert!(
            !text.contains("sim-2-"),
            "{spec}: the token of the second grant"
        );
    }
}

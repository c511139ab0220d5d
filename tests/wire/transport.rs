//! Group 1: rate, availability, transport (A01 to A27).

use std::time::Duration;

use cxone::{Error, Limits};
use cxone_sim::{Kind, Options};

use crate::cases::Call::{Cancel, File, Grant, Look, Pages, Register, Start};
use crate::cases::Outcome::{
    Ambiguous, Config, Contract, Good, LinkRefused, NotFound, Rejected, Throttled, Unavailable,
};
use crate::cases::{check, check_within};
use crate::harness::{self, ClientUnderTest, faults, limits, small};
use crate::raw::Raw;

#[rustfmt::skip]
#[tokio::test]
async fn throttling_says_how_long_if_it_makes_sense() {
    check(&[
        ("A01", "throttled:on=look,seconds=7", Look, Throttled(Some(7))),
        ("A01", "throttled:on=page,seconds=30", Pages, Throttled(Some(30))),
        ("A01", "throttled:on=download,seconds=0", File, Throttled(Some(0))),
        ("A01", "throttled:on=token", Grant, Throttled(Some(2))),
        ("A01", "throttled:on=list-schedules", Register, Throttled(Some(2))),
        ("A01", "throttled:on=create-schedule", Register, Throttled(Some(2))),
        ("A01", "throttled:on=start-run", Start, Throttled(Some(2))),
        ("A01", "throttled:on=cancel", Cancel, Throttled(Some(2))),
        ("A02", "throttled:on=look,retry-after=imf,seconds=30", Look, Throttled(Some(30))),
        ("A02", "throttled:on=look,retry-after=rfc850,seconds=30", Look, Throttled(Some(30))),
        ("A02", "throttled:on=look,retry-after=asctime,seconds=30", Look, Throttled(Some(30))),
        ("A02", "throttled:on=look,retry-after=past", Look, Throttled(Some(0))),
        ("A03", "throttled:on=look,retry-after=negative", Look, Throttled(None)),
        ("A03", "throttled:on=look,retry-after=fraction", Look, Throttled(None)),
        ("A03", "throttled:on=look,retry-after=word", Look, Throttled(None)),
        ("A03", "throttled:on=look,retry-after=huge", Look, Throttled(None)),
        ("A03", "throttled:on=look,retry-after=empty", Look, Throttled(None)),
        ("A03", "throttled:on=look,seconds=18446744073709551615", Look, Throttled(Some(u64::MAX))),
        ("A04", "throttled:on=look,retry-after=none", Look, Throttled(None)),
        ("A05", "throttled:on=page,times=forever", Pages, Throttled(Some(2))),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn a_5xx_is_unavailable_or_ambiguous_or_final_by_its_status_alone() {
    check(&[
        ("A06", "unavailable:on=look,status=500", Look, Unavailable("status 500")),
        ("A06", "unavailable:on=look,status=502", Look, Unavailable("status 502")),
        ("A06", "unavailable:on=page,status=503", Pages, Unavailable("status 503")),
        ("A06", "unavailable:on=download,status=504", File, Unavailable("status 504")),
        ("A06", "unavailable:on=token,status=500", Grant, Unavailable("status 500")),
        ("A06", "unavailable:on=list-schedules,status=500", Register, Unavailable("status 500")),
        ("A06", "unavailable:on=look,status=501", Look, Rejected(501, "try again")),
        ("A06", "unavailable:on=look,status=505", Look, Rejected(505, "try again")),
        ("A06", "unavailable:on=start-run,status=500", Start, Ambiguous("status 500")),
        ("A06", "unavailable:on=start-run,status=502", Start, Ambiguous("status 502")),
        ("A06", "unavailable:on=start-run,status=503", Start, Unavailable("status 503")),
        ("A06", "unavailable:on=start-run,status=504", Start, Ambiguous("status 504")),
        ("A06", "unavailable:on=create-schedule,status=502", Register, Ambiguous("status 502")),
        ("A07", "unavailable:on=look,status=503,body=html", Look, Unavailable("status 503")),
        ("A07", "unavailable:on=page,status=500,body=html", Pages, Unavailable("status 500")),
        ("A07", "unavailable:on=look,status=400,body=html", Look, Rejected(400, "")),
        ("A07", "unavailable:on=look,status=503,body=none", Look, Unavailable("status 503")),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn what_is_no_answer_is_never_no_rows() {
    check(&[
        ("A08", "html-200:on=look", Look, Contract("text/html")),
        ("A08", "html-200:on=look", Pages, Contract("text/html")),
        ("A08", "html-200:on=page", Pages, Contract("text/html")),
        ("A08", "html-200:on=download", File, Contract("text/html")),
        ("A08", "html-200:on=token", Grant, Contract("text/html")),
        ("A08", "html-200:on=list-schedules", Register, Contract("text/html")),
        ("A08", "html-200:on=start-run", Start, Contract("text/html")),
        ("A09", "empty:on=look", Look, Contract("status 204")),
        ("A09", "empty:on=look,status=200", Pages, Contract("empty")),
        ("A09", "empty:on=page,status=204", Pages, Contract("status 204")),
        ("A09", "empty:on=page,status=205", Pages, Contract("status 205")),
        ("A09", "empty:on=page,status=206", Pages, Contract("status 206")),
        ("A09", "empty:on=download,status=204", File, Contract("status 204")),
        ("A09", "empty:on=download,status=200", File, Contract("empty")),
        ("A09", "empty:on=token,status=200", Grant, Contract("empty")),
        ("A09", "empty:on=start-run,status=200", Start, Contract("empty")),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn a_connection_that_ends_too_early_is_unavailable_and_for_a_start_ambiguous() {
    check(&[
        ("A11", "refused:on=look,how=close", Look, Unavailable("broke off")),
        ("A11", "refused:on=look,how=reset", Look, Unavailable("broke off")),
        ("A11", "refused:on=page,how=reset", Pages, Unavailable("broke off")),
        ("A11", "refused:on=download,how=reset", File, Unavailable("broke off")),
        ("A11", "refused:on=token,how=close", Grant, Unavailable("broke off")),
        ("A11", "refused:on=cancel,how=reset", Cancel, Unavailable("broke off")),
        ("A11", "refused:on=start-run,how=close", Start, Ambiguous("broke off")),
        ("A11", "refused:on=start-run,how=reset", Start, Ambiguous("broke off")),
        ("A11", "refused:on=create-schedule", Register, Ambiguous("broke off")),
        ("A12", "reset-mid-body:page=0", Pages, Unavailable("broke off")),
        ("A12", "reset-mid-body:page=1,bytes=3000", Pages, Unavailable("broke off")),
        ("A12", "reset-mid-body:on=download,bytes=500", File, Unavailable("broke off")),
        ("A13", "short-body:page=1", Pages, Unavailable("broke off")),
        ("A13", "short-body:page=1,missing=1", Pages, Unavailable("broke off")),
        ("A13", "short-body:on=download,missing=1", File, Unavailable("broke off")),
        ("A14", "unterminated:page=2", Pages, Unavailable("broke off")),
        ("A14", "unterminated:on=download", File, Unavailable("broke off")),
        ("A15", "close-delimited:page=1", Pages, Unavailable("ends in the middle")),
        ("A15", "close-delimited:page=1,bytes=9999999", Pages, Good),
        ("A15", "close-delimited:on=download,bytes=2000", File, Contract("where the file ends")),
        ("A15", "close-delimited:on=download,bytes=9999999", File, Contract("where the file ends")),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn compressed_bodies_are_taken_whole_or_not_at_all() {
    check(&[
        ("A16", "gzip-truncated:page=1", Pages, Unavailable("cut off")),
        ("A16", "gzip-truncated:page=1,missing=1", Pages, Unavailable("cut off")),
        ("A16", "gzip-truncated:page=1,missing=40", Pages, Unavailable("cut off")),
        ("A16", "gzip-truncated:on=download", File, Unavailable("cut off")),
        ("A16", "gzip-bad-crc:page=1", Pages, Contract("damaged")),
        ("A16", "gzip-bad-crc:on=download", File, Contract("damaged")),
        ("A17", "gzip-members:page=1", Pages, Good),
        ("A17", "gzip-members:page=1,members=50", Pages, Good),
        ("A17", "gzip-members:on=download,members=5", File, Good),
        ("A18", "gzip-garbage:page=1", Pages, Contract("damaged")),
        ("A18", "gzip-garbage:on=download", File, Contract("damaged")),
        ("A18", "gzip-plain:page=1", Pages, Contract("damaged")),
        ("A18", "gzip-plain:on=download", File, Contract("damaged")),
        ("A21", "bomb:mib=256", Pages, Contract("more than 200 times its size")),
        ("A21", "bomb:page=1,mib=256", Pages, Contract("more than 200 times its size")),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn an_answer_that_does_not_come_or_end_is_given_up() {
    check_within(harness::short(), &[
        ("A19", "drip:page=1,bytes=1,every-ms=20", Pages, Unavailable("too long")),
        ("A19", "drip:on=download,bytes=1,every-ms=20", File, Unavailable("too long")),
        ("A20", "hang:page=1,ms=9000", Pages, Unavailable("too long")),
        ("A20", "hang:on=download,ms=9000", File, Unavailable("too long")),
        ("A20", "stalled:on=look,ms=9000", Look, Unavailable("no answer in time")),
        ("A20", "stalled:on=start-run,ms=9000", Start, Ambiguous("no answer in time")),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn what_is_not_http_is_unavailable() {
    check(&[
        ("A22", "non-http:on=look", Look, Unavailable("broke off")),
        ("A22", "non-http:on=start-run", Start, Ambiguous("broke off")),
        ("A22", "huge-headers:on=look", Look, Unavailable("broke off")),
        ("A22", "huge-headers:on=page,kib=200", Pages, Unavailable("broke off")),
        ("A22", "huge-headers:on=start-run", Start, Ambiguous("broke off")),
        ("A22", "conflicting-length:on=page", Pages, Unavailable("broke off")),
        ("A22", "conflicting-length:on=download", File, Unavailable("broke off")),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn no_redirect_is_followed() {
    // `check` asserts that the other host was not called.
    check(&[
        ("A23", "redirect:on=look,status=301", Look, Contract("a redirect (status 301)")),
        ("A23", "redirect:on=look,status=302", Pages, Contract("a redirect (status 302)")),
        ("A23", "redirect:on=page,status=303", Pages, Contract("a redirect (status 303)")),
        ("A23", "redirect:on=download,status=307", File, Contract("a redirect (status 307)")),
        ("A23", "redirect:on=token,status=307", Grant, Contract("a redirect (status 307)")),
        ("A23", "redirect:on=start-run,status=308", Start, Contract("a redirect (status 308)")),
        ("A23", "redirect:on=create-schedule", Register, Contract("a redirect (status 307)")),
        ("A23", "redirect:on=cancel", Cancel, Contract("a redirect (status 307)")),
    ])
    .await;
}

#[rustfmt::skip]
#[tokio::test]
async fn a_link_that_its_host_refuses_is_told_from_a_run_that_is_gone() {
    check(&[
        ("A61", "download-expired", File, LinkRefused("host 127.0.0.1 refuses the link of the file (status 403)")),
        ("A61", "download-expired:status=400", File, LinkRefused("(status 400): it has expired, or the host wants the access token")),
        ("D04", "download-expired:status=401", File, Config("host 127.0.0.1 answers 401 to the link of the file, so it wants the access token; if it is CXone's, list it in the test in api_hosts")),
        ("A61", "download-expired:status=404", File, NotFound(404)),
        ("A61", "download-expired:status=410", File, NotFound(410)),
    ])
    .await;
}

/// A24: the connection of the registration is used again, and ends under the start.
#[tokio::test]
async fn a_start_on_a_stale_connection_is_not_sent_again() {
    let under_test = ClientUnderTest::new("stale-keep-alive", "json").await;
    let schedule = under_test.register().await.unwrap();
    let error = under_test
        .client
        .start_run(
            &under_test.token,
            &under_test.definition,
            Some(&schedule),
            &harness::window(),
        )
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Ambiguous { .. }), "{error}");
    assert_eq!(under_test.asked(Kind::StartRun).len(), 1);
    assert_eq!(
        under_test.tenant.runs().len(),
        1,
        "the tenant had started it"
    );
}

/// A10: nobody listens; nobody takes the connection; the name does not exist.
#[tokio::test]
async fn a_connection_that_is_not_to_be_had_is_unavailable_even_for_a_start() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let full = tokio::net::TcpSocket::new_v4().unwrap();
    full.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let full = full.listen(1).unwrap();
    let address = full.local_addr().unwrap();
    // Whoever comes once the queue is full waits for a place in it.
    let connect = || std::net::TcpStream::connect_timeout(&address, Duration::from_millis(200));
    let waiting: Vec<_> = (0..200).map_while(|_| connect().ok()).collect();
    for (base, reason) in [
        (format!("http://{free}"), "no connection"),
        (format!("http://{address}"), "connecting took too long"),
        ("https://no-such-host.invalid".to_owned(), "no connection"),
    ] {
        let client = harness::client(&base, harness::short());
        let token = cxone::AccessToken::new("canary-token").unwrap();
        let schedule = "sch-1".parse().unwrap();
        let window = harness::window();
        let definition = harness::definition("json");
        let call = client.start_run(&token, &definition, Some(&schedule), &window);
        let error = tokio::time::timeout(Duration::from_secs(8), call)
            .await
            .unwrap()
            .unwrap_err();
        let Error::Unavailable { reason: said, .. } = &error else {
            panic!("{base}: {error}")
        };
        assert!(
            said == reason || base.ends_with("invalid"),
            "{base}: {said}"
        );
    }
    drop(waiting);
}

/// A25: a server that answers in HTTP/2 whatever it is asked, and says that it goes away.
#[tokio::test]
async fn http_2_is_not_spoken() {
    const SETTINGS: &[u8] = &[0, 0, 0, 4, 0, 0, 0, 0, 0];
    const GOAWAY: &[u8] = &[0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let raw = Raw::answering([SETTINGS, GOAWAY].concat()).await;
    let client = harness::client(&raw.url(), limits());
    let error = client.sign_in(&harness::credentials()).await.unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error}");
    assert!(raw.requests()[0].starts_with("POST /auth/token HTTP/1.1\r\n"));
}

/// A19, A20: with the limits of production, on a clock that jumps to the next thing that happens.
#[tokio::test(start_paused = true)]
async fn the_limits_of_production_hold_too() {
    for (spec, seconds, reason) in [
        ("hang:page=0,ms=500000", 30, "the answer took too long"),
        ("stalled:on=look,ms=500000", 30, "no answer in time"),
        // Faster than the silence that is tolerated, slower than the rate that is asked for.
        (
            "drip:page=0,bytes=100,every-ms=1000,limit-ms=500000",
            30,
            "the answer came too slowly",
        ),
        // Fast enough for the rate, and still not done in the time for a page.
        (
            "drip:page=0,bytes=4000,every-ms=3000,limit-ms=900000",
            300,
            "the answer took too long",
        ),
    ] {
        let options = Options {
            faults: faults(spec),
            rows: 5_000,
            page_size: 5_000,
            ..small()
        };
        let under_test = ClientUnderTest::with(options, Limits::default(), "json").await;
        let run = under_test.start().await.unwrap();
        let began = tokio::time::Instant::now();
        let error = under_test.page(&run, None).await.unwrap_err();
        let took = began.elapsed().as_secs();
        let Error::Unavailable { reason: said, .. } = &error else {
            panic!("{spec}: {error}")
        };
        assert_eq!(said, reason, "{spec}");
        assert!((seconds..seconds + 3).contains(&took), "{spec}: {took} s");
    }
}

/// A21: where a bomb is not told by its ratio, the size of the page is what stops it.
#[tokio::test]
async fn a_page_has_a_largest_size() {
    let limits = Limits {
        ratio: u64::MAX,
        page_bytes: 4 << 20,
        ..limits()
    };
    let options = Options {
        faults: faults("bomb:mib=256"),
        ..small()
    };
    let under_test = ClientUnderTest::with(options, limits, "json").await;
    let run = under_test.start().await.unwrap();
    let error = under_test.page(&run, None).await.unwrap_err().to_string();
    assert!(
        error.ends_with("the body is larger than 4194304 bytes"),
        "{error}"
    );
}

/// A17: reqwest's own decoder drops every member of a gzip but the first.
#[test]
fn reqwest_decodes_nothing_itself() {
    let metadata = cargo_metadata::MetadataCommand::new()
        .manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .other_options(["--locked", "--filter-platform", env!("TARGET")].map(str::to_owned))
        .exec()
        .unwrap();
    let reqwest: Vec<_> = metadata
        .packages
        .iter()
        .filter(|p| p.name.as_str() == "reqwest")
        .collect();
    assert_eq!(reqwest.len(), 1, "one reqwest");
    let resolve = metadata.resolve.as_ref().unwrap();
    let node = resolve
        .nodes
        .iter()
        .find(|node| node.id == reqwest[0].id)
        .unwrap();
    for feature in ["gzip", "brotli", "deflate", "zstd"] {
        assert!(
            !node.features.iter().any(|on| on.as_str() == feature),
            "reqwest has {feature}"
        );
    }
}

//! Answers that faults give instead of the tenant, and deliveries that faults corrupt.

use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::data_extraction;
use super::error_shape::ErrorShape;
use crate::fault::Fault;
use crate::reply::{Delivery, HTTP_DATE, Reply};
use crate::request::Request;
use crate::state::State;

const LOGIN: &str = "<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><form action=\"/login\"><input name=\"user\"></form></body></html>\n";

/// The answer that a fault gives instead of the tenant.
pub(super) fn fault_reply(
    state: &State,
    fault: &Fault,
    shape: ErrorShape,
    request: &Request,
) -> Reply {
    match fault.name() {
        "throttled" => throttled_reply(fault, shape, state.now()),
        "unavailable" => match fault.text("body") {
            "html" => Reply::new(
                fault.status(),
                "text/html",
                format!(
                    "<html><body><h1>{}</h1>{}</body></html>",
                    fault.status(),
                    "x".repeat(8 << 10)
                )
                .into_bytes(),
            ),
            "none" => Reply::empty(fault.status()),
            _ => shape.refuse(fault.status(), "unavailable", "try again later"),
        },
        "html-200" => Reply::new(200, "text/html; charset=utf-8", LOGIN.into()),
        "empty" => Reply::empty(fault.status()),
        "refused" => Reply::empty(0).with_delivery(Delivery::Nothing {
            reset: fault.text("how") == "reset",
        }),
        "stalled" => Reply::empty(0)
            .with_delivery(Delivery::Stalled(Duration::from_millis(fault.number("ms")))),
        "non-http" => Reply::empty(0).with_delivery(Delivery::Raw(
            b"\x16\x03\x01\x02\x00 SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec(),
        )),
        "redirect" => Reply::empty(fault.status())
            .header("Location", format!("{}{}", state.decoy_url, request.path)),
        "bomb" => gzip_bomb(fault),
        "unauthorized" => shape.refuse(401, "invalid_token", "the token is not accepted"),
        "forbidden" => shape.refuse(403, "forbidden", "API > Application > Access is missing"),
        "refresh-refused" => Reply::error(
            fault.status(),
            "invalid_grant",
            "the refresh token is expired or revoked",
        ),
        "discovery-404" => shape.refuse(404, "Not Found", "no configuration for this tenant"),
        "extraction-throttled" | "extraction-forbidden" => data_extraction::forbidden_reply(),
        "file-exists" => Reply::error(fault.status(), "conflict", "a file of this name exists"),
        "file-name-taken" => shape.refuse(fault.status(), "conflict", "a file of this name exists"),
        "queue-full" => Reply::error(fault.status(), "too_many_requests", "the job queue is full"),
        "invalid-client" => Reply::error(
            fault.status(),
            "invalid_client",
            "client authentication failed",
        ),
        "schedules-hidden" => Reply::json(
            200,
            &serde_json::json!({ "schedules": [], "nextPageToken": null }),
        ),
        "definition-refused" => Reply::error(400, "invalid_request", fault.text("text")),
        "download-expired" => Reply::new(
            fault.status(),
            "application/xml",
            b"<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
                .to_vec(),
        ),
        _ => Reply::error(
            fault.status(),
            "refused",
            "the tenant misbehaves on request",
        ),
    }
}

fn throttled_reply(fault: &Fault, shape: ErrorShape, now: Timestamp) -> Reply {
    let reply = shape.refuse(429, "rate_limited", "too many calls");
    let seconds = fault.number("seconds");
    let date = |format: &str, seconds: i64| {
        let then = now
            .checked_add(SignedDuration::from_secs(seconds))
            .unwrap_or(now);
        then.to_zoned(TimeZone::UTC).strftime(format).to_string()
    };
    let ahead = i64::try_from(seconds).unwrap_or(i64::MAX);
    let value = match fault.text("retry-after") {
        "imf" => date(HTTP_DATE, ahead),
        "rfc850" => date("%A, %d-%b-%y %H:%M:%S GMT", ahead),
        "asctime" => date("%a %b %e %H:%M:%S %Y", ahead),
        "past" => date(HTTP_DATE, -3_600),
        "negative" => "-5".to_owned(),
        "fraction" => "1.5".to_owned(),
        "word" => "soon".to_owned(),
        "huge" => "100000000000000000000".to_owned(),
        "empty" => String::new(),
        "none" => return reply,
        _ => seconds.to_string(),
    };
    reply.header("Retry-After", value)
}

fn gzip_bomb(fault: &Fault) -> Reply {
    let before = br#"{"runId":"run-bomb","state":"completed","data":["#.to_vec();
    let swell = (0..fault.number("mib") * 16).map(|_| vec![b' '; 64 << 10]);
    let pieces = std::iter::once(before)
        .chain(swell)
        .chain(std::iter::once(br#"],"nextPageToken":null}"#.to_vec()));
    Reply::streamed("application/json", Box::new(pieces)).with_delivery(Delivery::GzipForced)
}

/// Corrupts the delivery of an answer.
pub(super) fn corrupt_delivery(mut reply: Reply, fault: &Fault) -> Reply {
    let size = |name| usize::try_from(fault.number(name)).unwrap_or(usize::MAX);
    let time = |name| Duration::from_millis(fault.number(name));
    reply.delivery = match fault.name() {
        "clock-skew" => {
            let seconds = i64::try_from(fault.number("seconds")).unwrap_or(0);
            reply.skew = if fault.text("direction") == "behind" {
                -seconds
            } else {
                seconds
            };
            return reply;
        }
        "reset-mid-body" => Delivery::Reset {
            bytes: size("bytes"),
        },
        "short-body" => Delivery::Short {
            missing: size("missing"),
        },
        "unterminated" => Delivery::Unterminated,
        "close-delimited" => Delivery::CloseDelimited {
            bytes: size("bytes"),
        },
        "gzip-truncated" => Delivery::GzipTruncated {
            missing: size("missing"),
        },
        "gzip-bad-crc" => Delivery::GzipBadCrc,
        "gzip-members" => Delivery::GzipMembers {
            members: size("members"),
        },
        "gzip-garbage" => Delivery::GzipGarbage,
        "gzip-plain" => Delivery::GzipPlain,
        "drip" => Delivery::Drip {
            bytes: size("bytes").max(1),
            every: time("every-ms"),
            limit: time("limit-ms"),
        },
        "hang" => Delivery::Hang(time("ms")),
        "huge-headers" => Delivery::HugeHeaders {
            bytes: size("kib").saturating_mul(1_024),
        },
        "conflicting-length" => Delivery::ConflictingLength,
        _ => Delivery::Nothing {
            reset: fault.text("how") == "reset",
        },
    };
    reply
}

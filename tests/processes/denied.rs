//! Rights, keys and credentials that are missing.

use local::world::{BUCKET, TENANT_SECRET};
use local_aws::Action;

use crate::small_day::SmallDayBuilder;
use crate::table::{Ends, On, Row, check, check_row, refuse};

fn always(id: &'static str, on: On, action: Action, said: &'static [&'static str]) -> Row {
    Row {
        id,
        on,
        action,
        times: u32::MAX,
        ends: Ends::Failed("Cxone.Config", said),
    }
}

fn once(id: &'static str, on: On, action: Action, ends: Ends) -> Row {
    Row {
        id,
        on,
        action,
        times: 1,
        ends,
    }
}

#[tokio::test]
async fn a_write_that_is_denied_names_the_action_the_key_and_the_right() {
    let denied = || refuse(403, "AccessDenied");
    let put = |key| On::new("PutObject", key);
    let rows = [
        always(
            "B15",
            put("open.json"),
            denied(),
            &["PutObject", "open.json", "s3:PutObject"],
        ),
        always(
            "B15",
            put("run.json"),
            denied(),
            &["PutObject", "run.json", "s3:PutObject"],
        ),
        always(
            "B15",
            put("/data/"),
            denied(),
            &["PutObject", "/data/", "s3:PutObject"],
        ),
        always(
            "B15",
            put("b000001.json"),
            denied(),
            &["PutObject", "b000001.json"],
        ),
        always(
            "B15",
            put("/_log/"),
            denied(),
            &["PutObject", "/_log/", "s3:PutObject"],
        ),
    ];
    check(SmallDayBuilder::new, rows).await;
}

#[tokio::test]
async fn a_key_that_can_not_be_used_is_named() {
    let rows = [
        ("KMS.DisabledException", 400),
        ("KMS.KMSInvalidStateException", 400),
        ("KMS.NotFoundException", 400),
        ("AccessDenied", 403),
    ];
    let rows = rows.map(|(code, status)| {
        let on = On::new("PutObject", "/data/").of("fetch-page");
        always(
            "B15",
            on,
            refuse(status, code),
            &["PutObject", "kms:GenerateDataKey"],
        )
    });
    check(SmallDayBuilder::new, rows).await;
}

#[tokio::test]
async fn a_read_that_is_denied_is_no_absent_object() {
    let denied = || refuse(403, "AccessDenied");
    let rows = [
        always(
            "B13",
            On::new("ListObjectsV2", ""),
            denied(),
            &["ListObjects", "s3:ListBucket"],
        ),
        always(
            "B13",
            On::new("GetObject", "open.json"),
            denied(),
            &["GetObject", "s3:ListBucket"],
        ),
        always(
            "B13",
            On::new("GetObject", "run.json"),
            denied(),
            &["GetObject", "s3:ListBucket"],
        ),
        always(
            "B13",
            On::new("GetObject", "b00000"),
            denied(),
            &["GetObject", "s3:ListBucket"],
        ),
        always(
            "B13",
            On::new("HeadObject", "").of("finalize"),
            denied(),
            &["HeadObject", "s3:ListBucket"],
        ),
    ];
    check(SmallDayBuilder::new, rows).await;
}

#[tokio::test]
async fn nothing_is_started_for_a_day_that_can_not_be_looked_at() {
    let pipeline = SmallDayBuilder::new().start().await;
    let on = On::new("ListObjectsV2", "").of("trigger");
    let row = always(
        "B13",
        on,
        refuse(403, "AccessDenied"),
        &[BUCKET, "s3:ListBucket"],
    );
    check_row(&pipeline, &row).await;
    // The one run is the redrive's.
    assert_eq!(pipeline.tenant().runs().len(), 1);
}

#[tokio::test]
async fn a_secret_that_is_denied_is_named() {
    let on = On::new("GetSecretValue", TENANT_SECRET);
    let rows = [
        "AccessDeniedException",
        "DecryptionFailure",
        "InvalidRequestException",
    ];
    let rows = rows.map(|code| always("B15", on, refuse(400, code), &[TENANT_SECRET]));
    check(SmallDayBuilder::new, rows).await;
}

#[tokio::test]
async fn credentials_that_expired_are_a_matter_of_time() {
    let retried = Ends::Retried("Cxone.Unavailable");
    let s3 = || refuse(400, "ExpiredToken");
    let secrets = || refuse(400, "ExpiredTokenException");
    let on = On::new("GetSecretValue", TENANT_SECRET);
    let rows = [
        once("B28", On::new("PutObject", "open.json"), s3(), retried),
        once("B28", On::new("PutObject", "b000001.json"), s3(), retried),
        once("B28", On::new("PutObject", "/data/"), s3(), retried),
        once(
            "B28",
            On::new("ListObjectsV2", "").of("finalize"),
            s3(),
            retried,
        ),
        once("B28", On::new("PutObject", "/_log/"), s3(), retried),
        once(
            "B28",
            On::new("PutObject", "/_log/"),
            refuse(403, "RequestTimeTooSkewed"),
            retried,
        ),
        once("B28", on, secrets(), retried),
        once("B28", on, refuse(400, "InvalidSignatureException"), retried),
    ];
    check(SmallDayBuilder::new, rows).await;
}

//! Parts of more than 5 MiB, which are uploaded in pieces.

use local_aws::Action;

use crate::small_day::SmallDayBuilder;
use crate::table::{Ends, On, Row, check_row, refuse};

/// A page of about 12 MB, as it is.
fn setup() -> SmallDayBuilder {
    let setup = SmallDayBuilder::new().pipeline("compression", "none");
    setup.tenant(|tenant| {
        tenant.rows = 30_000;
        tenant.page_size = 30_000;
        tenant.gzip = false;
    })
}

/// Uploads that are neither complete nor aborted are left for the bucket's lifecycle: so many.
async fn check(operation: &'static str, action: Action, ends: Ends, left: usize) {
    let pipeline = setup().start().await;
    let row = Row {
        id: "B11",
        on: On::new(operation, "/data/"),
        action,
        times: 1,
        ends,
    };
    check_row(&pipeline, &row).await;
    let open = pipeline.world.store().open_uploads();
    assert_eq!(open.len(), left, "{operation}: {open:?}");
    let completed = pipeline.calls().into_iter();
    let completed = completed.filter(|call| call.operation == "CompleteMultipartUpload");
    assert!(completed.count() > 0, "nothing was uploaded in pieces");
}

#[tokio::test]
async fn a_lost_answer_to_any_step_of_an_upload_is_harmless() {
    let lost = || Action::LoseAnswer;
    // The SDK begins a second upload, as it does not know the first one's id.
    check("CreateMultipartUpload", lost(), Ends::Unharmed, 1).await;
    check("UploadPart", lost(), Ends::Unharmed, 0).await;
    check("CompleteMultipartUpload", lost(), Ends::Unharmed, 0).await;
}

#[tokio::test]
async fn a_step_of_an_upload_that_breaks_is_repeated() {
    check("UploadPart", Action::Cut, Ends::Unharmed, 0).await;
    let slow_down = refuse(503, "SlowDown");
    check("CompleteMultipartUpload", slow_down, Ends::Unharmed, 0).await;
    let conflict = refuse(409, "ConditionalRequestConflict");
    check("CompleteMultipartUpload", conflict, Ends::Unharmed, 0).await;
}

#[tokio::test]
async fn an_upload_that_was_given_up_meanwhile_is_made_anew() {
    let retried = Ends::Retried("Cxone.Unavailable");
    let gone = || refuse(404, "NoSuchUpload");
    // Noticed between two pieces of a page, the page is asked for again; at its end, it is too late for that.
    let either = Ends::UnharmedOrRetried("Cxone.Unavailable");
    check("UploadPart", gone(), either, 0).await;
    check("CompleteMultipartUpload", gone(), retried, 0).await;
}

#[tokio::test]
async fn a_process_that_is_killed_in_an_upload_leaves_nothing_visible() {
    let retried = Ends::Retried("Runtime.ExitError");
    check("UploadPart", Action::KillAfter, retried, 1).await;
    check("CompleteMultipartUpload", Action::KillBefore, retried, 1).await;
    check("CompleteMultipartUpload", Action::KillAfter, retried, 0).await;
}

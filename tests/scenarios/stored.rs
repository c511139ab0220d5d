//! Days that are built anew from the pages that are stored.

use asl::Description;
use local::world::BUCKET;
use serde_json::json;

use pipeline_tests::harness::{Pipeline, PipelineBuilder, day_before, delivered, message};

async fn replay_stored(pipeline: &Pipeline, id: &str) -> Description {
    let event = pipeline.event().with_window(day_before(0));
    let event = event.with_stored_replay(local::replay("merged anew"));
    pipeline.play(event.with_id(id).to_json()).await
}

#[tokio::test]
async fn a_conflict_is_settled_without_asking_cxone() {
    let setup = || PipelineBuilder::daily().fault("conflict:page=1");
    let mut pipeline = setup().start().await;
    pipeline.fail("Cxone.Conflict").await;
    let asked = pipeline.tenant().journal().len();
    pipeline.definition["pipeline"]["onConflict"] = json!("keep-last");
    delivered(replay_stored(&pipeline, "again").await);
    assert_eq!(pipeline.tenant().journal().len(), asked);
    let commit = &pipeline.log()[0];
    assert_eq!((commit.generation, commit.supersedes), (2, None));
    assert_eq!((commit.rows, commit.unique, commit.replaced), (251, 250, 1));
    pipeline.check_parts(commit);
    // It is what a definition delivers that keeps the last from the beginning.
    let fetched = setup().define("/pipeline/onConflict", json!("keep-last"));
    let fetched = fetched.start().await;
    fetched.deliver().await;
    assert_eq!(commit.content, fetched.log()[0].content);
    // The same request once more changes nothing.
    let before = pipeline.listing();
    assert_eq!(
        replay_stored(&pipeline, "again").await.state,
        "Nothing to do"
    );
    assert_eq!(pipeline.listing(), before);
}

/// What is superseded may be deleted, so that the new version has parts of its own.
#[tokio::test]
async fn a_version_from_stored_pages_has_parts_of_its_own() {
    let pipeline = PipelineBuilder::daily().start().await;
    pipeline.deliver().await;
    delivered(replay_stored(&pipeline, "again").await);
    let log = pipeline.log();
    assert_eq!((log[1].generation, log[1].unchanged), (2, true));
    assert_eq!(log[1].content, log[0].content);
    pipeline.check_rows(&log[1]);
    let store = pipeline.world.store();
    for part in &log[0].parts {
        assert!(log[1].parts.iter().all(|own| own.key != part.key));
        std::fs::remove_file(store.object_path(BUCKET, &part.key)).unwrap();
    }
    pipeline.check_rows(&log[1]);
    assert_eq!(pipeline.started(), 1);
    // Of what was fetched, nothing is left to build from.
    let ended = replay_stored(&pipeline, "once more").await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.Contract"));
    assert!(
        message(&ended).contains("without `--stored`"),
        "{}",
        message(&ended)
    );
    assert_eq!(pipeline.log().len(), 2);
}

#[tokio::test]
async fn what_the_stored_pages_can_not_answer_is_refused_with_the_remedy() {
    let mut pipeline = PipelineBuilder::daily().start().await;
    let ended = replay_stored(&pipeline, "early").await;
    assert_eq!(ended.error.as_deref(), Some("Cxone.Config"));
    assert!(message(&ended).contains("has all its pages stored"));
    assert_eq!(pipeline.listing(), []);
    pipeline.deliver().await;
    let stored = pipeline.listing();
    let original = pipeline.definition.clone();
    for (pointer, value) in [
        ("/report/metrics", json!(["handleTime"])),
        ("/report/filters", json!([])),
        ("/pipeline/key", json!(["agentId", "queueId", "agentName"])),
        ("/pipeline/format", json!("csv")),
    ] {
        pipeline.definition = original.clone();
        *pipeline.definition.pointer_mut(pointer).unwrap() = value;
        let ended = replay_stored(&pipeline, pointer).await;
        assert_eq!(ended.error.as_deref(), Some("Cxone.Config"), "{ended:?}");
        for said in [pointer, "without `--stored`"] {
            assert!(message(&ended).contains(said), "{}", message(&ended));
        }
    }
    assert_eq!(pipeline.listing(), stored);
}

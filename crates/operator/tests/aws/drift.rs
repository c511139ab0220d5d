//! `cxr drift`: whether what is scheduled is what the files say.

use std::fs;

use serde_json::{Value, json};

use crate::scene::definition;
use crate::states::Server;
use crate::status::NAME;
use crate::{cxr, done};

#[tokio::test]
async fn what_is_scheduled_is_compared_with_the_files() {
    let server = Server::start().await;
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().to_str().unwrap();
    let write = |file: &str, definition: &Value| {
        fs::write(folder.path().join(file), definition.to_string()).unwrap();
    };
    let mut daily = definition("acme", NAME);
    write("daily.json", &daily);
    write("old.json", &definition("acme", "Old"));
    let template = done(&server, &["schedules", reports]).await;
    server.deploy_schedules(&serde_json::from_str(&template).unwrap());
    assert_eq!(
        done(&server, &["drift", reports, "--check"]).await,
        "4 schedules, all as in the files\n"
    );

    daily["pipeline"]["maxRuns"] = json!(5);
    daily["schedule"]["time"] = json!("06:10");
    write("daily.json", &daily);
    fs::rename(
        folder.path().join("old.json"),
        folder.path().join("new.json"),
    )
    .unwrap();
    let (ended, out) = cxr(&server, &["drift", reports, "--check"]).await;
    assert_eq!(ended.unwrap(), 5, "{out}");
    for told in [
        "reports-daily  was deployed with another file\n    ScheduleExpression: \"cron(30 5 * * ? *)\" is deployed, the file says \"cron(10 6 * * ? *)\"\n",
        "    /pipeline/maxRuns: \"3\" is deployed, the file says \"5\"\n    /schedule/time: \"05:30\" is deployed, the file says \"06:10\"\n",
        "reports-new  is in the files, and not deployed\n",
        "reports-old  is deployed, and no file asks for it\n",
        "4 schedules deployed, 6 not as in the files; cxr schedules writes the template to deploy\n",
    ] {
        assert!(out.contains(told), "{told}\n{out}");
    }
    let error = cxr(&server, &["drift", "nowhere"]).await.0.unwrap_err();
    assert_eq!(
        error.to_string(),
        "nowhere: No such file or directory (os error 2); name a folder of definitions"
    );
    // Without --check it is told, and that is all.
    let (ended, _) = cxr(&server, &["drift", reports]).await;
    assert_eq!(ended.unwrap(), 0);
}

#[tokio::test]
async fn a_schedule_that_may_not_be_read_is_no_difference() {
    let server = Server::start().await;
    server.put_schedule("reports-daily-agent-performance", "ENABLED");
    server.refuse_operation("GetSchedule", "AccessDenied");
    let (ended, out) = cxr(&server, &["drift", "../../infra/reports", "--check"]).await;
    let error = ended.unwrap_err();
    assert_eq!(
        (error.code(), error.exit_code(), out.as_str()),
        ("CXO011", 3, "")
    );
}

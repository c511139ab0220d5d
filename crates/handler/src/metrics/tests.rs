use super::*;
use delivery::FailureName;

fn context() -> MetricContext {
    MetricContext::new(&"acme".parse().unwrap(), &"daily-agents".parse().unwrap())
}

fn recorded(recorder: &MetricsRecorder, context: &MetricContext) -> Option<Value> {
    let at = "2026-11-22T05:36:07.25Z".parse().unwrap();
    let line = render_line(&recorder.lock(), context, &recorder.stack, at)?;
    assert!(line.ends_with("}\n") && line.lines().count() == 1, "{line}");
    assert!(line.starts_with(r#"{"_aws":{"#), "{line}");
    Some(serde_json::from_str(&line).unwrap())
}

#[test]
fn a_line_is_in_the_embedded_metric_format() {
    let recorder = MetricsRecorder::of_function("prod-reports-trigger", "trigger");
    recorder.add(Metric::Bytes, 1_202_971);
    recorder.add(Metric::Pages, 13);
    recorder.add(Metric::Pages, 1);
    recorder.add(Metric::Throttles, 0);
    let context = context().with_property("window", "2026-11-21/2026-11-22");
    assert_eq!(
        recorded(&recorder, &context).unwrap(),
        json!({
            "_aws": {
                "Timestamp": 1_795_325_767_250_u64,
                "CloudWatchMetrics": [{
                    "Namespace": "CxoneReports",
                    "Dimensions": [["stack", "tenant", "report"]],
                    "Metrics": [
                        {"Name": "Pages", "Unit": "Count"},
                        {"Name": "Bytes", "Unit": "Bytes"},
                    ],
                }],
            },
            "stack": "prod-reports",
            "tenant": "acme",
            "report": "daily-agents",
            "reportName": "daily-agents",
            "window": "2026-11-21/2026-11-22",
            "Pages": 14,
            "Bytes": 1_202_971,
        })
    );
}

#[test]
fn what_an_alarm_watches_is_counted_by_stack_alone_as_well() {
    let recorder = MetricsRecorder::of_function("prod-reports-trigger", "trigger");
    recorder.add(Metric::RunsStarted, 1);
    for watched in WATCHED {
        recorder.add(watched, 2);
    }
    let line = recorded(&recorder, &context()).unwrap();
    let [of_report, of_stack] = line["_aws"]["CloudWatchMetrics"]
        .as_array()
        .unwrap()
        .as_slice()
    else {
        panic!("{line}");
    };
    assert_eq!(
        of_report["Metrics"].as_array().unwrap().len(),
        1 + WATCHED.len()
    );
    assert_eq!(of_stack["Dimensions"], json!([["stack"]]));
    let named = WATCHED.map(|watched| json!({"Name": watched.name(), "Unit": "Count"}));
    assert_eq!(of_stack["Metrics"], json!(named));
}

#[test]
fn a_dimension_is_ascii_whatever_the_report_is_called() {
    let long = "\u{1F4DE}".repeat(100);
    for name in ["Tägliche Auslastung", ":日報", &long] {
        let recorder = MetricsRecorder::of_function("prod-reports-trigger", "trigger");
        recorder.add(Metric::Rows, 1);
        let context = MetricContext::new(&"acme".parse().unwrap(), &name.parse().unwrap());
        let line = recorded(&recorder, &context).unwrap();
        let dimension = line["report"].as_str().unwrap();
        assert!(
            dimension.bytes().all(|byte| byte.is_ascii_graphic()),
            "{dimension}"
        );
        assert!((1..=1024).contains(&dimension.len()), "{dimension}");
        assert_eq!(line["reportName"], name);
    }
}

#[test]
fn a_stack_is_what_its_functions_names_begin_with() {
    for (name, handler, stack) in [
        ("prod-reports-trigger", "trigger", "prod-reports"),
        ("dev-fetch-page", "fetch-page", "dev"),
        ("fetch-page", "fetch-page", "fetch-page"),
        ("renamed", "trigger", "renamed"),
    ] {
        assert_eq!(MetricsRecorder::of_function(name, handler).stack, stack);
    }
}

#[test]
fn what_did_not_happen_is_not_told_unless_it_is_meant_to_be() {
    let recorder = MetricsRecorder::of_function("prod-reports-trigger", "trigger");
    recorder.add(Metric::Rows, 0);
    assert_eq!(recorded(&recorder, &context()), None);
    recorder.set(Metric::Commits, 0);
    let failed = Err::<(), _>(Failure::new(FailureName::Conflict, "two rows"));
    let line = recorded(&recorder, &context().with_failure(&failed)).unwrap();
    assert_eq!(
        (&line["Commits"], &line["failure"]),
        (&json!(0), &json!("Cxone.Conflict"))
    );
    assert!(
        !line.to_string().contains("two rows"),
        "a failure's words may be CXone's"
    );
}

#[test]
fn a_recorder_begins_anew_after_its_line() {
    let recorder = MetricsRecorder::of_function("prod-reports-trigger", "trigger");
    recorder.add(Metric::Polls, 1);
    recorder.emit(None);
    assert_eq!(recorder.get(Metric::Polls), 0);
}

#[test]
fn nothing_beside_the_figures_replaces_one() {
    let recorder = MetricsRecorder::of_function("prod-reports-trigger", "trigger");
    recorder.add(Metric::Rows, 7);
    let line = recorded(
        &recorder,
        &context()
            .with_property("Rows", "9")
            .with_property("tenant", "another"),
    )
    .unwrap();
    assert_eq!(
        (&line["Rows"], &line["tenant"]),
        (&json!(7), &json!("acme"))
    );
}

#[test]
fn every_unit_is_one_of_cloudwatch() {
    for metric in Metric::ALL {
        assert!(["Count", "Bytes", "Seconds", "None"].contains(&metric.unit()));
    }
}

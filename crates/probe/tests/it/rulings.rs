//! What each answer makes of the rows.

use cxone_sim::Tenant;
use probe::Ruling::{AsAssumed, Differs, NotTried, Refused};
use serde_json::json;

use crate::world::{Clock, bare_options, client, ids, options, probe_faulty, probe_with, to_json};

#[tokio::test]
async fn a_tenant_as_assumed_is_as_assumed_where_it_was_asked() {
    let clock = Clock::new();
    let tenant = Tenant::start(options(&clock)).await.unwrap();
    let (report, spoken) = probe_with(&client(&tenant), Vec::new(), &clock).await;
    assert_eq!(
        ids(&report, AsAssumed),
        "P-02 P-03 P-04 P-10 P-11 P-12 P-20 P-21 P-22 P-27 P-30 P-40 P-41 P-42 P-48 P-49 P-50 P-51 P-52 P-53 P-54",
        "{report}"
    );
    assert_eq!(ids(&report, Differs) + &ids(&report, Refused), "");
    assert!(report.is_all_well());
    assert!(spoken.lines().is_empty(), "{spoken:?}");
    // Nothing but questions, data extraction's far enough apart.
    let journal = tenant.journal();
    let asked = journal.iter().filter(|entry| entry.method != "GET");
    let asked: Vec<&str> = asked.map(|entry| entry.path.as_str()).collect();
    assert_eq!(asked, ["/auth/token"]);
    assert_eq!(journal.len(), 9);
    assert_eq!(
        (tenant.extraction_calls().len(), tenant.spacing_violations()),
        (3, 0)
    );
    assert_eq!(tenant.schedule_count(), 0);
}

#[tokio::test]
async fn a_tenant_without_a_job_shows_what_it_says_of_unknown_ones() {
    let clock = Clock::new();
    let tenant = Tenant::start(bare_options(&clock)).await.unwrap();
    let (report, _) = probe_with(&client(&tenant), Vec::new(), &clock).await;
    assert!(report.is_all_well(), "{report}");
    let assumed = ids(&report, AsAssumed);
    assert!(
        assumed.contains("P-23") && assumed.contains("P-43"),
        "{assumed}"
    );
    let untried = ids(&report, NotTried);
    for row in ["P-21", "P-22", "P-41", "P-42"] {
        assert!(untried.contains(row), "{row}: {untried}");
    }
}

#[tokio::test]
async fn every_way_to_sign_in_is_tried_as_the_handlers_do() {
    let clock = Clock::new();
    for (form, auth) in [
        ("raw", "basic"),
        ("encoded", "basic_encoded"),
        ("form", "post"),
    ] {
        let faults = vec![format!("client-auth:as={form}").parse().unwrap()];
        let tenant = Tenant::start(cxone_sim::Options {
            faults,
            ..options(&clock)
        })
        .await
        .unwrap();
        for given in ["basic", "basic_encoded", "post"] {
            let mut secret = client(&tenant);
            secret["client_auth"] = json!(given);
            // The id and the secret look alike in both Basic forms.
            let is_taken = given == auth || (given != "post" && auth != "post");
            let (report, _) = probe_with(&secret, Vec::new(), &clock).await;
            assert_eq!(
                ids(&report, Refused).contains("P-02"),
                !is_taken,
                "{auth} {given}"
            );
        }
    }
}

#[tokio::test]
async fn an_access_key_signs_in_with_a_client_and_alone() {
    let clock = Clock::new();
    let tenant = Tenant::start(options(&clock)).await.unwrap();
    let base = tenant.base_url();
    let key = json!({"access_key_id": "SIMKEY/1==", "access_key_secret": "sim+key/secret=="});
    let mut with_client = client(&tenant);
    with_client
        .as_object_mut()
        .unwrap()
        .extend(key.as_object().unwrap().clone());
    let mut alone = key.clone();
    alone["base_url"] = json!(base);
    alone["token_url"] = json!(format!("{base}/authentication/v1/token/access-key"));
    let mut issued = with_client.clone();
    let fields = issued.as_object_mut().unwrap();
    fields.remove("base_url");
    fields.remove("token_url");
    issued["issuer"] = json!(base);
    issued["tenant_id"] = json!("sim-tenant");
    for (secret, issuer) in [(with_client, false), (alone, false), (issued, true)] {
        let (report, _) = probe_with(&secret, Vec::new(), &clock).await;
        assert!(report.is_all_well(), "{report}");
        assert_eq!(ids(&report, AsAssumed).contains("P-01"), issuer);
    }
}

/// A fault, and the rows that differ for it.
const ODDITIES: &[(&str, &str)] = &[
    ("total-text:times=forever", "P-52"),
    ("schedules-form:as=bare", "P-11"),
    ("schedules-form:as=renamed", "P-11"),
    ("expires-in:as=string", "P-03"),
    ("expires-in:as=missing", "P-03"),
    ("clock-skew:direction=ahead", "P-04"),
    ("clock-skew:direction=behind", "P-04"),
    (
        "state-unknown:looks=0,times=forever,api=report-jobs",
        "P-21",
    ),
    (
        "state-unknown:looks=0,times=forever,api=data-extraction,state=acme",
        "P-41",
    ),
    (
        "state-null:looks=0,times=forever,api=data-extraction",
        "P-42",
    ),
    (
        "state-null:looks=0,times=forever,api=report-jobs,as=missing",
        "P-22",
    ),
    ("html-200:times=forever,api=contacts", "P-50"),
    ("redirect:times=forever,api=contacts", "P-50"),
    (
        "unavailable:status=400,times=forever,api=contacts,on=page",
        "P-50",
    ),
    (
        "unavailable:status=404,times=forever,api=report-jobs,on=look",
        "P-22",
    ),
    ("unavailable:status=404,times=forever,api=analytics", "P-10"),
    (
        "unavailable:status=400,body=none,times=forever,api=data-extraction,on=list-jobs",
        "P-05 P-40",
    ),
    ("token-type:as=mac", "P-02"),
    ("link-once", "P-48"),
    (
        "download-url:to=userinfo,times=forever,api=data-extraction",
        "P-49",
    ),
];

#[tokio::test]
async fn each_oddity_is_told_by_its_row() {
    for (fault, differs) in ODDITIES {
        let (report, _) = probe_faulty(&[fault]).await;
        assert_eq!(ids(&report, Differs), *differs, "{fault}\n{report}");
        assert_eq!(ids(&report, Refused), "", "{fault}");
        assert!(!report.is_all_well());
    }
}

#[tokio::test]
async fn what_passes_is_no_oddity_and_silence_is_no_verdict() {
    for fault in [
        "throttled",
        "unavailable",
        "refused",
        "unauthorized:times=1",
        "unauthorized:times=2",
        "token-expires:after=3,times=forever",
    ] {
        let (report, _) = probe_faulty(&[fault]).await;
        assert!(report.is_all_well(), "{fault}\n{report}");
    }
    for fault in [
        "refused:times=forever",
        "unavailable:times=forever",
        "throttled:seconds=60,times=forever",
    ] {
        let (report, _) = probe_faulty(&[&format!("{fault},api=contacts")]).await;
        let untried = ids(&report, NotTried);
        assert!(
            untried.contains("P-50 P-51 P-52 P-53 P-54 P-55"),
            "{fault}: {untried}"
        );
        assert_eq!(
            ids(&report, Differs) + &ids(&report, Refused),
            "",
            "{fault}"
        );
        assert!(!report.is_all_well());
    }
}

#[tokio::test]
async fn a_pause_is_waited_for_however_it_is_asked_for() {
    for (seconds, calls) in [(3, 2), (60, 1)] {
        for form in ["seconds", "imf"] {
            let clock = Clock::new();
            let fault = format!("throttled:seconds={seconds},retry-after={form},api=contacts");
            let tenant = Tenant::start(cxone_sim::Options {
                faults: vec![fault.parse().unwrap()],
                ..options(&clock)
            })
            .await
            .unwrap();
            probe_with(&client(&tenant), Vec::new(), &clock).await;
            let journal = tenant.journal();
            let asked = journal.iter().filter(|it| it.path.ends_with("/completed"));
            assert_eq!(asked.count(), calls, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_403_that_passes_was_the_rate_limit_and_one_that_stays_is_a_permission() {
    let (report, _) = probe_faulty(&["extraction-throttled"]).await;
    assert!(ids(&report, AsAssumed).contains("P-44"), "{report}");
    assert!(report.is_all_well());
    let (report, _) = probe_faulty(&["extraction-forbidden"]).await;
    assert_eq!(ids(&report, Refused), "P-40 P-41 P-43 P-44", "{report}");
    assert!(to_json(&report).contains("Extract Interaction Metadata"));
}

//! What the screen says: three different troubles, three different things to do.

use cxone_sim::Tenant;
use probe::Ruling;
use serde_json::json;

use crate::world::{Clock, client, ids, options, probe_faulty, probe_with};

#[tokio::test]
async fn a_wrong_secret_a_403_and_a_404_have_remedies_of_their_own() {
    let clock = Clock::new();
    let tenant = Tenant::start(options(&clock)).await.unwrap();
    let mut secret = client(&tenant);
    secret["client_secret"] = json!("wrong");
    let (report, _) = probe_with(&secret, Vec::new(), &clock).await;
    let text = report.to_string();
    assert!(text.starts_with("sign-in          refused\n                 the token endpoint refuses the credentials: correct client_id and client_secret in the tenant's JSON"), "{text}");
    assert!(text.contains("analytics        not asked\n"), "{text}");
    assert!(
        text.contains("\nNo API was asked, because nobody is signed in.\n"),
        "{text}"
    );
    // A wrong secret is tried once, because more tries may lock the client out.
    assert_eq!(tenant.journal().len(), 1);

    let (report, spoken) = probe_faulty(&["forbidden:api=contacts"]).await;
    let text = report.to_string();
    assert!(text.contains("contacts         403        GET /inContactAPI/services/v34.0/contacts/completed\n                 grant: ACD > View"), "{text}");
    assert_eq!(
        spoken.lines(),
        ["contacts: 403 forbidden API > Application > Access is missing"]
    );
    // One refusal is told once, and what was not tried is told with the reason.
    assert!(text.contains("\nP-50  refused    contacts take dates with a Z, top, skip and orderBy=contactId: status 403 (and with it P-51 P-52 P-53 P-54)\n"), "{text}");
    assert_eq!(text.matches("  refused    ").count(), 1, "{text}");
    assert!(
        text.contains("\nP-32 P-47  not tried  only rows show it: "),
        "{text}"
    );

    let (report, _) = probe_faulty(&["unavailable:status=404,times=forever,api=analytics"]).await;
    let text = report.to_string();
    assert!(text.contains("analytics        404        GET /api/v2/analytics/reports/schedules\n                 this tenant does not have the guide's API: use \"api\": \"data-extraction\" in pipeline"), "{text}");
}

#[tokio::test]
async fn other_troubles_name_what_to_look_at() {
    for (fault, remedy) in [
        (
            "unauthorized",
            "base_url and token_url (or issuer) have to belong to the same tenant",
        ),
        (
            "html-200:times=forever,api=contacts",
            "is base_url the address of the API",
        ),
        (
            "unavailable:status=404,on=token,times=forever",
            "there is no token endpoint at token_url",
        ),
        (
            "unavailable:status=404,api=contacts,times=forever",
            "try another --api-version",
        ),
        (
            "refused:times=forever,on=token",
            "check token_url in the tenant's JSON, and the network",
        ),
        ("refused:times=forever,api=contacts", "try again later"),
        (
            "refused:times=forever,api=contacts",
            "check base_url in the tenant's JSON, and the network",
        ),
        (
            "forbidden:api=contacts",
            "the file has no access key: add access_key_id and access_key_secret",
        ),
    ] {
        let (report, _) = probe_faulty(&[fault]).await;
        assert!(report.to_string().contains(remedy), "{fault}\n{report}");
    }
}

#[tokio::test]
async fn an_unknown_state_is_shown_in_full_on_the_screen_alone() {
    let fault = "state-unknown:looks=0,times=forever,api=report-jobs,state=Acme lost it";
    let (report, spoken) = probe_faulty(&[fault]).await;
    assert_eq!(
        spoken.lines(),
        ["report-jobs: the state \"Acme lost it\" is not known (the file says only {word})"]
    );
    assert!(!report.to_string().contains("Acme"), "{report}");
}

#[tokio::test]
async fn a_file_at_a_host_that_is_not_listed_is_told_before_it_fails() {
    let (report, spoken) = probe_faulty(&["link-host:api=data-extraction"]).await;
    assert_eq!(ids(&report, Ruling::Refused), "P-49");
    assert!(!report.to_string().contains("api-b32"), "{report}");
    let said = spoken.lines().concat();
    assert!(
        said.contains("the file is at host api-b32.nice-incontact.com"),
        "{said}"
    );
}

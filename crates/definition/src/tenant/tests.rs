use serde_json::{Map, Value, json};

use super::fields::{BLANK, CONTROL, ENDS, HOST, LIST, QUERY, TEXT, URL};
use super::sign_in::{CLIENT_AUTH, COLON, NO_USER_HUB, NOT_USER_HUB};
use super::*;

const CLIENT: &str = r#"{"client_id":"a","client_secret":"b","base_url":"https://api.example","token_url":"https://token.example/t"}"#;
const BOTH: &str = r#"{"client_id":"a","client_secret":"b","access_key_id":"k","access_key_secret":"s=","issuer":"https://gov.example","tenant_id":"11eb-t1"}"#;
const KEY: &str = r#"{"access_key_id":"k","access_key_secret":"s=","base_url":"https://api.example","token_url":"https://token.example/t"}"#;

fn parse(text: &str) -> Result<TenantSecret, Problem> {
    TenantSecret::parse(text)
}

/// A secret with fields changed; `null` takes one away.
fn with(secret: &str, changes: &Value) -> String {
    let mut fields: Map<String, Value> = serde_json::from_str(secret).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            fields.remove(name);
        } else {
            fields.insert(name.clone(), value.clone());
        }
    }
    Value::Object(fields).to_string()
}

fn refuse(secret: &str, changes: &Value) -> Problem {
    let text = with(secret, changes);
    let problem = parse(&text).expect_err(&text);
    let said = format!("{problem} {problem:?}");
    assert!(!said.contains("CANARY"), "{said}");
    problem
}

#[test]
fn the_fields_say_how_a_token_is_asked_for() {
    let credentials = |text: &str| parse(text).unwrap().credentials;
    assert!(matches!(credentials(CLIENT), Credentials::Client(_)));
    assert!(matches!(credentials(BOTH), Credentials::AccessKey(..)));
    assert!(matches!(credentials(KEY), Credentials::UserHub(_)));
    assert!(credentials(KEY).client().is_none());
    for (said, auth) in [
        (Value::Null, ClientAuth::Basic),
        (json!("basic"), ClientAuth::Basic),
        (json!("basic_encoded"), ClientAuth::BasicEncoded),
        (json!("post"), ClientAuth::Post),
    ] {
        let text = with(BOTH, &json!({"client_auth": said}));
        assert_eq!(credentials(&text).client().unwrap().auth, auth, "{text}");
    }
}

#[test]
fn the_api_is_known_or_discovered() {
    for (changes, is_known, token_url) in [
        (json!({}), true, "https://token.example/t"),
        (
            json!({"issuer": "https://gov.example", "token_url": null}),
            true,
            "https://gov.example/auth/token",
        ),
        (
            json!({"issuer": "https://gov.example/", "tenant_id": "t", "base_url": null}),
            false,
            "https://token.example/t",
        ),
        (
            json!({"base_url": "http://127.0.0.1:1", "token_url": "http://localhost:1/t"}),
            true,
            "http://localhost:1/t",
        ),
    ] {
        let text = with(CLIENT, &changes);
        let found = parse(&text).unwrap().address;
        let known = matches!(found.api, ApiAddress::Known(_));
        assert_eq!(
            (known, found.token_url.as_str()),
            (is_known, token_url),
            "{text}"
        );
    }
    let hosts = json!({"api_hosts": ["a.example", "*.b.example"], "allowed_hosts": [".c.example"]});
    let tenant = parse(&with(CLIENT, &hosts)).unwrap();
    assert_eq!(tenant.api_hosts, ["a.example", "*.b.example"]);
    assert_eq!(tenant.allowed_hosts, [".c.example"]);
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    let neither = Problem::NeitherOf;
    for (changes, problem) in [
        (
            json!({"base_ulr": "CANARY"}),
            Problem::Unknown("base_ulr".to_owned()),
        ),
        (json!({"token_url": null}), neither("token_url", "issuer")),
        (
            json!({"base_url": null}),
            neither("base_url", "issuer with tenant_id"),
        ),
        (
            json!({"base_url": null, "tenant_id": "t"}),
            neither("base_url", "issuer with tenant_id"),
        ),
        (
            json!({"base_url": null, "issuer": "https://gov.example"}),
            neither("base_url", "issuer with tenant_id"),
        ),
        (
            json!({"client_id": null, "client_secret": null}),
            neither("client_id", "access_key_id"),
        ),
        (
            json!({"client_secret": null}),
            Problem::Missing("client_secret"),
        ),
        (json!({"client_id": null}), Problem::Missing("client_id")),
        (
            json!({"access_key_id": "CANARY"}),
            Problem::Missing("access_key_secret"),
        ),
        (
            json!({"access_key_secret": "CANARY"}),
            Problem::Missing("access_key_id"),
        ),
    ] {
        assert_eq!(refuse(CLIENT, &changes), problem, "{changes}");
    }
    for (text, said) in [
        ("", "line 1, column 0"),
        ("{\n  \"client_secret\": \"CANARY\",\n}", "line 3, column 1"),
        ("CANARY:CANARY", "line 1, column 1"),
        ("[\"CANARY\"]", "not a JSON object"),
        ("\"CANARY\"", "not a JSON object"),
    ] {
        let problem = parse(text).unwrap_err().to_string();
        assert!(problem.contains(said), "{problem}");
        assert!(!problem.contains("CANARY"), "{problem}");
    }
    assert!(parse(&format!("\u{feff}{CLIENT}")).is_ok());
}

/// An access key alone is UserHub's: what no other endpoint takes is not sent there.
#[test]
fn a_key_alone_needs_the_address_that_takes_it() {
    for (changes, what) in [
        (json!({"token_url": null}), NO_USER_HUB),
        (
            json!({"token_url": null, "issuer": "https://gov.example"}),
            NO_USER_HUB,
        ),
        (
            json!({"token_url": null, "base_url": null, "issuer": "https://gov.example", "tenant_id": "t"}),
            NO_USER_HUB,
        ),
        (
            json!({"token_url": "https://gov.example/auth/token"}),
            NOT_USER_HUB,
        ),
        (
            json!({"token_url": "https://na1.example/authentication/v1/Token/"}),
            NOT_USER_HUB,
        ),
    ] {
        let problem = refuse(KEY, &changes);
        assert_eq!(problem, Problem::Wrong("token_url", what), "{changes}");
        let said = problem.to_string();
        for remedy in [
            "its field token_url",
            "/authentication/v1/token/access-key",
            "client_id and client_secret",
        ] {
            assert!(said.contains(remedy), "{said}");
        }
        assert!(parse(&with(BOTH, &changes)).is_ok(), "{changes}");
    }
    let user_hub = json!({
        "token_url": "https://na1.example/authentication/v1/token/access-key",
        "base_url": null, "issuer": "https://gov.example", "tenant_id": "t",
    });
    assert!(parse(&with(KEY, &user_hub)).is_ok());
}

#[test]
fn a_field_that_occurs_twice_is_refused() {
    for (field, more) in [
        ("client_secret", r#","client_secret":"CANARY"}"#),
        ("base_url", r#","base_url":"https://CANARY.example"}"#),
        ("client_id", r#","client\u005fid":"CANARY"}"#),
    ] {
        let text = CLIENT.replace('}', more);
        let problem = parse(&text).unwrap_err();
        assert_eq!(problem, Problem::Doubled(field));
        assert!(!problem.to_string().contains("CANARY"), "{problem}");
    }
}

/// D10: a line end that came along with a value, and whatever else can't be meant.
#[test]
fn a_value_that_cannot_be_meant_is_refused_by_its_field() {
    let texts = [
        "base_url",
        "token_url",
        "client_id",
        "client_secret",
        "client_auth",
        "access_key_id",
        "access_key_secret",
    ];
    let all = with(
        CLIENT,
        &json!({"access_key_id": "k", "access_key_secret": "s", "client_auth": "basic"}),
    );
    for field in texts {
        let good: Map<String, Value> = serde_json::from_str(&all).unwrap();
        let good = good[field].as_str().unwrap();
        for blank in [
            "\n", "\r\n", " ", "\t", "\u{a0}", "\u{feff}", "\u{200b}", "\0",
        ] {
            for text in [format!("{good}{blank}"), format!("{blank}{good}")] {
                let problem = refuse(&all, &json!({field: text}));
                assert_eq!(problem, Problem::Wrong(field, ENDS), "{text:?}");
            }
        }
        for wrong in [
            json!(""),
            json!(7),
            json!(["a"]),
            json!({"a": "b"}),
            json!(true),
        ] {
            assert_eq!(
                refuse(&all, &json!({field: wrong})),
                Problem::Wrong(field, TEXT)
            );
        }
    }
    for (field, value, what) in [
        ("client_id", "CAN\nARY", BLANK),
        ("client_id", "CANARY CANARY", BLANK),
        ("client_id", "app:CANARY", COLON),
        ("tenant_id", "CANARY 1", BLANK),
        ("client_secret", "CANARY\nx", CONTROL),
        ("client_secret", "CANARY\0x", CONTROL),
        ("client_auth", "CANARY", CLIENT_AUTH),
        ("base_url", "https://api.exa\nmple", BLANK),
        ("base_url", "CANARY", URL),
        ("base_url", "http://CANARY.example", "is not https"),
        (
            "base_url",
            "https://CANARY@api.example",
            "has a user or a fragment in it",
        ),
        ("base_url", "https://api.example?CANARY=1", QUERY),
        ("token_url", "http://CANARY.example/t", "is not https"),
        (
            "token_url",
            "https://token.example/t#CANARY",
            "has a user or a fragment in it",
        ),
        ("issuer", "http://CANARY.example", "is not https"),
        ("issuer", "https://gov.example?CANARY", QUERY),
    ] {
        let problem = refuse(CLIENT, &json!({field: value}));
        assert_eq!(problem, Problem::Wrong(field, what), "{value:?}");
    }
    let secret = with(CLIENT, &json!({"client_secret": "with a space=="}));
    assert!(parse(&secret).is_ok());
    let encoded = json!({"client_id": "app:1", "client_auth": "post"});
    assert!(parse(&with(CLIENT, &encoded)).is_ok());
}

#[test]
fn hosts_are_domains() {
    for field in ["api_hosts", "allowed_hosts"] {
        for bad in [
            "com",
            "",
            "https://CANARY.example",
            "CANARY.example/path",
            "CANARY.example:8443",
            "CANARY.example ",
            "CANARY example",
            "*",
            "CANARY..example",
        ] {
            let problem = refuse(CLIENT, &json!({field: ["nice.example", bad]}));
            assert_eq!(problem, Problem::Wrong(field, HOST), "{bad:?}");
        }
        for bad in [json!("nice.example"), json!([7]), json!({})] {
            assert_eq!(
                refuse(CLIENT, &json!({field: bad})),
                Problem::Wrong(field, LIST)
            );
        }
        for good in [json!([]), json!(["127.0.0.1:8082", "api_1.nice.example"])] {
            assert!(parse(&with(CLIENT, &json!({field: good}))).is_ok());
        }
    }
}

#[test]
fn no_secret_shows_in_debug_output() {
    for text in [CLIENT, BOTH, KEY] {
        let text = text.replace("s=", "CANARY").replace("\"b\"", "\"CANARY\"");
        let shown = format!("{:?}", parse(&text).unwrap());
        assert!(!shown.contains("CANARY"), "{shown}");
    }
}

/// What may be shown and what may not.
#[test]
fn its_fields_are_listed_and_secret_ones_compared_only() {
    let hosts = json!({"api_hosts": ["a.example"]});
    let tenant = parse(&with(BOTH, &hosts)).unwrap();
    let shown = |field: &Field| match &field.value {
        FieldValue::Plain(value) => format!("{} {value}", field.name),
        FieldValue::Secret(_) => format!("{} secret", field.name),
    };
    let listed: Vec<String> = tenant.fields().iter().map(shown).collect();
    assert_eq!(
        listed,
        [
            r#"issuer "https://gov.example""#,
            r#"tenant_id "11eb-t1""#,
            r#"client_id "a""#,
            "client_secret secret",
            r#"access_key_id "k""#,
            "access_key_secret secret",
            r#"api_hosts ["a.example"]"#,
        ]
    );
    let other = parse(&with(BOTH, &json!({"client_secret": "c"}))).unwrap();
    let differs = |(one, other): (&Field, &Field)| one != other;
    let same = tenant.fields().iter().zip(other.fields());
    assert_eq!(same.filter(|pair| differs(*pair)).count(), 1);
}

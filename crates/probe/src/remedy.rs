//! What a person can do about what was seen.

use definition::Api;

use crate::assumption::describe_oddity;
use crate::evidence::Evidence;
use crate::observation::{Access, Observation, Seen};
use crate::question::Question;
use crate::usability::Usability;

/// Which API to use where another one is not there, the best first.
const PREFERRED: [Api; Api::ALL.len()] = [
    Api::DataExtraction,
    Api::Contacts,
    Api::ReportJobs,
    Api::DataDownload,
    Api::Analytics,
];

/// What the sign-in says, and what to do about it.
pub(crate) fn judge_sign_in(evidence: &Evidence) -> (&'static str, Option<String>) {
    let sign_in = &evidence.sign_in;
    let status = sign_in.token.as_ref().map(Seen::status);
    match (sign_in.found, status) {
        (Usability::NoAnswer, _) => ("no answer", Some("the issuer does not answer: check issuer in the tenant's JSON, and the network".to_owned())),
        (Usability::Refused | Usability::Differs, _) => ("failed", Some("the issuer does not lead to an API: correct issuer, tenant_id or api_hosts in the tenant's JSON (what it said is below)".to_owned())),
        (Usability::Yes, _) if sign_in.is_granted => ("ok", None),
        (Usability::Yes, Some(400 | 401 | 403)) => ("refused", Some(correct_credentials(evidence))),
        (Usability::Yes, Some(404 | 405 | 410)) => ("failed", Some("there is no token endpoint at token_url: correct it in the tenant's JSON".to_owned())),
        (Usability::Yes, None | Some(0 | 408 | 429 | 500..)) => ("no answer", Some("the token endpoint gives no answer of use: check token_url in the tenant's JSON, and the network, and try again".to_owned())),
        (Usability::Yes, Some(_)) => ("failed", Some("the token endpoint gives no token that can be sent: is token_url right? Please send the file of --out".to_owned())),
    }
}

fn correct_credentials(evidence: &Evidence) -> String {
    let sign_in = &evidence.sign_in;
    let fields = match sign_in.way {
        "client" => "client_id and client_secret",
        "access-key" => "access_key_id and access_key_secret",
        _ => "client_id, client_secret, access_key_id and access_key_secret",
    };
    let others = match sign_in.client_auth {
        Some("basic") => {
            "; if they are right, set \"client_auth\" to \"post\" or \"basic_encoded\""
        }
        Some("basic_encoded") => {
            "; if they are right, set \"client_auth\" to \"basic\" or \"post\""
        }
        Some(_) => "; if they are right, set \"client_auth\" to \"basic\" or \"basic_encoded\"",
        None => "",
    };
    format!(
        "the token endpoint refuses the credentials: correct {fields} in the tenant's JSON{others}"
    )
}

/// What an API says, and what to do about it.
pub(crate) fn judge_api(evidence: &Evidence, api: Api) -> (String, Option<String>) {
    let Some(observation) = evidence.observation(Question::first_of(api)) else {
        return ("not asked".to_owned(), None);
    };
    match observation.access() {
        Access::Open => ("ok".to_owned(), None),
        Access::Refused(401) => ("401".to_owned(), Some("the API refuses a token that was granted a moment ago: base_url and token_url (or issuer) have to belong to the same tenant".to_owned())),
        Access::Refused(status) => (status.to_string(), Some(explain_refusal(evidence, api))),
        Access::Absent(status) => (status.to_string(), Some(explain_absence(evidence, api))),
        Access::Odd => ("odd".to_owned(), Some(explain_oddity(observation))),
        Access::Silent => ("no answer".to_owned(), Some(explain_silence(evidence, observation))),
    }
}

/// What CXone's administrator has to grant. NICE's documents name only some of these.
const fn permission(api: Api) -> &'static str {
    match api {
        Api::Analytics => {
            "the scopes analytics:reports:read and analytics:reports:write, for the OAuth client; and API > Application > Access"
        }
        Api::ReportJobs => {
            "the access key's user must be able to see and run reports in CXone; no permission is documented by name"
        }
        Api::DataDownload => {
            "the access key's user must be able to see the report in CXone; no permission is documented by name"
        }
        Api::DataExtraction => {
            "the entity's permission, such as Search & Playback > APIs > Extract Interaction Metadata, for the access key's user; the product that the entity belongs to has to be licensed"
        }
        Api::Contacts => "ACD > View and Admin > Employees > View, for the access key's user",
    }
}

fn explain_refusal(evidence: &Evidence, api: Api) -> String {
    let grant = format!("grant: {}", permission(api));
    if api == Api::Analytics || evidence.sign_in.way != "client" {
        return grant;
    }
    format!(
        "{grant}; the file has no access key: add access_key_id and access_key_secret of such a user"
    )
}

fn explain_silence(evidence: &Evidence, observation: &Observation) -> String {
    let look = match observation.seen {
        Seen::Answer(_) => "",
        _ if evidence.sign_in.has_issuer => "check the network; ",
        _ => "check base_url in the tenant's JSON, and the network; ",
    };
    format!("{look}try again later; if it stays, please send the file of --out")
}

fn explain_absence(evidence: &Evidence, api: Api) -> String {
    let is_open = |api: &&Api| {
        let observation = evidence.observation(Question::first_of(**api));
        **api != Api::Analytics && observation.map(Observation::access) == Some(Access::Open)
    };
    let other = PREFERRED.iter().find(is_open);
    match (api, other) {
        (Api::Analytics, Some(other)) => format!("this tenant does not have the guide's API: use \"api\": \"{other}\" in pipeline"),
        (Api::Analytics, None) => "this tenant does not have the guide's API: use another one, whose refusal is told here".to_owned(),
        (_, Some(_)) => "other APIs are at this base_url, and this one is not: ask whether it is licensed, or try another --api-version".to_owned(),
        (_, None) => "is base_url the address of the tenant's API? If it is, try another --api-version".to_owned(),
    }
}

fn explain_oddity(observation: &Observation) -> String {
    let status = observation.seen.status();
    let what = describe_oddity(observation);
    match status {
        200..400 => format!(
            "{what}: is base_url the address of the API, and not of a page where people sign in?"
        ),
        0 => format!("{what}: please send the file of --out"),
        _ => format!(
            "{what}: the API does not take what the client would ask; please send the file of --out"
        ),
    }
}

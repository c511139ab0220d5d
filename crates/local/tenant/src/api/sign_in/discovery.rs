//! The address of a tenant's API: `/.well-known/cxone-configuration?tenantId=`.

use serde_json::json;

use crate::api::error_shape::ErrorShape;
use crate::fault::Fault;
use crate::reply::Reply;
use crate::request::Request;
use crate::state::State;

pub(in crate::api) fn tenant_configuration(
    state: &State,
    request: &Request,
    faults: &[Fault],
) -> Reply {
    if request.query("tenantId") != Some(state.options.tenant_id.as_str()) {
        return ErrorShape::Problem.refuse(404, "Not Found", "no configuration for this tenant");
    }
    let mut body = json!({
        "tenantId": state.options.tenant_id,
        "issuer": state.base_url,
        "auth_endpoint": format!("{}/auth/authorize", state.base_url),
        "token_endpoint": format!("{}/auth/token", state.base_url),
        "api_endpoint": state.base_url,
        "area": "na1",
        "cluster": "C99",
        "domain": "nice-incontact.com",
    });
    let foreign = faults
        .iter()
        .find(|fault| fault.name() == "discovery-foreign");
    match foreign.map(|fault| fault.text("to")) {
        None => {}
        Some("missing") => {
            if let Some(fields) = body.as_object_mut() {
                fields.remove("api_endpoint");
            }
        }
        Some(to) => body["api_endpoint"] = json!(foreign_endpoint(state, to)),
    }
    Reply::json(200, &body)
}

fn foreign_endpoint(state: &State, to: &str) -> String {
    match to {
        "other-host" => "https://api.evil.example",
        "http" => "http://api-na1.niceincontact.com",
        "userinfo" => "https://api-na1.niceincontact.com@evil.example",
        "ip" => "https://203.0.113.7",
        "suffix" => "https://evilniceincontact.com",
        _ => return state.decoy_url.clone(),
    }
    .to_owned()
}

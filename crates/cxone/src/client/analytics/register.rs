//! `GET`, `POST` and `PUT …/schedules`: the schedule as the definition says, whatever was there before.

use std::collections::HashSet;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::Value;

use crate::client::transport::{Call, Effect};
use crate::client::{AccessToken, Client};
use crate::error::Error;
use definition::Definition;
use definition::{PageToken, ScheduleId};

const FIND: &str = "find schedule";
const CREATE: &str = "create schedule";
const UPDATE: &str = "update schedule";
/// More pages of schedules with a similar name than this are not looked through.
const MAX_PAGES: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listing {
    schedules: Vec<Value>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Registered {
    schedule_id: ScheduleId,
}

impl Client {
    /// Registers the schedule: finds it by its exact name, creates it, or updates it if it differs. Two schedules of that
    /// name are an [`Error::Contract`] that names both: which one is meant is for a person to say. Unless both say what is
    /// wanted, as when two deployers create it at the same moment: then the one with the lower id is as good as the other.
    pub(in crate::client) async fn register_schedule(
        &self,
        token: &AccessToken,
        definition: &Definition,
    ) -> Result<ScheduleId, Error> {
        let body = definition.registered_body();
        let wanted: Value = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(UPDATE, "the definition is not JSON"))?;
        let found = self.find(token, definition.name.as_str(), &wanted).await?;
        let Some((id, schedule)) = found else {
            let request = self.request(Method::POST, self.reports_url(&["schedules"]));
            let created = self
                .write(token, CREATE, Effect::Creates, request, body)
                .await;
            return created.map_err(|error| match error {
                // Somebody else was quicker; the next look will find theirs.
                Error::Rejected { status: 409, .. } => {
                    Error::unavailable(CREATE, "it was created in between")
                }
                other => other,
            });
        };
        if covers(&schedule, &wanted) {
            return Ok(id);
        }
        let request = self.request(Method::PUT, self.reports_url(&["schedules", id.as_str()]));
        let updated = self
            .write(token, UPDATE, Effect::None, request, body)
            .await?;
        if updated == id {
            Ok(id)
        } else {
            Err(Error::contract(
                UPDATE,
                "the answer is about another schedule",
            ))
        }
    }

    async fn write(
        &self,
        token: &AccessToken,
        step: &'static str,
        effect: Effect,
        request: RequestBuilder,
        body: Vec<u8>,
    ) -> Result<ScheduleId, Error> {
        let call = Call {
            effect,
            ..Call::asks(step, token)
        };
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let response = self.send(&call, request).await?;
        let answer = self.small_json(&call, response).await?;
        let registered: Registered = serde_json::from_slice(&answer)
            .map_err(|_| Error::contract(step, "the answer has no valid scheduleId"))?;
        Ok(registered.schedule_id)
    }

    /// The one schedule of exactly this name. The API's filter may be looser than that.
    async fn find(
        &self,
        token: &AccessToken,
        name: &str,
        wanted: &Value,
    ) -> Result<Option<(ScheduleId, Value)>, Error> {
        let mut found: Option<(ScheduleId, Value)> = None;
        let mut at: Option<PageToken> = None;
        let mut seen = HashSet::new();
        for _ in 0..MAX_PAGES {
            let listing = self.listing(token, name, at.as_ref()).await?;
            for schedule in listing.schedules.into_iter().filter(|s| s["name"] == name) {
                let id = schedule["scheduleId"]
                    .as_str()
                    .and_then(|id| ScheduleId::new(id).ok());
                let id =
                    id.ok_or_else(|| Error::contract(FIND, "a schedule has no valid scheduleId"))?;
                match &found {
                    Some((other, known)) if covers(known, wanted) && covers(&schedule, wanted) => {
                        if id < *other {
                            found = Some((id, schedule));
                        }
                    }
                    Some((other, _)) if *other != id => {
                        let what = format!(
                            "two schedules have this name: {other} and {id}; delete or rename one"
                        );
                        return Err(Error::contract(FIND, what));
                    }
                    _ => found = Some((id, schedule)),
                }
            }
            let Some(next) = listing.next_page_token.filter(|next| !next.is_empty()) else {
                return Ok(found);
            };
            let next =
                PageToken::new(next).map_err(|error| Error::contract(FIND, error.to_string()))?;
            if !seen.insert(next.clone()) {
                return Err(Error::contract(
                    FIND,
                    "the pages of schedules go in a circle",
                ));
            }
            at = Some(next);
        }
        Err(Error::contract(
            FIND,
            format!("more than {MAX_PAGES} pages of schedules match the name"),
        ))
    }

    async fn listing(
        &self,
        token: &AccessToken,
        name: &str,
        at: Option<&PageToken>,
    ) -> Result<Listing, Error> {
        let secrets: Vec<&str> = at.map(PageToken::as_str).into_iter().collect();
        let call = Call {
            secrets: &secrets,
            ..Call::asks(FIND, token)
        };
        let mut url = self.reports_url(&["schedules"]);
        url.query_pairs_mut().append_pair("name", name);
        if let Some(at) = at {
            url.query_pairs_mut().append_pair("pageToken", at.as_str());
        }
        let response = self.send(&call, self.request(Method::GET, url)).await?;
        let body = self.small_json(&call, response).await?;
        serde_json::from_slice(&body)
            .map_err(|_| Error::contract(FIND, "the answer is not a list of schedules"))
    }
}

/// Whether what is registered says all that is wanted. It may say more: ids, times, defaults that the API filled in.
fn covers(registered: &Value, wanted: &Value) -> bool {
    match (registered, wanted) {
        (Value::Object(registered), Value::Object(wanted)) => wanted.iter().all(|(name, value)| {
            let said = registered.get(name).unwrap_or(&Value::Null);
            covers(said, value) || (said.is_null() && value.as_array().is_some_and(Vec::is_empty))
        }),
        (Value::Array(registered), Value::Array(wanted)) => {
            registered.len() == wanted.len()
                && registered.iter().zip(wanted).all(|(r, w)| covers(r, w))
        }
        _ => registered == wanted,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::covers;

    #[test]
    fn a_schedule_differs_only_in_what_the_definition_says() {
        let wanted = json!({ "name": "x", "report": { "metrics": ["a", "b"], "filters": [] } });
        let registered = json!({ "scheduleId": "s", "name": "x", "report": { "metrics": ["a", "b"], "version": 2 } });
        assert!(covers(&registered, &wanted));
        for (pointer, other) in [
            ("/name", json!("y")),
            ("/report/metrics", json!(["b", "a"])),
            ("/report/metrics", json!(["a", "b", "c"])),
            ("/report", json!(null)),
        ] {
            let mut changed = registered.clone();
            *changed.pointer_mut(pointer).unwrap() = other;
            assert!(!covers(&changed, &wanted), "{pointer}");
        }
        assert!(!covers(
            &json!({ "name": "x", "report": { "metrics": ["a", "b"], "filters": ["f"] } }),
            &wanted
        ));
    }
}

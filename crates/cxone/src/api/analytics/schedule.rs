//! `GET`, `POST` and `PUT …/schedules`: makes the schedule what the definition says.

use std::collections::HashSet;

use definition::{Definition, PageToken, ScheduleId};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::Value;

use crate::error::Error;
use crate::http::{AccessToken, Call, Client};

const FIND: &str = "find schedule";
const CREATE: &str = "create schedule";
const UPDATE: &str = "update schedule";
/// The most pages of schedules with a similar name that are read.
const MAX_PAGES: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ScheduleList {
    schedules: Vec<Value>,
    next_page_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RegisteredSchedule {
    schedule_id: ScheduleId,
}

impl Client {
    /// Finds the schedule by its exact name, creates it, or updates it if it differs. Two schedules of that name are an
    /// [`Error::Contract`] that names both, because only a person can tell which one is meant. Where both already have the
    /// wanted settings, as when two deployers create it at the same moment, the one with the lower id is taken.
    pub(in crate::api) async fn put_schedule(
        &self,
        token: &AccessToken,
        definition: &Definition,
    ) -> Result<ScheduleId, Error> {
        let body = definition.registered_body();
        let wanted: Value = serde_json::from_slice(&body)
            .map_err(|_| Error::contract(UPDATE, "the definition is not JSON"))?;
        let found = self
            .find_schedule(token, definition.name.as_str(), &wanted)
            .await?;
        let Some((id, schedule)) = found else {
            return self.create_schedule(token, body).await;
        };
        if covers(&schedule, &wanted) {
            return Ok(id);
        }
        let request =
            self.build_request(Method::PUT, self.analytics_url(&["schedules", id.as_str()]));
        let updated = self
            .write_schedule(Call::repeatable(UPDATE, token), request, body)
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

    async fn create_schedule(
        &self,
        token: &AccessToken,
        body: Vec<u8>,
    ) -> Result<ScheduleId, Error> {
        let request = self.build_request(Method::POST, self.analytics_url(&["schedules"]));
        let call = Call::creating(CREATE, token);
        let created = self.write_schedule(call, request, body).await;
        created.map_err(|error| match error {
            // Somebody else has created it meanwhile; the next try finds theirs.
            Error::Rejected { status: 409, .. } => {
                Error::unavailable(CREATE, "it was created in between")
            }
            other => other,
        })
    }

    async fn write_schedule(
        &self,
        call: Call<'_>,
        request: RequestBuilder,
        body: Vec<u8>,
    ) -> Result<ScheduleId, Error> {
        let request = request.header(CONTENT_TYPE, "application/json").body(body);
        let response = self.send_request(&call, request).await?;
        let answer = self.read_small_json(&call, response).await?;
        let registered: RegisteredSchedule = serde_json::from_slice(&answer)
            .map_err(|_| Error::contract(call.step, "the answer has no valid scheduleId"))?;
        Ok(registered.schedule_id)
    }

    /// The one schedule of exactly this name. The API's filter may be looser than that.
    async fn find_schedule(
        &self,
        token: &AccessToken,
        name: &str,
        wanted: &Value,
    ) -> Result<Option<(ScheduleId, Value)>, Error> {
        let mut found: Option<(ScheduleId, Value)> = None;
        let mut at: Option<PageToken> = None;
        let mut seen = HashSet::new();
        for _ in 0..MAX_PAGES {
            let listing = self.request_list(token, name, at.as_ref()).await?;
            for schedule in listing.schedules.into_iter().filter(|s| s["name"] == name) {
                found = Some(choose_schedule(found, schedule, wanted)?);
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

    async fn request_list(
        &self,
        token: &AccessToken,
        name: &str,
        at: Option<&PageToken>,
    ) -> Result<ScheduleList, Error> {
        let secrets: Vec<&str> = at.map(PageToken::as_str).into_iter().collect();
        let call = Call {
            secrets: &secrets,
            ..Call::repeatable(FIND, token)
        };
        let mut url = self.analytics_url(&["schedules"]);
        url.query_pairs_mut().append_pair("name", name);
        if let Some(at) = at {
            url.query_pairs_mut().append_pair("pageToken", at.as_str());
        }
        let response = self
            .send_request(&call, self.build_request(Method::GET, url))
            .await?;
        let body = self.read_small_json(&call, response).await?;
        serde_json::from_slice(&body)
            .map_err(|_| Error::contract(FIND, "the answer is not a list of schedules"))
    }
}

/// The schedule that is meant, of one that was found before and another one of the same name.
fn choose_schedule(
    found: Option<(ScheduleId, Value)>,
    schedule: Value,
    wanted: &Value,
) -> Result<(ScheduleId, Value), Error> {
    let id = schedule["scheduleId"].as_str();
    let id = id
        .and_then(|id| ScheduleId::new(id).ok())
        .ok_or_else(|| Error::contract(FIND, "a schedule has no valid scheduleId"))?;
    match found {
        Some((other, known)) if covers(&known, wanted) && covers(&schedule, wanted) => {
            Ok(if id < other {
                (id, schedule)
            } else {
                (other, known)
            })
        }
        Some((other, _)) if other != id => {
            let what =
                format!("two schedules have this name: {other} and {id}; delete or rename one");
            Err(Error::contract(FIND, what))
        }
        _ => Ok((id, schedule)),
    }
}

/// Whether a registered schedule has all the wanted settings. It may have more: ids, times, defaults of the API.
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

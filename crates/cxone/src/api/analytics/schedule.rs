//! `GET`, `POST` and `PUT …/schedules`: makes the schedule what the definition says.

use std::collections::{BTreeMap, HashSet};

use definition::{Definition, PageToken, ScheduleId};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::answer::{find_id, read_text};
use crate::error::Error;
use crate::http::{AccessToken, Call, Client};

const FIND: &str = "find schedule";
const CREATE: &str = "create schedule";
const UPDATE: &str = "update schedule";
/// The most pages of schedules with a similar name that are read.
const MAX_PAGES: usize = 100;

/// The names that an id of a schedule may have.
const IDS: &[&str] = &["scheduleId", "id"];
/// The field of the schedules, where there is more than one list.
const SCHEDULES: &str = "schedules";

struct ScheduleList {
    schedules: Vec<RegisteredSchedule>,
    next_page_token: Option<String>,
}

/// A schedule as the API shows it.
struct RegisteredSchedule {
    /// As it was sent: a number may be too large for `body`.
    id: Option<String>,
    body: Value,
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
        let id = find_id(&answer, IDS);
        id.and_then(|id| ScheduleId::new(id).ok())
            .ok_or_else(|| Error::contract(call.step, "the answer has no valid scheduleId"))
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
            let named = |schedule: &RegisteredSchedule| schedule.body["name"] == name;
            for schedule in listing.schedules.into_iter().filter(named) {
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
        if response.status() == StatusCode::NO_CONTENT {
            return Ok(ScheduleList {
                schedules: Vec::new(),
                next_page_token: None,
            });
        }
        let body = self.read_small_json(&call, response).await?;
        parse_list(&body)
            .ok_or_else(|| Error::contract(FIND, "the answer is not a list of schedules"))
    }
}

/// The schedules of an answer: a list, or an object with one, whatever its name. Of several lists nobody can tell which one is
/// meant, and a schedule that is overlooked would be made again; so they are no answer, unless one has the right name.
fn parse_list(body: &[u8]) -> Option<ScheduleList> {
    let whole: Value = serde_json::from_slice(body).ok()?;
    let raw: &RawValue = serde_json::from_slice(body).ok()?;
    let Value::Object(fields) = &whole else {
        return Some(ScheduleList {
            schedules: parse_schedules(raw)?,
            next_page_token: None,
        });
    };
    let mut lists = fields.iter().filter(|(_, value)| value.is_array());
    let name = match (fields.get(SCHEDULES), lists.next(), lists.next()) {
        (Some(Value::Array(_) | Value::Null), ..) => SCHEDULES,
        (None, Some((name, _)), None) => name,
        _ => return None,
    };
    let fields: BTreeMap<String, &RawValue> = serde_json::from_str(raw.get()).ok()?;
    Some(ScheduleList {
        schedules: parse_schedules(fields.get(name)?)?,
        next_page_token: read_text(&whole, "nextPageToken"),
    })
}

/// The schedules of a list; null is an empty one.
fn parse_schedules(list: &RawValue) -> Option<Vec<RegisteredSchedule>> {
    let list: Option<Vec<&RawValue>> = serde_json::from_str(list.get()).ok()?;
    let schedule = |raw: &RawValue| {
        let body: Value = serde_json::from_str(raw.get()).ok()?;
        body.is_object().then(|| RegisteredSchedule {
            id: find_id(raw.get().as_bytes(), IDS),
            body,
        })
    };
    list.unwrap_or_default().into_iter().map(schedule).collect()
}

/// The schedule that is meant, of one that was found before and another one of the same name.
fn choose_schedule(
    found: Option<(ScheduleId, Value)>,
    schedule: RegisteredSchedule,
    wanted: &Value,
) -> Result<(ScheduleId, Value), Error> {
    let RegisteredSchedule { id, body: schedule } = schedule;
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

    use super::{covers, parse_list};

    #[test]
    fn a_list_of_schedules_is_found_whatever_it_is_called() {
        let one = r#"[{"scheduleId":18446744073709551617,"name":"x"}]"#;
        for (answer, ids) in [
            (one.to_owned(), Some("18446744073709551617")),
            (
                format!(r#"{{"items":{one},"nextPageToken":7}}"#),
                Some("18446744073709551617"),
            ),
            (
                format!(r#"{{"schedules":{one},"links":[]}}"#),
                Some("18446744073709551617"),
            ),
            (
                r#"{"data":[{"id":"s-1"},{"name":"no id"}]}"#.to_owned(),
                Some("s-1 ?"),
            ),
            ("[]".to_owned(), Some("")),
            (r#"{"schedules":null}"#.to_owned(), Some("")),
            (format!(r#"{{"items":{one},"others":[]}}"#), None),
            (r#"{"schedules":{"a":1}}"#.to_owned(), None),
            (r#"{"schedules":["s-1"]}"#.to_owned(), None),
            ("{}".to_owned(), None),
            ("7".to_owned(), None),
            ("null".to_owned(), Some("")),
        ] {
            let list = parse_list(answer.as_bytes());
            let found = list.map(|list| {
                let ids = list.schedules.into_iter().map(|one| one.id);
                let ids: Vec<_> = ids.map(|id| id.unwrap_or("?".to_owned())).collect();
                ids.join(" ")
            });
            assert_eq!(found.as_deref(), ids, "{answer}");
        }
        let next = parse_list(br#"{"items":[],"nextPageToken":7}"#).unwrap();
        assert_eq!(next.next_page_token.as_deref(), Some("7"));
    }

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

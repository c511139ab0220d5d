//! EventBridge Scheduler: the schedules that there are, and when they fire. Nothing here fires them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::{Method, Response, StatusCode, Uri};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::http::Body;
use crate::response::{self, JsonError, cut_page, seconds};
use crate::stack::Stack;

pub(super) const CONTENT_TYPE: &str = "application/json";

/// Where the paths of the operations begin.
const PATH: &str = "/schedules";

/// What a schedule has that says nothing about it.
const UNSAID: [(&str, &str); 3] = [
    ("GroupName", "default"),
    ("State", "ENABLED"),
    ("ScheduleExpressionTimezone", "UTC"),
];

/// The schedules, by group and name.
#[derive(Debug, Clone, Default)]
pub struct Schedules(Arc<Mutex<ByName>>);

type ByName = BTreeMap<(String, String), Map<String, Value>>;

impl Schedules {
    /// Makes the schedules of a template that `cxr schedules` wrote, as a stack does; those that it made before are replaced.
    pub fn deploy(&self, template: &Value, stack: &Stack, at: Timestamp) {
        let resources = template["Resources"].as_object();
        for resource in resources.into_iter().flat_map(Map::values) {
            if resource["Type"] == "AWS::Scheduler::Schedule" {
                self.put(stack.fill(&resource["Properties"]), at);
            }
        }
    }

    /// Makes a schedule, or replaces the one of its name. Its fields are those of `CreateSchedule`.
    pub fn put(&self, schedule: Value, at: Timestamp) {
        let Value::Object(mut schedule) = schedule else {
            return;
        };
        for (field, default) in UNSAID {
            schedule
                .entry(field)
                .or_insert_with(|| Value::from(default));
        }
        let text = |field: &str| {
            schedule
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let key = (text("GroupName").to_owned(), text("Name").to_owned());
        let mut schedules = self.lock();
        let created = schedules
            .get(&key)
            .map(|before| before["CreationDate"].clone());
        let arn = format!(
            "arn:aws:scheduler:us-east-1:000000000000:schedule/{}/{}",
            key.0, key.1
        );
        schedule.insert("Arn".to_owned(), arn.into());
        schedule.insert(
            "CreationDate".to_owned(),
            created.unwrap_or_else(|| seconds(at)),
        );
        schedule.insert("LastModificationDate".to_owned(), seconds(at));
        schedules.insert(key, schedule);
    }

    /// Takes a schedule away; false if there was none.
    fn remove(&self, group: &str, name: &str) -> bool {
        let key = (group.to_owned(), name.to_owned());
        self.lock().remove(&key).is_some()
    }

    pub(super) fn answer(&self, request: &Call) -> Response<Body> {
        response::json(CONTENT_TYPE, self.call(request))
    }

    fn call(&self, call: &Call) -> Result<Value, JsonError> {
        match call.operation() {
            "ListSchedules" => self.list(call),
            "GetSchedule" => self.find(call).map(Value::Object),
            "CreateSchedule" => match self.find(call) {
                Ok(_) => Err(exists(&call.name)),
                Err(_) => Ok(self.store(call)),
            },
            "UpdateSchedule" => self.find(call).map(|_| self.store(call)),
            "DeleteSchedule" if self.remove(call.group(), &call.name) => Ok(json!({})),
            "DeleteSchedule" => Err(unknown(&call.name)),
            _ => Err(JsonError::new(
                "ValidationException",
                "the local Scheduler lists, gets, creates, updates and deletes schedules",
            )),
        }
    }

    fn list(&self, call: &Call) -> Result<Value, JsonError> {
        let is_meant = |schedule: &Map<String, Value>| {
            let text = |field: &str| schedule[field].as_str().unwrap_or_default();
            let asked = |field: &str| call.query.get(field).map(String::as_str);
            asked("ScheduleGroup").is_none_or(|group| text("GroupName") == group)
                && asked("NamePrefix").is_none_or(|prefix| text("Name").starts_with(prefix))
                && asked("State").is_none_or(|state| text("State") == state)
        };
        let schedules = self.lock();
        let meant = schedules.values().filter(|schedule| is_meant(schedule));
        let listed = meant.map(summarise).collect();
        let size = call
            .query
            .get("MaxResults")
            .and_then(|size| size.parse().ok());
        let token = call.query.get("NextToken").map(String::as_str);
        let (page, next) =
            cut_page(listed, size.unwrap_or(100).clamp(1, 100), token).ok_or_else(|| {
                JsonError::new("ValidationException", "this token was not given out here")
            })?;
        Ok(json!({"Schedules": page, "NextToken": next}))
    }

    fn find(&self, call: &Call) -> Result<Map<String, Value>, JsonError> {
        let key = (call.group().to_owned(), call.name.clone());
        let found = self.lock().get(&key).cloned();
        found.ok_or_else(|| unknown(&call.name))
    }

    fn store(&self, call: &Call) -> Value {
        let mut schedule = call.body.clone();
        schedule["Name"] = json!(call.name);
        self.put(schedule, Timestamp::now());
        let group = call.group();
        json!({"ScheduleArn": format!("arn:aws:scheduler:us-east-1:000000000000:schedule/{group}/{}", call.name)})
    }

    fn lock(&self) -> MutexGuard<'_, ByName> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A call, as the Scheduler's REST protocol has it.
pub(super) struct Call {
    method: Method,
    /// The schedule; empty for all of them.
    pub(super) name: String,
    query: BTreeMap<String, String>,
    body: Value,
}

impl Call {
    pub(super) fn new(method: &Method, uri: &Uri, body: Value) -> Self {
        let query = uri.query().unwrap_or_default();
        let name = uri.path().strip_prefix(PATH).unwrap_or_default();
        Self {
            method: method.clone(),
            name: name.trim_matches('/').to_owned(),
            query: url::form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
            body,
        }
    }

    pub(super) fn operation(&self) -> &'static str {
        match (&self.method, self.name.is_empty()) {
            (&Method::GET, true) => "ListSchedules",
            (&Method::GET, false) => "GetSchedule",
            (&Method::POST, false) => "CreateSchedule",
            (&Method::PUT, false) => "UpdateSchedule",
            (&Method::DELETE, false) => "DeleteSchedule",
            _ => "Unknown",
        }
    }

    /// A question names the group in its query, a change in its body.
    fn group(&self) -> &str {
        let asked = self.query.get("groupName").map(String::as_str);
        let asked = asked.or_else(|| self.body.get("GroupName")?.as_str());
        asked.unwrap_or("default")
    }
}

/// What a list has of a schedule: neither when it fires nor with what.
fn summarise(schedule: &Map<String, Value>) -> Value {
    let fields = [
        "Arn",
        "CreationDate",
        "GroupName",
        "LastModificationDate",
        "Name",
        "State",
    ];
    let kept = fields.map(|field| (field.to_owned(), schedule[field].clone()));
    let mut summary: Map<String, Value> = kept.into_iter().collect();
    let target = schedule.get("Target").map(|target| target["Arn"].clone());
    summary.insert("Target".to_owned(), json!({"Arn": target}));
    summary.into()
}

fn unknown(name: &str) -> JsonError {
    JsonError {
        status: StatusCode::NOT_FOUND,
        ..JsonError::new(
            "ResourceNotFoundException",
            format!("Schedule {name} does not exist."),
        )
    }
}

fn exists(name: &str) -> JsonError {
    JsonError {
        status: StatusCode::CONFLICT,
        ..JsonError::new(
            "ConflictException",
            format!("Schedule {name} already exists."),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(
        schedules: &Schedules,
        method: &Method,
        path: &str,
        body: Value,
    ) -> Result<Value, String> {
        let call = Call::new(method, &path.parse().unwrap(), body);
        schedules.call(&call).map_err(|error| error.code)
    }

    fn deployed() -> Schedules {
        let template = json!({"Resources": {
            "Daily": {"Type": "AWS::Scheduler::Schedule", "Properties": {
                "Name": {"Fn::Sub": "${Name}-daily"}, "GroupName": {"Ref": "Name"}, "State": "ENABLED",
                "ScheduleExpression": "cron(30 5 * * ? *)", "Target": {"Arn": "arn:x", "Input": "{}"},
            }},
            "Weekly": {"Type": "AWS::Scheduler::Schedule", "Properties": {
                "Name": "report-weekly", "GroupName": "report", "State": "DISABLED", "Target": {"Arn": "arn:x"},
            }},
            "NoSchedules": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
        }});
        let schedules = Schedules::default();
        let stack = Stack::new(&[("Name", "report")]);
        schedules.deploy(&template, &stack, "2026-11-22T05:30:00Z".parse().unwrap());
        schedules
    }

    #[test]
    fn schedules_are_listed_in_pages_and_filtered() {
        let schedules = deployed();
        let names = |query: &str| {
            let path = format!("/schedules?{query}");
            let listed = ask(&schedules, &Method::GET, &path, Value::Null).unwrap();
            let all = listed["Schedules"].as_array().unwrap().iter();
            let names: Vec<Value> = all.map(|schedule| schedule["Name"].clone()).collect();
            (json!(names), listed["NextToken"].clone())
        };
        let both = json!(["report-daily", "report-weekly"]);
        assert_eq!(names(""), (both, Value::Null));
        assert_eq!(names("ScheduleGroup=other").0, json!([]));
        assert_eq!(names("State=DISABLED").0, json!(["report-weekly"]));
        assert_eq!(
            names("NamePrefix=report-d&ScheduleGroup=report").0,
            json!(["report-daily"])
        );
        let (first, next) = names("MaxResults=1");
        assert_eq!((first, &next), (json!(["report-daily"]), &json!("local-1")));
        assert_eq!(
            names("MaxResults=1&NextToken=local-1").0,
            json!(["report-weekly"])
        );
        let refused = ask(
            &schedules,
            &Method::GET,
            "/schedules?NextToken=x",
            Value::Null,
        );
        assert_eq!(refused.unwrap_err(), "ValidationException");
    }

    #[test]
    fn a_schedule_is_looked_at_and_changed() {
        let schedules = deployed();
        let daily = "/schedules/report-daily?groupName=report";
        let found = ask(&schedules, &Method::GET, daily, Value::Null).unwrap();
        assert_eq!(found["Target"]["Input"], "{}");
        assert_eq!(found["ScheduleExpression"], "cron(30 5 * * ? *)");
        let mut changed = found.clone();
        changed["State"] = json!("DISABLED");
        ask(&schedules, &Method::PUT, "/schedules/report-daily", changed).unwrap();
        let again = ask(&schedules, &Method::GET, daily, Value::Null).unwrap();
        assert_eq!(again["State"], "DISABLED");
        assert_eq!(again["CreationDate"], found["CreationDate"]);
        let twice = ask(&schedules, &Method::POST, "/schedules/report-daily", found);
        assert_eq!(twice.unwrap_err(), "ConflictException");
        ask(&schedules, &Method::DELETE, daily, Value::Null).unwrap();
        for method in [Method::GET, Method::DELETE] {
            let gone = ask(&schedules, &method, daily, Value::Null);
            assert_eq!(gone.unwrap_err(), "ResourceNotFoundException");
        }
    }
}

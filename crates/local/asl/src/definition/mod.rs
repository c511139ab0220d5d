//! A state machine definition: read, checked and ready to run.

mod fields;
mod flow;
mod graph;
mod problem;
mod strict;
mod task;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::expression::{Reads, Template};
use fields::{Fields, Reading};
use problem::Problems;

pub use problem::{DefinitionError, Problem};
pub(crate) use task::{Catcher, Jitter, Resource, Retrier, Task, TimeLimit};

/// The longest time that a definition can name, in seconds.
const MAX_SECONDS: u64 = 99_999_999;

/// The index of a state in its machine.
pub(crate) type StateId = usize;

/// A definition in the Amazon States Language that this crate can run as it stands.
///
/// It is immutable and cheap to share: expressions are parsed once, here.
#[derive(Debug)]
pub struct StateMachine {
    pub(crate) states: Vec<State>,
    pub(crate) start_at: StateId,
    /// The limit of a whole execution, in seconds.
    pub(crate) timeout_seconds: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) name: Arc<str>,
    pub(crate) kind: Kind,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Task(Box<Task>),
    Choice(Choice),
    Wait(Wait),
    Pass(Exit, After),
    Succeed(Exit),
    Fail(Fail),
}

/// What follows a state.
#[derive(Debug, Clone, Copy)]
pub(crate) enum After {
    Next(StateId),
    End,
}

/// What a state leaves behind: its output and the variables it assigns.
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) output: Option<Template>,
    pub(crate) assign: Vec<(Arc<str>, Template)>,
    /// What all of them read together.
    pub(crate) reads: Reads,
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Option<StateId>,
    /// Used when no rule matches.
    pub(crate) exit: Exit,
    /// What the conditions read together.
    pub(crate) reads: Reads,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) condition: Template,
    pub(crate) next: StateId,
    pub(crate) exit: Exit,
}

#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) until: Until,
    /// What `until` reads.
    pub(crate) reads: Reads,
    pub(crate) exit: Exit,
    pub(crate) after: After,
}

#[derive(Debug)]
pub(crate) enum Until {
    Seconds(Template),
    Timestamp(Template),
}

#[derive(Debug)]
pub(crate) struct Fail {
    pub(crate) error: Option<Template>,
    pub(crate) cause: Option<Template>,
    /// What both read together.
    pub(crate) reads: Reads,
}

impl Exit {
    fn new(output: Option<Template>, assign: Vec<(String, Template)>) -> Self {
        let mut reads = Reads::default();
        for template in output.iter().chain(assign.iter().map(|(_, t)| t)) {
            template.add_reads(&mut reads);
        }
        let assign = assign.into_iter().map(|(n, t)| (n.into(), t)).collect();
        Self {
            output,
            assign,
            reads,
        }
    }
}

impl StateMachine {
    /// Reads a definition, with tasks on any service integration.
    ///
    /// It fails on everything that this crate would not run as Step Functions does, and says
    /// all of it at once.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        Self::read(text, None)
    }

    /// Reads a definition whose tasks are on `resources` only.
    ///
    /// A resource is an ARN; a `*` in it stands for any text, as in `arn:aws:states:::sns:*`.
    pub fn parse_for(text: &str, resources: &[&str]) -> Result<Self, DefinitionError> {
        Self::read(text, Some(resources))
    }

    /// The names of the states, in the order of the definition.
    pub fn state_names(&self) -> impl Iterator<Item = &str> {
        self.states.iter().map(|state| &*state.name)
    }

    fn read(text: &str, resources: Option<&[&str]>) -> Result<Self, DefinitionError> {
        let mut problems = Problems::default();
        let document = match strict::parse(text) {
            Ok(Value::Object(document)) => document,
            Ok(_) => {
                problems.add(None, "", "a definition is a JSON object");
                return Err(problems.into_error());
            }
            Err(error) => {
                problems.add(None, "", format!("not JSON: {error}"));
                return Err(problems.into_error());
            }
        };
        let empty = Map::new();
        let states = document.get("States").and_then(Value::as_object);
        let states = states.unwrap_or(&empty);
        let mut reading = Reading {
            problems,
            names: states
                .keys()
                .enumerate()
                .map(|(id, name)| (name.as_str(), id))
                .collect(),
            variables: assigned(states),
            resources,
        };
        let machine = machine(&mut reading, &document, states);
        match machine {
            Some(machine) if reading.problems.is_empty() => Ok(machine),
            _ => Err(reading.problems.into_error()),
        }
    }
}

/// Every variable that some state, rule or catcher assigns.
fn assigned(states: &Map<String, Value>) -> BTreeSet<String> {
    let lists = ["Choices", "Catch"];
    let inner = |state: &'_ Value| -> Vec<Value> {
        let lists = lists.iter().filter_map(|list| state.get(list)?.as_array());
        lists
            .flatten()
            .filter_map(|item| item.get("Assign").cloned())
            .collect()
    };
    let maps = states.values().flat_map(|state| {
        let own = state.get("Assign").cloned();
        own.into_iter().chain(inner(state))
    });
    maps.filter_map(|map| {
        map.as_object()
            .map(|map| map.keys().cloned().collect::<Vec<_>>())
    })
    .flatten()
    .collect()
}

fn machine<'a>(
    reading: &mut Reading<'a>,
    document: &'a Map<String, Value>,
    states: &'a Map<String, Value>,
) -> Option<StateMachine> {
    let top = Fields::new(None, document);
    let allowed = [
        "Comment",
        "QueryLanguage",
        "StartAt",
        "States",
        "TimeoutSeconds",
        "Version",
    ];
    top.only(reading, &allowed);
    graph::placeholders(reading, document);
    match top.value("QueryLanguage").and_then(Value::as_str) {
        Some("JSONata") => {}
        Some(other) => {
            let message = format!("{other:?} is not implemented, only \"JSONata\"");
            top.problem(reading, "QueryLanguage", message);
        }
        None => top.problem(reading, "QueryLanguage", "must be \"JSONata\""),
    }
    if top.value("Version").is_some_and(|version| version != "1.0") {
        top.problem(reading, "Version", "must be \"1.0\"");
    }
    if states.is_empty() {
        top.problem(
            reading,
            "States",
            "must be an object with at least one state",
        );
    }
    let start_at = top.target(reading, "StartAt");
    let timeout_seconds = top.integer(reading, "TimeoutSeconds", 1..=MAX_SECONDS);
    let states: Vec<_> = states
        .iter()
        .map(|(name, value)| state(reading, name, value))
        .collect();
    let states: Option<Vec<State>> = states.into_iter().collect();
    let machine = StateMachine {
        states: states?,
        start_at: start_at?,
        timeout_seconds,
    };
    graph::unreachable(reading, &machine);
    Some(machine)
}

fn state<'a>(reading: &mut Reading<'a>, name: &'a str, value: &'a Value) -> Option<State> {
    if name.is_empty() || name.chars().count() > 80 {
        reading
            .problems
            .add(Some(name), "", "the name of a state has 1 to 80 characters");
    }
    let Some(map) = value.as_object() else {
        reading.problems.add(Some(name), "", "must be an object");
        return None;
    };
    let fields = Fields::new(Some(name), map);
    if fields
        .value("QueryLanguage")
        .is_some_and(|language| language != "JSONata")
    {
        fields.problem(reading, "QueryLanguage", "only \"JSONata\" is implemented");
    }
    let kind = match fields.required_text(reading, "Type")? {
        "Task" => task::read(reading, &fields).map(|task| Kind::Task(Box::new(task))),
        "Choice" => flow::choice(reading, &fields),
        "Wait" => flow::wait(reading, &fields),
        "Pass" => flow::pass(reading, &fields),
        "Succeed" => Some(flow::succeed(reading, &fields)),
        "Fail" => Some(flow::fail(reading, &fields)),
        known @ ("Map" | "Parallel") => {
            fields.problem(reading, "Type", format!("{known} is not implemented"));
            None
        }
        other => {
            fields.problem(reading, "Type", format!("there is no state type {other:?}"));
            None
        }
    };
    Some(State {
        name: name.into(),
        kind: kind?,
    })
}

impl Kind {
    /// Every state that may follow.
    fn targets(&self) -> Vec<StateId> {
        let after = |after: &After| match after {
            After::Next(next) => vec![*next],
            After::End => Vec::new(),
        };
        match self {
            Self::Task(task) => {
                let mut targets = after(&task.after);
                targets.extend(task.catch.iter().map(|catcher| catcher.next));
                targets
            }
            Self::Choice(choice) => {
                let rules = choice.rules.iter().map(|rule| rule.next);
                rules.chain(choice.default).collect()
            }
            Self::Wait(wait) => after(&wait.after),
            Self::Pass(_, next) => after(next),
            Self::Succeed(_) | Self::Fail(_) => Vec::new(),
        }
    }
}

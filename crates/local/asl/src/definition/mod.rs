//! A state machine definition: read, checked and ready to run.

mod fields;
mod graph;
mod problem;
mod states;
mod strict;
mod task;

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::expression::{Reads, Template};
use fields::{Fields, Reading};

pub use problem::{DefinitionError, Problem};
pub(crate) use task::{Catcher, Jitter, Resource, Retrier, Task};

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
    Pass(Exit, Transition),
    Succeed(Exit),
    Fail(Fail),
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Transition {
    Next(StateId),
    End,
}

/// `Output` and `Assign`, evaluated when a state is left.
#[derive(Debug)]
pub(crate) struct Exit {
    pub(crate) output: Option<Template>,
    pub(crate) assign: Vec<(Arc<str>, Template)>,
    /// What the output and the assigned values read together.
    pub(crate) reads: Reads,
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Option<StateId>,
    /// Applies when no rule matches and the default is taken.
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
    pub(crate) reads: Reads,
    pub(crate) exit: Exit,
    pub(crate) after: Transition,
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
    /// It fails on everything that this crate would not run as Step Functions does, and names
    /// all of it at once.
    pub fn parse(text: &str) -> Result<Self, DefinitionError> {
        Self::read_definition(text, None)
    }

    /// Reads a definition whose tasks are on `resources` only.
    ///
    /// A resource is an ARN; a `*` in it stands for any text, as in `arn:aws:states:::sns:*`.
    pub fn parse_for(text: &str, resources: &[&str]) -> Result<Self, DefinitionError> {
        Self::read_definition(text, Some(resources))
    }

    /// The names of the states, in the order of the definition.
    pub fn state_names(&self) -> impl Iterator<Item = &str> {
        self.states.iter().map(|state| &*state.name)
    }

    fn read_definition(text: &str, resources: Option<&[&str]>) -> Result<Self, DefinitionError> {
        let refuse = |message: &str| DefinitionError {
            problems: vec![Problem::new(None, "", message)],
        };
        let document = match strict::parse_strict(text) {
            Ok(Value::Object(document)) => document,
            Ok(_) => return Err(refuse("a definition is a JSON object")),
            Err(error) => return Err(refuse(&format!("not JSON: {error}"))),
        };
        let empty = Map::new();
        let states = document.get("States").and_then(Value::as_object);
        let states = states.unwrap_or(&empty);
        let mut reading = Reading {
            problems: Vec::new(),
            names: states
                .keys()
                .enumerate()
                .map(|(id, name)| (name.as_str(), id))
                .collect(),
            variables: assigned_variables(states),
            resources,
        };
        let machine = read_machine(&mut reading, &document, states);
        match machine {
            Some(machine) if reading.problems.is_empty() => Ok(machine),
            _ => Err(DefinitionError {
                problems: reading.problems,
            }),
        }
    }
}

/// Every variable that some state, rule or catcher assigns.
fn assigned_variables(states: &Map<String, Value>) -> BTreeSet<String> {
    let within = |state: &'_ Value| -> Vec<String> {
        let lists = ["Choices", "Catch"].into_iter();
        let lists = lists.filter_map(|list| state.get(list)?.as_array());
        let maps = lists.flatten().chain([state]);
        let maps = maps.filter_map(|part| part.get("Assign")?.as_object());
        maps.flat_map(Map::keys).cloned().collect()
    };
    states.values().flat_map(within).collect()
}

fn read_machine<'a>(
    reading: &mut Reading<'a>,
    document: &'a Map<String, Value>,
    states: &'a Map<String, Value>,
) -> Option<StateMachine> {
    let top = Fields::new(None, document);
    check_document(reading, &top, states);
    graph::reject_placeholders(reading, document);
    let start_at = top.read_target(reading, "StartAt");
    let timeout_seconds = top.read_integer(reading, "TimeoutSeconds", 1..=MAX_SECONDS);
    let states: Vec<_> = states
        .iter()
        .map(|(name, value)| read_state(reading, name, value))
        .collect();
    let states: Option<Vec<State>> = states.into_iter().collect();
    let machine = StateMachine {
        states: states?,
        start_at: start_at?,
        timeout_seconds,
    };
    graph::reject_unreachable(reading, &machine);
    Some(machine)
}

/// Checks the fields at the top that say nothing about a state.
fn check_document(reading: &mut Reading<'_>, top: &Fields<'_>, states: &Map<String, Value>) {
    let allowed = "Comment QueryLanguage StartAt States TimeoutSeconds Version";
    top.reject_unknown(reading, allowed);
    match top.field_value("QueryLanguage").and_then(Value::as_str) {
        Some("JSONata") => {}
        Some(other) => {
            let message = format!("{other:?} is not implemented, only \"JSONata\"");
            top.report(reading, "QueryLanguage", message);
        }
        None => top.report(reading, "QueryLanguage", "must be \"JSONata\""),
    }
    if top
        .field_value("Version")
        .is_some_and(|version| version != "1.0")
    {
        top.report(reading, "Version", "must be \"1.0\"");
    }
    if states.is_empty() {
        top.report(
            reading,
            "States",
            "must be an object with at least one state",
        );
    }
}

fn read_state<'a>(reading: &mut Reading<'a>, name: &'a str, value: &'a Value) -> Option<State> {
    if name.is_empty() || name.chars().count() > 80 {
        reading.report(Some(name), "", "the name of a state has 1 to 80 characters");
    }
    let Some(map) = value.as_object() else {
        reading.report(Some(name), "", "must be an object");
        return None;
    };
    let fields = Fields::new(Some(name), map);
    if fields
        .field_value("QueryLanguage")
        .is_some_and(|language| language != "JSONata")
    {
        fields.report(reading, "QueryLanguage", "only \"JSONata\" is implemented");
    }
    let kind = match fields.read_required_text(reading, "Type")? {
        "Task" => task::read_task(reading, &fields).map(|task| Kind::Task(Box::new(task))),
        "Choice" => states::read_choice(reading, &fields),
        "Wait" => states::read_wait(reading, &fields),
        "Pass" => states::read_pass(reading, &fields),
        "Succeed" => Some(states::read_succeed(reading, &fields)),
        "Fail" => Some(states::read_fail(reading, &fields)),
        known @ ("Map" | "Parallel") => {
            fields.report(reading, "Type", format!("{known} is not implemented"));
            None
        }
        other => {
            fields.report(reading, "Type", format!("there is no state type {other:?}"));
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
    fn next_states(&self) -> Vec<StateId> {
        let after = |after: &Transition| match after {
            Transition::Next(next) => vec![*next],
            Transition::End => Vec::new(),
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

//! What a backfill's execution is started with, as `infra/backfill.asl.json` reads it.

use definition::{Definition, Window};
use delivery::ScheduledEvent;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::pause::Pause;
use crate::arn::MachineArn;
use crate::error::CommandError;
use crate::execution_input::write_definition;

/// The largest input, counted as the text within a text that a continuation gives it as. Step Functions accepts 262,144 bytes; the
/// rest is for what a continuation adds, and for the fields beside it.
const MAX_QUOTED_BYTES: usize = 240_000;

/// The definition is there once, and the windows are a list of texts, so that thousands fit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackfillInput {
    v: u32,
    pub(crate) id: String,
    /// Which execution of the backfill it is; each hands over to the next.
    part: u32,
    pub(crate) tenant: String,
    pub(crate) report: String,
    pub(crate) at_once: u32,
    pub(crate) max_failures: u32,
    pub(crate) pause: Pause,
    /// The event of a window, without its time and its window.
    event: Value,
    /// Each `START/END/TIME`, in the order in which they are asked for. The time is that of its event.
    windows: Vec<String>,
    came: Came,
}

/// How far the executions before came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Came {
    next: u32,
    running: Vec<String>,
    failed: Vec<String>,
}

/// How windows are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BackfillPace {
    pub(crate) at_once: u32,
    pub(crate) max_failures: u32,
    /// In words, for programs.
    #[serde(rename = "notBetween", serialize_with = "write_pause")]
    #[schemars(with = "Option<String>")]
    pub(crate) pause: Pause,
}

fn write_pause<S: Serializer>(pause: &Pause, serializer: S) -> Result<S::Ok, S::Error> {
    pause.describe().serialize(serializer)
}

impl BackfillInput {
    /// Asks for these windows in this order. The id says when, to the second.
    pub(crate) fn new(
        definition: &Definition,
        windows: &[Window],
        pace: &BackfillPace,
        machine: &MachineArn,
        now: Timestamp,
    ) -> Self {
        let event = ScheduledEvent::new(write_definition(definition), now)
            .with_origin(machine.account(), machine.region());
        let windows = windows.iter();
        Self {
            v: 1,
            id: now.strftime("bf-%Y%m%d-%H%M%S").to_string(),
            part: 1,
            tenant: definition.pipeline.tenant.to_string(),
            report: definition.name.to_string(),
            at_once: pace.at_once,
            max_failures: pace.max_failures,
            pause: pace.pause.clone(),
            event: event.to_json(),
            windows: windows
                .map(|window| format!("{window}/{}", definition.settled_at(window)))
                .collect(),
            came: Came::default(),
        }
    }

    /// The input on one line, unless one backfill can't take so many windows.
    pub(crate) fn to_json(&self) -> Result<String, CommandError> {
        let text = serde_json::to_string(self).unwrap_or_default();
        let quoted = Value::from(text.as_str()).to_string().len();
        if quoted <= MAX_QUOTED_BYTES {
            return Ok(text);
        }
        let count = self.windows.len();
        let each = self
            .windows
            .first()
            .map_or(1, |it| it.len() + "\\\"\\\",".len());
        let fits = count.saturating_sub((quoted - MAX_QUOTED_BYTES).div_ceil(each));
        Err(CommandError::TooManyWindows { count, fits })
    }

    /// The windows, in the order in which they are asked for.
    pub(crate) fn windows(&self) -> Vec<Window> {
        let windows = self.windows.iter();
        windows.filter_map(|text| read_window(text)).collect()
    }
}

fn read_window(text: &str) -> Option<Window> {
    let mut times = text.split('/').map(str::parse::<Timestamp>);
    let (start, end) = (times.next()?.ok()?, times.next()?.ok()?);
    Window::new(start, end).ok()
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const REPORT: &str = include_str!("../../../../infra/reports/daily-agent-performance.json");

    fn input(days: i64) -> (Vec<Window>, BackfillInput) {
        let definition = Definition::parse(REPORT).unwrap().definition;
        let now: Timestamp = "2026-11-28T22:51:03Z".parse().unwrap();
        let newest: Timestamp = "2026-11-27T00:00:00Z".parse().unwrap();
        let day = SignedDuration::from_hours(24);
        let start = |back: i64| newest - SignedDuration::from_hours(24 * back);
        let windows: Vec<Window> = (0..days)
            .map(|back| Window::new(start(back), start(back) + day).unwrap())
            .collect();
        let pace = BackfillPace {
            at_once: 2,
            max_failures: 5,
            pause: Pause::around_run(&definition),
        };
        let machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:reports";
        let input =
            BackfillInput::new(&definition, &windows, &pace, &machine.parse().unwrap(), now);
        (windows, input)
    }

    #[test]
    fn windows_come_back_as_they_were_and_the_pause_is_around_the_run() {
        let (windows, input) = input(3);
        assert_eq!(input.id, "bf-20261128-225103");
        assert_eq!(
            input.windows[0],
            "2026-11-27T00:00:00Z/2026-11-28T00:00:00Z/2026-11-28T05:00:00Z"
        );
        assert_eq!(input.windows(), windows);
        assert_eq!(input.pause.describe().unwrap(), "05:00 and 07:00 UTC");
        let json = input.to_json().unwrap();
        assert_eq!(serde_json::from_str::<BackfillInput>(&json).unwrap(), input);
    }

    #[test]
    fn what_fits_is_said_where_there_is_too_much() {
        assert!(input(365).1.to_json().unwrap().len() < 32_000);
        let error = input(4_000).1.to_json().unwrap_err();
        let CommandError::TooManyWindows { count: 4_000, fits } = error else {
            panic!("{error}");
        };
        assert!(fits > 3_000, "{fits}");
        let fits = i64::try_from(fits).unwrap();
        assert!(input(fits).1.to_json().is_ok());
    }
}

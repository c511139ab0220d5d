//! Why a window can't be delivered beside the ones that are.

use definition::text::list_first;
use definition::{Definition, Window, WindowNaming, label_window};

use crate::documents::Commit;
use crate::missing::quote_address;
use crate::{Failure, FailureName};

/// At most so many windows are named.
const HELD_MAX: usize = 10;

/// A window stands in the way of another one.
#[derive(Debug, thiserror::Error)]
pub(super) enum OverlapError {
    #[error(
        "the window {asked} overlaps {held}, which version {version} delivered, and does not cover it: consumers would hold the rows of both twice. Ask for {covering}, or take {held} back with `cxr withdraw` first"
    )]
    Crossing {
        asked: Window,
        held: Window,
        version: u64,
        covering: String,
    },
    #[error(
        "the window {asked} lies within {held}, which version {version} delivered: its rows are there already. To fetch them again, `cxr replay` {held}; to deliver it in smaller windows, take {held} back with `cxr withdraw` first"
    )]
    Within {
        asked: Window,
        held: Window,
        version: u64,
    },
    #[error(
        "the window {asked} can't be withdrawn, because it is not among the delivered ones: in its place {held}. Withdraw {what}"
    )]
    NotThisOne {
        asked: Window,
        held: String,
        what: &'static str,
    },
}

impl OverlapError {
    /// Why a window can't be delivered beside this one, which it does not cover.
    pub(super) fn beside(asked: Window, held: &Commit) -> Self {
        let (version, held) = (held.version, held.window);
        if held.contains(&asked) {
            return Self::Within {
                asked,
                held,
                version,
            };
        }
        let both = Window::new(asked.start().min(held.start()), asked.end().max(held.end()));
        Self::Crossing {
            asked,
            held,
            version,
            covering: both.map_or_else(
                |_| "a window that covers it".to_owned(),
                |both| format!("{both}, which covers both"),
            ),
        }
    }

    /// Why a window can't be withdrawn while these are delivered; none where there are none.
    pub(super) fn withdrawal(asked: Window, held: &[&Commit]) -> Option<Self> {
        let what = match held.len() {
            0 => return None,
            1 => "that window",
            _ => "those windows",
        };
        let held: Vec<String> = held
            .iter()
            .map(|held| format!("version {} delivered {}", held.version, held.window))
            .collect();
        Some(Self::NotThisOne {
            asked,
            held: list_first(&held, HELD_MAX),
            what,
        })
    }
}

/// What gets a window committed that is not.
pub(super) fn retry_command(definition: &Definition, window: &Window) -> String {
    let (tenant, report) = (&definition.pipeline.tenant, &definition.name);
    let address = quote_address(tenant.as_str(), report.as_str());
    let label = label_window(window, &WindowNaming::new(Some(definition)));
    format!("cxr retry {address} {label} --watch")
}

/// Why a window needs no delivery of its own.
pub(super) fn describe_covering(held: &Commit, window: &Window) -> String {
    format!(
        "version {} delivered {}, which covers {window}",
        held.version, held.window
    )
}

impl From<OverlapError> for Failure {
    fn from(error: OverlapError) -> Self {
        Self::new(FailureName::Config, error.to_string())
    }
}

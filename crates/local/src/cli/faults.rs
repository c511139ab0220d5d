//! The simulated tenant's faults.

use cxone_sim::{Fault, ParseFaultError};

use crate::terminal::Terminal;

/// Lists the faults with their parameters.
pub(crate) fn list(terminal: &Terminal) {
    terminal.line("--fault NAME[:key=value[,key=value]]");
    terminal.line("each also takes times=N|forever, at=N (the first request that it acts on) and run=N; those of requests take on=KIND|KIND and page=N");
    terminal.line("");
    for fault in Fault::catalogue() {
        terminal.line(&format!("{:<22} {}", fault.name, fault.about));
        for parameter in fault.parameters {
            let values = if parameter.choices.is_empty() {
                parameter.default.to_owned()
            } else {
                parameter.choices.join(" | ")
            };
            terminal.line(&format!("{:<22}   {}={values}", "", parameter.name));
        }
    }
}

/// Why a text is no fault; for a name that there is not, the nearest one instead of all of them.
pub(crate) fn explain(spec: &str, error: &ParseFaultError) -> String {
    let name = spec.split(':').next().unwrap_or(spec);
    let names = || Fault::catalogue().iter().map(|fault| fault.name);
    if names().any(|known| known == name) {
        return error.to_string();
    }
    let nearest = names().max_by(|one, other| {
        let one = strsim::jaro_winkler(name, one);
        one.total_cmp(&strsim::jaro_winkler(name, other))
    });
    format!(
        "there is no fault {name:?}; is it {:?}?",
        nearest.unwrap_or_default()
    )
}

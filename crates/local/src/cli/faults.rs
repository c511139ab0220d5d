//! The simulated tenant's faults.

use cxone_sim::{Api, Fault, FaultEntry as Entry, ParseFaultError};

use crate::terminal::Terminal;

/// Lists the faults with their parameters.
pub(crate) fn list(terminal: &Terminal) {
    terminal.line("--fault NAME[:key=value[,key=value]]");
    terminal.line("each also takes times=N|forever, at=N (the first request that it acts on) and run=N; those of requests take on=KIND|KIND and page=N");
    terminal.line("");
    let of_all = |fault: &&Entry| fault.apis.len() == Api::ALL.len();
    section(
        terminal,
        "all APIs",
        Fault::of(Api::Analytics).filter(of_all),
    );
    for api in Api::ALL {
        section(
            terminal,
            api.name(),
            Fault::of(api).filter(|fault| !of_all(fault)),
        );
    }
}

fn section(terminal: &Terminal, title: &str, faults: impl Iterator<Item = &'static Entry>) {
    terminal.line(&format!("{title}:"));
    for fault in faults {
        terminal.line(&format!("  {:<22} {}", fault.name, fault.about));
        for parameter in fault.parameters {
            let values = if parameter.choices.is_empty() {
                parameter.default.to_owned()
            } else {
                parameter.choices.join(" | ")
            };
            terminal.line(&format!("  {:<22}   {}={values}", "", parameter.name));
        }
    }
    terminal.line("");
}

/// Why a text is no fault; for a name that there is not, the nearest one instead of all of them.
pub(crate) fn explain(spec: &str, error: &ParseFaultError) -> String {
    let name = spec.split(':').next().unwrap_or(spec);
    let all = || Fault::catalogue().iter().chain(Fault::published());
    let names = || all().map(|fault| fault.name);
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

//! The simulated tenant's faults.

use cxone_sim::{Api, Fault, FaultEntry as Entry, Parameter, ParseFaultError};

use crate::terminal::Terminal;

/// Prints every fault once, below the APIs that it can happen to.
pub(crate) fn print_list(terminal: &Terminal) {
    terminal.line("--fault NAME[:key=value[,key=value]]");
    terminal.line(
        "each also takes times=N|forever, at=N (the first request that it acts on) and run=N; faults of requests take on=KIND|KIND and page=N",
    );
    let mut groups: Vec<(&[Api], Vec<&Entry>)> = Vec::new();
    for fault in all_faults() {
        match groups.iter_mut().find(|(apis, _)| *apis == fault.apis) {
            Some((_, faults)) => faults.push(fault),
            None => groups.push((fault.apis, vec![fault])),
        }
    }
    for (apis, faults) in groups {
        terminal.line("");
        print_group(terminal, apis, &faults);
    }
}

fn print_group(terminal: &Terminal, apis: &[Api], faults: &[&Entry]) {
    let names: Vec<&str> = apis.iter().map(|api| api.name()).collect();
    let title = if apis.len() == Api::ALL.len() {
        "all APIs".to_owned()
    } else {
        names.join(", ")
    };
    terminal.line(&format!("{title}:"));
    for fault in faults {
        terminal.line(&format!("  {:<22} {}", fault.name, fault.about));
        let parameters: Vec<String> = fault.parameters.iter().map(describe_parameter).collect();
        if !parameters.is_empty() {
            terminal.line(&format!("  {:<22}   {}", "", parameters.join("  ")));
        }
    }
}

fn describe_parameter(parameter: &Parameter) -> String {
    let values = if parameter.choices.is_empty() {
        parameter.default.to_owned()
    } else {
        parameter.choices.join("|")
    };
    format!("{}={values}", parameter.name)
}

fn all_faults() -> impl Iterator<Item = &'static Entry> {
    Fault::catalogue().iter().chain(Fault::published())
}

/// Why a text is not a fault; for an unknown name it proposes the most similar one.
pub(crate) fn explain_error(spec: &str, error: &ParseFaultError) -> String {
    let name = spec.split(':').next().unwrap_or(spec);
    let names = || all_faults().map(|fault| fault.name);
    if names().any(|known| known == name) {
        return error.to_string();
    }
    let nearest = names().max_by(|one, other| {
        let one = strsim::jaro_winkler(name, one);
        one.total_cmp(&strsim::jaro_winkler(name, other))
    });
    format!(
        "unknown fault {name:?}; did you mean {:?}?",
        nearest.unwrap_or_default()
    )
}

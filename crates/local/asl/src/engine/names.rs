//! ARNs and names.

use super::errors::{RegisterError, StartError};

/// Characters that a name must not contain, besides white space and control characters.
const FORBIDDEN: &str = "<>{}[]?*\"#%\\^|~`$&,;:/";

/// The name in the ARN of a state machine.
pub(super) fn parse_machine_name(arn: &str) -> Result<&str, RegisterError> {
    let parts: Vec<_> = arn.split(':').collect();
    match parts[..] {
        [
            "arn",
            partition,
            "states",
            region,
            account,
            "stateMachine",
            name,
        ] if [partition, region, account]
            .iter()
            .all(|part| !part.is_empty())
            && is_legal_name(name) =>
        {
            Ok(name)
        }
        _ => Err(RegisterError(arn.to_owned())),
    }
}

/// The name itself, if an execution may have it.
pub(super) fn check_execution_name(name: &str) -> Result<&str, StartError> {
    if is_legal_name(name) {
        Ok(name)
    } else {
        Err(StartError::InvalidName(name.to_owned()))
    }
}

/// The ARN of an execution of a machine.
pub(super) fn make_execution_arn(machine_arn: &str, name: &str) -> String {
    format!(
        "{}:{name}",
        machine_arn.replacen(":stateMachine:", ":execution:", 1)
    )
}

fn is_legal_name(name: &str) -> bool {
    let forbidden = |c: char| {
        c.is_whitespace()
            || c.is_control()
            || FORBIDDEN.contains(c)
            || ('\u{FFFE}'..='\u{FFFF}').contains(&c)
    };
    (1..=80).contains(&name.chars().count()) && !name.contains(forbidden)
}

//! The ARNs of the state machine and of its executions.

use std::str::FromStr;

use crate::error::CommandError;

/// The ARN of a state machine: `arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MachineArn(String);

impl FromStr for MachineArn {
    type Err = CommandError;

    fn from_str(text: &str) -> Result<Self, CommandError> {
        let parts: Vec<&str> = text.split(':').collect();
        match parts[..] {
            ["arn", _, "states", _, _, "stateMachine", name] if !name.is_empty() => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(CommandError::StateMachine {
                problem: format!(
                    "{} is not the ARN of a state machine",
                    definition::text::quote(text)
                ),
            }),
        }
    }
}

impl MachineArn {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn region(&self) -> &str {
        self.part(3)
    }

    pub(crate) fn account(&self) -> &str {
        self.part(4)
    }

    /// The ARN of an execution of this state machine, given its name or its ARN.
    pub(crate) fn execution_arn(&self, name_or_arn: &str) -> String {
        if name_or_arn.starts_with("arn:") {
            return name_or_arn.to_owned();
        }
        let machine = self.0.replacen(":stateMachine:", ":execution:", 1);
        format!("{machine}:{name_or_arn}")
    }

    fn part(&self, index: usize) -> &str {
        self.0.split(':').nth(index).unwrap_or_default()
    }
}

/// Refuses the ARN of a state machine in the place of an execution.
pub(crate) fn refuse_machine(execution: &str) -> Result<(), CommandError> {
    if !execution.contains(":stateMachine:") {
        return Ok(());
    }
    Err(CommandError::NotAnExecution {
        text: execution.to_owned(),
        hint: "this is the state machine; cxr status shows the reports, cxr list the executions"
            .to_owned(),
    })
}

/// The last part of an execution's ARN.
pub(crate) fn name_of(execution: &str) -> &str {
    execution.rsplit(':').next().unwrap_or(execution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_execution_is_given_by_name_or_arn() {
        let machine: MachineArn = "arn:aws:states:eu-central-1:123456789012:stateMachine:reports"
            .parse()
            .unwrap();
        let arn = "arn:aws:states:eu-central-1:123456789012:execution:reports:run-1";
        assert_eq!(machine.execution_arn("run-1"), arn);
        assert_eq!(machine.execution_arn(arn), arn);
        assert_eq!(
            (machine.region(), machine.account()),
            ("eu-central-1", "123456789012")
        );
        assert_eq!(name_of(arn), "run-1");
    }

    #[test]
    fn another_arn_is_no_state_machine() {
        for text in [
            "",
            "reports",
            "arn:aws:states:r:1:execution:reports:x",
            "arn:aws:states:r:1:stateMachine:",
        ] {
            assert_eq!(
                text.parse::<MachineArn>().unwrap_err().code(),
                "CXO006",
                "{text}"
            );
        }
    }
}

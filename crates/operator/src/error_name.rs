//! The names of errors as people type them.

use delivery::FailureName;

use crate::error::CommandError;

/// What the names of errors begin with that are not ours.
const OF_AWS: [&str; 4] = ["States.", "Lambda.", "Sandbox.", "Runtime."];

/// The error that a text names: one of ours with or without `Cxone.`, in whatever case, or one of AWS's.
pub(crate) fn find_error_name(text: &str) -> Result<String, CommandError> {
    let ours = FailureName::ALL.iter().map(|name| name.as_str());
    let mut named = ours.clone().filter(|name| {
        let short = name.strip_prefix("Cxone.").unwrap_or(name);
        name.eq_ignore_ascii_case(text) || short.eq_ignore_ascii_case(text)
    });
    if let Some(name) = named.next() {
        return Ok(name.to_owned());
    }
    if is_of_aws(text) || text == STOPPED {
        return Ok(text.to_owned());
    }
    let known: Vec<&str> = ours.collect();
    Err(CommandError::ErrorName {
        text: text.to_owned(),
        known: known.join(", "),
    })
}

/// Whether Step Functions or Lambda says it, and not one of our functions.
pub(crate) fn is_of_aws(error: &str) -> bool {
    OF_AWS.iter().any(|prefix| error.starts_with(prefix))
}

/// The error of executions that `cxr cancel` stopped.
pub(crate) const STOPPED: &str = "cxr.Cancelled";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_named_with_or_without_its_prefix() {
        for (text, expected) in [
            ("Auth", Some("Cxone.Auth")),
            ("cxone.auth", Some("Cxone.Auth")),
            ("runsexhausted", Some("Cxone.RunsExhausted")),
            (
                "Lambda.TooManyRequestsException",
                Some("Lambda.TooManyRequestsException"),
            ),
            ("cxr.Cancelled", Some("cxr.Cancelled")),
            ("Oath", None),
            ("Cxone.", None),
            ("", None),
        ] {
            let found = find_error_name(text).ok();
            assert_eq!(found.as_deref(), expected, "{text}");
        }
        let error = find_error_name("Oath").unwrap_err();
        assert_eq!((error.code(), error.exit_code()), ("CXO032", 2));
        assert!(error.to_string().contains("Cxone.Conflict"), "{error}");
    }
}

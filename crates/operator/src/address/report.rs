//! Which report a text means: its name, what its key or its execution is called after it, or the unique beginning of one.

use crate::error::CommandError;

/// What a report is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReportNames {
    pub(crate) tenant: String,
    pub(crate) report: String,
}

/// Lower-case letters and digits, with `-` for everything between.
pub(crate) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() {
            slug.push(letter.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}

impl ReportNames {
    /// What it is called on the command line among all reports: as short as it may be, and fit to be copied.
    pub(crate) fn address(&self, all: &[Self]) -> String {
        let slug = slug(&self.report);
        let candidates = [slug.clone(), format!("{}/{slug}", self.tenant)];
        let mut short = candidates.into_iter().filter(|address| {
            !slug.is_empty() && find_report(address, all).is_ok_and(|found| found == self)
        });
        short.next().unwrap_or_else(|| {
            let quoted = self.report.replace('\'', r"'\''");
            format!("'{}/{quoted}'", self.tenant)
        })
    }

    fn is_called(&self, text: &str, how: Match) -> bool {
        let full = format!("{}/{}", self.tenant, self.report);
        let slug_of_full = format!("{}/{}", self.tenant, slug(&self.report));
        let texts = [self.report.clone(), slug(&self.report), full, slug_of_full];
        texts.iter().any(|known| match how {
            Match::Whole => known == text,
            Match::Beginning => known.to_lowercase().starts_with(&text.to_lowercase()),
        })
    }
}

#[derive(Clone, Copy)]
enum Match {
    Whole,
    Beginning,
}

/// The report that a text means. What is whole wins over what only begins so.
pub(crate) fn find_report<'r>(
    text: &str,
    all: &'r [ReportNames],
) -> Result<&'r ReportNames, CommandError> {
    if text.is_empty() {
        return Err(unknown(text, all));
    }
    for how in [Match::Whole, Match::Beginning] {
        let found: Vec<&ReportNames> = all.iter().filter(|it| it.is_called(text, how)).collect();
        match found[..] {
            [] => {}
            [one] => return Ok(one),
            _ => {
                return Err(CommandError::AmbiguousReport {
                    text: text.to_owned(),
                    candidates: list(&found),
                });
            }
        }
    }
    Err(unknown(text, all))
}

fn unknown(text: &str, all: &[ReportNames]) -> CommandError {
    CommandError::UnknownReport {
        text: text.to_owned(),
        known: describe_known(all),
    }
}

fn describe_known(all: &[ReportNames]) -> String {
    if all.is_empty() {
        return "there are none yet; cxr list --failed shows executions that failed before anything was stored".to_owned();
    }
    let known = list(&all.iter().collect::<Vec<_>>());
    format!("there are: {known}. Write a name, or the beginning of one")
}

/// At most so many reports are named in an error.
const NAMED_MAX: usize = 10;

fn list(reports: &[&ReportNames]) -> String {
    let names = reports.iter();
    let names: Vec<String> = names
        .map(|it| format!("{}/{}", it.tenant, slug(&it.report)))
        .collect();
    definition::text::list_first(&names, NAMED_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<ReportNames> {
        [
            ("acme", "Daily Agent Performance"),
            ("acme", "Daily Agent Performance (all)"),
            ("acme", "Weekly Agents"),
            ("globex", "Weekly Agents"),
            ("globex", "報告"),
        ]
        .map(|(tenant, report)| ReportNames {
            tenant: tenant.to_owned(),
            report: report.to_owned(),
        })
        .to_vec()
    }

    #[test]
    fn a_report_is_found_by_name_slug_or_unique_beginning() {
        let all = all();
        for (text, expected) in [
            ("Daily Agent Performance", Ok(0)),
            ("daily-agent-performance", Ok(0)),
            ("daily-agent-performance-all", Ok(1)),
            ("Daily Agent Performance (", Ok(1)),
            ("acme/Weekly Agents", Ok(2)),
            ("globex/weekly", Ok(3)),
            ("報", Ok(4)),
            ("weekly-agents", Err("CXO025")),
            ("daily", Err("CXO025")),
            ("monthly", Err("CXO024")),
            ("", Err("CXO024")),
        ] {
            let found = find_report(text, &all).map_err(|error| error.code());
            assert_eq!(found, expected.map(|index: usize| &all[index]), "{text}");
        }
    }

    #[test]
    fn where_there_is_no_report_it_is_said() {
        let error = find_report("daily", &[]).unwrap_err();
        assert_eq!(error.code(), "CXO024");
        let told = "no report is called \"daily\"; there are none yet; cxr list --failed";
        assert!(error.to_string().starts_with(told), "{error}");
    }

    #[test]
    fn every_report_is_found_by_its_address() {
        let all = all();
        let addresses: Vec<String> = all.iter().map(|it| it.address(&all)).collect();
        assert_eq!(
            addresses,
            [
                "daily-agent-performance",
                "daily-agent-performance-all",
                "acme/weekly-agents",
                "globex/weekly-agents",
                "'globex/報告'"
            ]
        );
        for (address, names) in addresses.iter().zip(&all) {
            let typed = address.trim_matches('\'');
            assert_eq!(find_report(typed, &all).unwrap(), names);
        }
    }
}

//! The `report` blocks of the APIs that CXone publishes.

use std::str::FromStr;

use super::Walk;
use crate::IdError;
use crate::finding::shown;
use crate::raw::{ContactsDraft, DataDownloadDraft, DataExtractionDraft, ReportJobsDraft};
use crate::{
    ContactsReport, DataDownloadReport, DataExtractionReport, FindingCode, RangeOf,
    ReportJobsReport, Schedule,
};

/// Versions of the API that have been seen are 10 to 34; a later one is believed.
const VERSIONS: std::ops::RangeInclusive<i64> = 10..=99;
/// The last version in which a report job took dates.
const LAST_WITH_DATES: u16 = 13;
/// The longest name of a column, in bytes, as for a file's header.
const MAX_NAME: usize = 256;
const RANGE: &str = "/report/range";

impl Walk<'_> {
    pub(super) fn report_jobs(
        &mut self,
        draft: &ReportJobsDraft,
        schedule: Option<&Schedule>,
    ) -> Option<ReportJobsReport> {
        let report_id = self.id("/report/reportId", draft.report_id.as_ref());
        let api_version = self.api_version(draft.api_version);
        let range = self.range_of(draft.range.as_deref(), api_version);
        let columns = self.file_columns("/report/columns", draft.columns.as_deref());
        let total_labels = self.file_columns("/report/totalLabels", draft.total_labels.as_deref());
        let date_range = self.date_range(draft.date_range.as_ref(), schedule);
        Some(ReportJobsReport {
            report_id: report_id?,
            api_version: api_version?,
            range: range?,
            columns,
            total_labels,
            date_range: date_range?,
        })
    }

    pub(super) fn data_extraction(
        &mut self,
        draft: &DataExtractionDraft,
        schedule: Option<&Schedule>,
    ) -> Option<DataExtractionReport> {
        let entity_name = self.id("/report/entityName", draft.entity_name.as_ref());
        let entity_version = self.id("/report/entityVersion", draft.entity_version.as_ref());
        let columns = self.file_columns("/report/columns", draft.columns.as_deref());
        let end_date =
            (draft.end_date.as_deref()).and_then(|text| self.word("/report/endDate", Some(text)));
        let date_range = self.date_range(draft.date_range.as_ref(), schedule);
        Some(DataExtractionReport {
            entity_name: entity_name?,
            entity_version: entity_version?,
            columns,
            end_date,
            date_range: date_range?,
        })
    }

    pub(super) fn data_download(
        &mut self,
        draft: &DataDownloadDraft,
        schedule: Option<&Schedule>,
    ) -> Option<DataDownloadReport> {
        let report_id = self.id("/report/reportId", draft.report_id.as_ref());
        let api_version = self.api_version(draft.api_version);
        let utc_offset = self.utc_offset(draft.utc_offset.as_ref());
        let columns = self.file_columns("/report/columns", draft.columns.as_deref());
        let date_range = self.date_range(draft.date_range.as_ref(), schedule);
        Some(DataDownloadReport {
            report_id: report_id?,
            api_version: api_version?,
            utc_offset: utc_offset?,
            columns,
            date_range: date_range?,
        })
    }

    pub(super) fn contacts(
        &mut self,
        draft: &ContactsDraft,
        schedule: Option<&Schedule>,
    ) -> Option<ContactsReport> {
        let api_version = self.api_version(draft.api_version);
        let columns = self.file_columns("/report/columns", draft.columns.as_deref());
        let date_range = self.date_range(draft.date_range.as_ref(), schedule);
        Some(ContactsReport {
            api_version: api_version?,
            columns,
            date_range: date_range?,
        })
    }

    /// A name that goes into a URL or a request.
    fn id<I: FromStr<Err = IdError>>(&mut self, at: &str, text: Option<&String>) -> Option<I> {
        let id = self.required(at, text)?.parse::<I>();
        if let Err(error) = &id {
            self.say(FindingCode::IdInvalid, at, error.to_string(), "");
        }
        id.ok()
    }

    fn api_version(&mut self, number: Option<i64>) -> Option<u16> {
        let at = "/report/apiVersion";
        let number = *self.required(at, number.as_ref())?;
        if !VERSIONS.contains(&number) {
            let message = format!("{number} is not 10 to 99");
            let hint = "the N of /inContactAPI/services/vN.0, such as 34";
            self.say(FindingCode::ApiVersionInvalid, at, message, hint);
            return None;
        }
        u16::try_from(number).ok()
    }

    fn utc_offset(&mut self, text: Option<&String>) -> Option<crate::utc_offset::UtcOffset> {
        let at = "/report/utcOffset";
        let offset = self.required(at, text)?.parse();
        if let Err(error) = &offset {
            let error: &crate::utc_offset::UtcOffsetError = error;
            let hint = "the API user's time zone without daylight saving, such as \"-07:00\": data download reads its \
                        dates in it";
            self.say(FindingCode::UtcOffsetInvalid, at, error.to_string(), hint);
        }
        offset.ok()
    }

    /// Whose range it is has to be said, because the API no longer asks.
    fn range_of(&mut self, word: Option<&str>, api_version: Option<u16>) -> Option<RangeOf> {
        let takes_dates = api_version.is_some_and(|version| version <= LAST_WITH_DATES);
        if word.is_none() && api_version.is_some() && !takes_dates && !self.is_spoiled(RANGE) {
            self.template_only("it is not said whose range the file is about".to_owned());
            return None;
        }
        let range = self.word(RANGE, word)?;
        if let (RangeOf::Dates, Some(version), false) = (range, api_version, takes_dates) {
            self.template_only(format!("version {version} takes no dates"));
        }
        Some(range)
    }

    fn template_only(&mut self, message: String) {
        let hint = "from version 14 on a report job takes no dates: the range of the report's template is the window, \
                    whatever dateRange says. Write \"range\": \"template\", give the template the same range as \
                    dateRange, and mind that it is in the business unit's time zone";
        self.say(FindingCode::TemplateRange, RANGE, message, hint);
    }

    fn file_columns(&mut self, at: &str, list: Option<&[String]>) -> Vec<String> {
        let Some(list) = list else { return Vec::new() };
        self.not_empty(at, list);
        self.duplicates(at, list);
        for (i, name) in list.iter().enumerate() {
            let fits = (1..=MAX_NAME).contains(&name.len()) && !name.contains(char::is_control);
            if !fits {
                let message = format!("{:?} can't be a column", shown(name));
                let hint = "1 to 256 bytes without control characters";
                self.say(
                    FindingCode::ColumnInvalid,
                    format!("{at}/{i}"),
                    message,
                    hint,
                );
            }
        }
        list.to_vec()
    }
}

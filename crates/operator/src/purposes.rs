//! What executions were started for. That never changes, so that it is kept and asked for once.

use std::collections::BTreeMap;
use std::path::Path;

use definition::{ReportName, TenantId, Window};
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bucket::ObjectCache;
use crate::error::CommandError;
use crate::request::Request;
use crate::state::KnownReport;
use crate::step_functions::{ExecutionDetail, ExecutionSummary, Executions};

/// So many executions are asked for their input at once.
const DESCRIBED_AT_ONCE: usize = 8;

/// At most so many are asked for a list. Those that are older are listed without what they were for.
const DESCRIBED_MAX: usize = 100;

/// What an execution was started for.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Purpose {
    tenant: Option<String>,
    report: Option<String>,
    window: Option<Window>,
    scheduled_at: Option<Timestamp>,
    /// Whether it only asked whether the window is there.
    expects: bool,
    /// Why it was to cancel the window's run, if it was.
    #[serde(default)]
    cancels: Option<String>,
}

/// The purposes of a state machine's executions.
pub(crate) struct Purposes {
    cache: ObjectCache,
}

impl Purposes {
    pub(crate) fn open(executions: &Executions, cache: Option<&Path>) -> Self {
        Self {
            cache: ObjectCache::open(cache, executions.machine().as_str()),
        }
    }

    pub(crate) fn get(&self, execution: &str) -> Option<Purpose> {
        self.cache.get(execution, None)
    }

    pub(crate) fn save(&mut self) {
        self.cache.save();
    }

    /// What some executions were started for, as far as that is known or quickly asked.
    pub(crate) async fn read(
        &mut self,
        executions: &Executions,
        summaries: &[&ExecutionSummary],
    ) -> Result<BTreeMap<String, Request>, CommandError> {
        let is_new = |summary: &&&ExecutionSummary| self.get(&summary.arn).is_none();
        let new = summaries.iter().filter(is_new).take(DESCRIBED_MAX).copied();
        let new: Vec<&ExecutionSummary> = new.collect();
        self.describe_new(executions, &new, |_| ()).await?;
        self.save();
        let known = summaries.iter().filter_map(|summary| {
            let purpose = self.get(&summary.arn)?;
            Some((summary.arn.clone(), purpose.into_request()))
        });
        Ok(known.collect())
    }

    /// Asks for the purposes that are not known yet, and hands out what else is wanted of them.
    pub(crate) async fn describe_new<T>(
        &mut self,
        executions: &Executions,
        summaries: &[&ExecutionSummary],
        keep: impl Fn(ExecutionDetail) -> T,
    ) -> Result<BTreeMap<String, T>, CommandError> {
        let is_new = |summary: &&&ExecutionSummary| self.get(&summary.arn).is_none();
        let new: Vec<ExecutionDetail> = futures_util::stream::iter(summaries.iter().filter(is_new))
            .map(|summary| executions.describe(&summary.arn))
            .buffered(DESCRIBED_AT_ONCE)
            .try_collect()
            .await?;
        let mut kept = BTreeMap::new();
        for detail in new {
            let arn = detail.summary.arn.clone();
            if let Ok(body) = serde_json::to_vec(&Purpose::of(&detail)) {
                self.cache.insert(&arn, "", &body);
            }
            kept.insert(arn, keep(detail));
        }
        Ok(kept)
    }
}

impl Purpose {
    fn of(detail: &ExecutionDetail) -> Self {
        let request = Request::from_input(&detail.input);
        Self {
            tenant: request.tenant,
            report: request.report,
            window: request.window,
            scheduled_at: request.scheduled_at,
            expects: request.expect.is_some(),
            cancels: request.cancel,
        }
    }

    /// Whether it was to get the window delivered or taken back.
    pub(crate) fn is_work(&self) -> bool {
        !self.expects && self.cancels.is_none()
    }

    /// The tenant and the report of a window, where all three are known.
    pub(crate) fn place(&self) -> Option<(TenantId, ReportName)> {
        let (tenant, report) = (self.tenant.as_ref()?, self.report.as_ref()?);
        self.window?;
        Some((tenant.parse().ok()?, report.parse().ok()?))
    }

    fn into_request(self) -> Request {
        Request {
            tenant: self.tenant,
            report: self.report,
            window: self.window,
            scheduled_at: self.scheduled_at,
            expect: self.expects.then(|| "delivered".to_owned()),
            cancel: self.cancels,
            ..Request::from_input("")
        }
    }

    /// The report and the window. Where the definition in the event is wrong, the one that is stored says which window was
    /// meant.
    pub(crate) fn find_window<'r>(
        &self,
        reports: &'r [KnownReport],
    ) -> Option<(&'r KnownReport, Window)> {
        let (tenant, name) = (self.tenant.as_deref()?, self.report.as_deref()?);
        let mut same = reports.iter();
        let report = same.find(|report| report.tenant() == tenant && report.report() == name)?;
        let meant = || {
            let definition = report.definition.as_ref()?;
            definition.window_for(self.scheduled_at?).ok()
        };
        Some((report, self.window.or_else(meant)?))
    }
}

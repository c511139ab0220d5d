//! `cxr doctor`: whether what is deployed can be reached with one's rights.

mod check;

pub(super) use check::Checks;

use std::collections::BTreeSet;

use aws_config::SdkConfig;
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use definition::text::list_first;
use delivery::documents::CommitPart;
use delivery::flow::find_held;
use jiff::Timestamp;

use crate::account::Deployment;
use crate::aws_setup::describe_credentials;
use crate::backfill::MACHINE_TAG;
use crate::bucket::{Bucket, PartPresence};
use crate::cloudwatch_logs::LOGS_TAG;
use crate::error::CommandError;
use crate::output::{Output, count_of};
use crate::place::{BUCKET_TAG, PREFIX_TAG, PlaceArgs, RETENTION_TAG};
use crate::scheduler::ScheduleGroup;
use crate::secrets_manager::Secrets;
use crate::step_functions::Executions;
use crate::survey::{LoggedReport, Survey};
use check::{Check, CheckState};

/// The tags of the state machine that `cxr` reads, of which one of an older version lacks some.
const OWN_TAGS: [&str; 5] = [BUCKET_TAG, PREFIX_TAG, RETENTION_TAG, LOGS_TAG, MACHINE_TAG];

/// At most so many schedules are named.
const NAMED_MAX: usize = 10;

/// Check whether the deployment can be reached: state machine, bucket, rights, the tenants' secrets, schedules.
///
/// Each line is ok, WARN, FAIL or not tried, with what to do. What was not asked is not tried, and never ok. Nothing is
/// written, and no value of a secret is read. Exit code 5 if a line is FAIL.
#[derive(Debug, Args)]
pub(super) struct DoctorArgs {
    /// What the names of the tenants' secrets begin with.
    #[arg(
        long,
        env = "CXONE_SECRET_PREFIX",
        default_value = "cxone/",
        value_name = "PREFIX",
        value_parser = NonEmptyStringValueParser::new()
    )]
    secret_prefix: String,
    #[command(flatten)]
    place: PlaceArgs,
}

impl DoctorArgs {
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        deployment: &Deployment,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let mut checks = vec![
            check_region(deployment),
            check_identity(&deployment.config).await,
        ];
        checks.push(check_executions(&deployment.executions, now).await);
        let reports = self.check_bucket(deployment, &mut checks).await;
        self.check_secrets(deployment, reports.as_deref(), now, &mut checks)
            .await;
        checks.push(check_schedules(deployment).await);
        checks.push(check_versions(&deployment.executions).await);
        let checks = Checks {
            checks,
            width: output.width(),
        };
        output.print(&checks)?;
        Ok(checks.exit_code())
    }

    /// The bucket's folders, log and rows: three kinds of rights. Gives the reports, if they could be read.
    async fn check_bucket(
        &self,
        deployment: &Deployment,
        checks: &mut Vec<Check>,
    ) -> Option<Vec<LoggedReport>> {
        let executions = Some(&deployment.executions);
        let place = match self.place.find(executions).await {
            Ok(place) => place,
            Err(error) => {
                checks.push(Check::failed("bucket", &error));
                return None;
            }
        };
        let survey = Survey {
            bucket: Bucket::new(&deployment.config, place, deployment.cache.clone()),
            executions: None,
            cache: deployment.cache.clone(),
        };
        let reports = match survey.read_logs().await {
            Ok(reports) => reports,
            Err(error) => {
                checks.push(Check::failed("bucket", &error));
                return None;
            }
        };
        let name = survey.bucket.name();
        checks.push(match reports.len() {
            0 => Check::new("bucket", CheckState::Warn, survey.bucket.describe_empty()),
            some => {
                let some = count_of(some, "report");
                Check::new(
                    "bucket",
                    CheckState::Ok,
                    format!("{name}: {some}, and their logs can be read"),
                )
            }
        });
        checks.push(check_rows(&survey.bucket, &reports).await);
        Some(reports)
    }

    /// The secrets of every tenant that has a report.
    async fn check_secrets(
        &self,
        deployment: &Deployment,
        reports: Option<&[LoggedReport]>,
        now: Timestamp,
        checks: &mut Vec<Check>,
    ) {
        let reports = reports.unwrap_or_default();
        let tenants: BTreeSet<&str> = reports.iter().map(|it| it.known.tenant()).collect();
        if tenants.is_empty() {
            let text = "the bucket names no tenant whose secrets could be looked for";
            checks.push(
                Check::new("secret", CheckState::NotTried, text).with_remedy("cxr tenant list"),
            );
        }
        let secrets = Secrets::new(&deployment.config);
        for tenant in tenants {
            let name = format!("{}{tenant}", self.secret_prefix);
            for name in [name.clone(), format!("{name}/token")] {
                checks.push(check_secret(&secrets, &name, tenant, now).await);
            }
        }
    }
}

fn check_region(deployment: &Deployment) -> Check {
    let region = deployment.config.region();
    let region = region.map_or("unknown", |region| region.as_ref());
    let machine = deployment.executions.machine().as_str();
    let text = format!("{region}, of the state machine {machine}");
    Check::new("region", CheckState::Ok, text)
}

/// Whose credentials these are, as far as they say it themselves.
async fn check_identity(config: &SdkConfig) -> Check {
    match describe_credentials(config).await {
        Some(text) => {
            Check::new("identity", CheckState::Ok, text).with_remedy("aws sts get-caller-identity")
        }
        None => Check::new("identity", CheckState::NotTried, "who you are for AWS")
            .with_remedy("aws sts get-caller-identity"),
    }
}

/// A deployment does not say its version, but one of an older version lacks a tag that this one reads.
async fn check_versions(executions: &Executions) -> Check {
    let version = env!("CARGO_PKG_VERSION");
    let tags = match executions.list_tags().await {
        Ok(tags) => tags,
        Err(error) => return Check::failed("versions", &error),
    };
    let has = |name: &str| tags.iter().any(|(key, _)| key == name);
    let missing: Vec<String> = OWN_TAGS
        .iter()
        .filter(|name| !has(name))
        .map(|name| (*name).to_owned())
        .collect();
    if missing.is_empty() {
        let text = format!(
            "cxr is {version}; the deployment has each tag that it reads, and does not say its own version"
        );
        return Check::new("versions", CheckState::NotTried, text);
    }
    let missing = list_first(&missing, NAMED_MAX);
    let text = format!("the deployment is older than cxr {version}: it has no tag {missing}");
    Check::new("versions", CheckState::Warn, text)
        .with_remedy("deploy the stack of cxr's version; all of it works with the newest alone")
}

/// Lists what runs, which needs the state machine to be there.
async fn check_executions(executions: &Executions, now: Timestamp) -> Check {
    match executions.list(&["RUNNING"], now).await {
        Ok(_) => Check::new(
            "state machine",
            CheckState::Ok,
            "it is there, and its executions can be listed",
        ),
        Err(error) => Check::failed("state machine", &error),
    }
}

/// Whether something asks for windows by itself.
async fn check_schedules(deployment: &Deployment) -> Check {
    let group = ScheduleGroup::beside(&deployment.config, deployment.executions.machine());
    let schedules = match group.list().await {
        Ok(schedules) => schedules,
        Err(error) => return Check::failed("schedules", &error),
    };
    let off = schedules.iter().filter(|it| !it.is_enabled);
    let off: Vec<String> = off.map(|schedule| schedule.name.clone()).collect();
    let group = group.name;
    match (schedules.len(), off.first()) {
        (0, _) => Check::new(
            "schedules",
            CheckState::Warn,
            format!("group {group} has none, so that nothing asks for a window by itself"),
        )
        .with_remedy(
            "cxr schedules infra/reports infra/reports.template.json, then deploy the stack",
        ),
        (all, None) => Check::new(
            "schedules",
            CheckState::Ok,
            format!(
                "{} in group {group}, all enabled",
                count_of(all, "schedule")
            ),
        ),
        (_, Some(first)) => Check::new(
            "schedules",
            CheckState::Warn,
            format!("disabled: {}", list_first(&off, NAMED_MAX)),
        )
        .with_remedy(format!(
            "aws scheduler get-schedule --group-name {group} --name {first}"
        )),
    }
}

/// Looks for one part, as `cxr rows` and `cxr verify` do. Not everybody needs to.
async fn check_rows(bucket: &Bucket, reports: &[LoggedReport]) -> Check {
    let mut newest = reports.iter().filter_map(|report| {
        let held = find_held(&report.known.commits);
        held.into_iter()
            .rev()
            .find_map(|commit| commit.parts.last())
    });
    let Some(part): Option<&CommitPart> = newest.next() else {
        return Check::new(
            "rows",
            CheckState::NotTried,
            "no window with rows was delivered yet",
        );
    };
    match bucket.find_parts(&[part]).await.as_deref() {
        Ok([PartPresence::Stored { .. }]) => Check::new(
            "rows",
            CheckState::Ok,
            "a part was looked for, and is there",
        ),
        Ok(_) => Check::new(
            "rows",
            CheckState::Fail,
            format!("{} is not there", part.key),
        )
        .with_remedy("cxr verify"),
        Err(CommandError::RowsDenied { .. }) => Check::new(
            "rows",
            CheckState::Warn,
            "you may not read them, which only cxr rows and cxr verify need",
        )
        .with_remedy("attach the stack's ConsumerPolicy to your role, if you need these"),
        Err(error) => Check::failed("rows", error),
    }
}

/// Whether a secret has a value, and since when. The value is not read.
async fn check_secret(secrets: &Secrets, name: &str, tenant: &str, now: Timestamp) -> Check {
    let repair = format!("cxr tenant set {tenant} FILE");
    match secrets.describe(name).await {
        Ok(Some(found)) if found.has_value => {
            let age = found
                .changed_at
                .map(|at| (now.duration_since(at).as_hours() / 24).max(0));
            let age = age.map_or_else(String::new, |days| format!(", changed {days} d ago"));
            Check::new("secret", CheckState::Ok, format!("{name} has a value{age}"))
        }
        // The first function that signs in gives a token's secret its value.
        Ok(Some(_)) if name.ends_with("/token") => Check::new(
            "secret",
            CheckState::Ok,
            format!("{name} is there, and has no token yet"),
        ),
        Ok(Some(_)) => Check::new("secret", CheckState::Fail, format!("{name} has no value"))
            .with_remedy(repair),
        Ok(None) => Check::new("secret", CheckState::Fail, format!("{name} does not exist"))
            .with_remedy(repair),
        Err(CommandError::Refused { code, .. }) => Check::new(
            "secret",
            CheckState::Warn,
            format!("{name}: you may not look ({code}), so that nothing is known of it"),
        )
        .with_remedy("attach the stack's MaintainerPolicy to your role, if you look after tenants"),
        Err(error) => Check::failed("secret", &error),
    }
}

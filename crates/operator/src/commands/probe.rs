//! `cxr probe`: asks a tenant, and says what of it differs from what is assumed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use clap::builder::{NonEmptyStringValueParser, PossibleValuesParser, TypedValueParser};
use definition::tenant::TenantSecret;
use definition::{Api, Catalogue, Definition};
use jiff::Timestamp;
use probe::{ProbePlan, ProbeReport, Spoken, probe_tenant};
use secrecy::ExposeSecret as _;
use serde::Serialize;

use super::NOT_WELL;
use super::tenant::{parse_tenant, read_tenant_file};
use crate::definition_file;
use crate::error::CommandError;
use crate::output::Output;
use crate::secrets_manager::Secrets;

/// Ask a tenant one harmless question an API, and say what differs from what this tool assumes. Starts nothing without --deep.
#[derive(Debug, Args)]
pub(super) struct ProbeArgs {
    #[command(flatten)]
    tenant: TenantChoice,
    /// Ask this API alone; may be repeated.
    #[arg(long = "api", value_name = "API", value_parser = api_parser())]
    apis: Vec<Api>,
    /// Run this definition over yesterday as well, which starts a run at CXone and with analytics registers its schedule; may be repeated.
    #[arg(long = "deep", value_name = "DEFINITION")]
    deep: Vec<PathBuf>,
    /// Write the report to this file: paths, statuses, names and kinds, and no value of the tenant.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The N of /inContactAPI/services/vN.0.
    #[arg(long, value_name = "N", default_value_t = 34, value_parser = clap::value_parser!(u16).range(10..=99))]
    api_version: u16,
    /// How the names of the tenants' secrets begin; the stack's `SecretPrefix`.
    #[arg(long, env = "CXONE_SECRET_PREFIX", default_value = "cxone/", value_name = "PREFIX", value_parser = NonEmptyStringValueParser::new())]
    secret_prefix: String,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct TenantChoice {
    /// JSON with everything that reaches the tenant, as `cxr tenant set` takes it; - is the standard input.
    file: Option<PathBuf>,
    /// A tenant whose secret is deployed, as `pipeline.tenant` names it.
    #[arg(long)]
    name: Option<String>,
}

impl ProbeArgs {
    /// `pause` is how long a second takes: tests have shorter ones.
    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        secrets: impl AsyncFnOnce() -> Result<Secrets, CommandError>,
        now: Timestamp,
        pause: Duration,
    ) -> Result<u8, CommandError> {
        let (secret, source) = self.read_tenant(secrets).await?;
        let plan = ProbePlan {
            apis: choose_apis(&self.apis),
            api_version: self.api_version,
            deep: read_definitions(&self.deep)?,
            source,
        };
        let began = std::time::Instant::now();
        let clock = || now.saturating_add(began.elapsed()).unwrap_or(now);
        let wait = async |time: Duration| wait_for(time.mul_f64(pause.as_secs_f64())).await;
        let (report, spoken) = probe_tenant(&secret, &plan, &clock, &wait)
            .await
            .map_err(|error| CommandError::Probe(error.to_string()))?;
        let outcome = Outcome {
            report,
            spoken,
            out: self.out,
        };
        // It took minutes: it is shown, even if the file can't be written.
        output.print(&outcome)?;
        if let Some(file) = &outcome.out {
            write_report(file, &outcome.report)?;
        }
        let is_well = outcome.report.is_all_well();
        Ok(if is_well { 0 } else { NOT_WELL })
    }

    /// What reaches the tenant, and where a person corrects it.
    async fn read_tenant(
        &self,
        secrets: impl AsyncFnOnce() -> Result<Secrets, CommandError>,
    ) -> Result<(TenantSecret, String), CommandError> {
        let Some(name) = &self.tenant.name else {
            let file = self.tenant.file.as_deref().unwrap_or(Path::new("-"));
            let (_, secret) = read_tenant_file(file)?;
            return Ok((secret, file.display().to_string()));
        };
        let (tenant, names) = parse_tenant(name, &self.secret_prefix)?;
        let Some(value) = secrets().await?.read(&names.tenant).await? else {
            return Err(CommandError::NoTenant {
                tenant,
                secret: names.tenant,
            });
        };
        let place = format!("secret {}", names.tenant);
        let secret = TenantSecret::parse(value.expose_secret());
        let secret = secret.map_err(|problem| CommandError::Tenant {
            place: place.clone(),
            problem,
        })?;
        Ok((secret, place))
    }
}

pub(super) fn api_parser() -> impl TypedValueParser<Value = Api> {
    PossibleValuesParser::new(Api::ALL.iter().map(|api| api.as_str())).map(|name| {
        let found = Api::ALL.iter().find(|api| api.as_str() == name);
        found.copied().unwrap_or_default()
    })
}

fn choose_apis(wanted: &[Api]) -> Vec<Api> {
    let all = Api::ALL.iter().copied();
    all.filter(|api| wanted.is_empty() || wanted.contains(api))
        .collect()
}

fn read_definitions(files: &[PathBuf]) -> Result<Vec<Definition>, CommandError> {
    let read = |file: &PathBuf| definition_file::read_definition(file, Catalogue::builtin());
    files
        .iter()
        .map(|file| Ok(read(file)?.definition))
        .collect()
}

fn write_report(file: &Path, report: &ProbeReport) -> Result<(), CommandError> {
    let mut text = serde_json::to_string_pretty(report).map_err(std::io::Error::from)?;
    text.push('\n');
    std::fs::write(file, text).map_err(|error| CommandError::Unwritten {
        file: file.to_owned(),
        error,
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "a person waits, and CXone asks for pauses"
)]
async fn wait_for(time: Duration) {
    tokio::time::sleep(time).await;
}

#[derive(Serialize)]
struct Outcome {
    #[serde(flatten)]
    report: ProbeReport,
    #[serde(skip)]
    spoken: Spoken,
    #[serde(skip)]
    out: Option<PathBuf>,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.report)?;
        for line in self.spoken.lines() {
            writeln!(f, "only on this screen  {line}")?;
        }
        match &self.out {
            Some(file) => writeln!(
                f,
                "in {}: paths, statuses, names and kinds, and no value of the tenant; please send it to the maintainers",
                file.display()
            ),
            None => writeln!(
                f,
                "--out FILE writes this report to a file without any value of the tenant; please send it to the maintainers"
            ),
        }
    }
}

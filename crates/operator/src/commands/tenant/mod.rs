//! `cxr tenant`: the tenants of a deployment, each of which is two secrets.

mod change;
mod list;
mod set;
mod show;

pub(super) use list::TenantList;
pub(super) use set::{SetOutcome, read_file as read_tenant_file};
pub(super) use show::TenantReport;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use definition::TenantId;
use definition::tenant::SecretNames;
use jiff::Timestamp;

use crate::error::CommandError;
use crate::output::Output;
use crate::secrets_manager::Secrets;

/// Make, change and look at tenants: their secrets in Secrets Manager.
#[derive(Debug, Args)]
pub(super) struct TenantArgs {
    #[command(subcommand)]
    command: TenantCommand,
    /// How the names of the tenants' secrets begin; the stack's `SecretPrefix`.
    #[arg(
        long,
        global = true,
        env = "CXONE_SECRET_PREFIX",
        default_value = "cxone/",
        value_name = "PREFIX",
        value_parser = NonEmptyStringValueParser::new()
    )]
    secret_prefix: String,
}

#[derive(Debug, Subcommand)]
enum TenantCommand {
    Set(set::SetArgs),
    List(list::ListArgs),
    Show(show::ShowArgs),
}

impl TenantArgs {
    /// What the document of the command says to be.
    pub(super) fn kind(&self) -> &'static str {
        match self.command {
            TenantCommand::Set(_) => "tenant-set",
            TenantCommand::List(_) => "tenant-list",
            TenantCommand::Show(_) => "tenant-show",
        }
    }

    pub(super) async fn run(
        self,
        output: &mut Output<'_>,
        secrets: &Secrets,
        now: Timestamp,
    ) -> Result<u8, CommandError> {
        let prefix = &self.secret_prefix;
        match self.command {
            TenantCommand::Set(args) => args.run(output, secrets, prefix).await,
            TenantCommand::List(args) => args.run(output, secrets, prefix).await,
            TenantCommand::Show(args) => args.run(output, secrets, prefix, now).await,
        }
    }
}

/// A tenant, and the names of its secrets.
pub(super) fn parse_tenant(
    text: &str,
    prefix: &str,
) -> Result<(TenantId, SecretNames), CommandError> {
    let tenant: TenantId = text.parse().map_err(|source| CommandError::TenantName {
        text: text.to_owned(),
        source,
    })?;
    let names = SecretNames::new(prefix, &tenant);
    Ok((tenant, names))
}

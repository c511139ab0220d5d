//! Where the pipeline stores what it delivers: said on the command line, or else by the state machine's tags.

use clap::Args;
use landing::Config;

use crate::error::CommandError;
use crate::step_functions::Executions;

/// The tag that names the bucket, and the one that says what every key begins with.
const BUCKET_TAG: &str = "cxone-reports:bucket";
const PREFIX_TAG: &str = "cxone-reports:prefix";

#[derive(Debug, Args)]
pub(crate) struct PlaceArgs {
    /// The landing bucket; without it, the state machine's tags say which it is.
    #[arg(long, env = "LANDING_BUCKET", value_name = "NAME")]
    bucket: Option<String>,
    /// What every key in the bucket begins with; without it and --bucket, the tags say that too.
    #[arg(long, env = "LANDING_PREFIX", value_name = "PREFIX")]
    prefix: Option<String>,
}

impl PlaceArgs {
    /// Refuses a command line that names neither a bucket nor a state machine whose tags could.
    pub(crate) fn require(&self, has_machine: bool) -> Result<(), CommandError> {
        let is_named = self.bucket.as_deref().is_some_and(|it| !it.is_empty());
        if is_named || has_machine {
            return Ok(());
        }
        Err(no_bucket("nothing says which bucket the rows are in"))
    }

    /// An empty variable counts as one that is not set.
    pub(crate) async fn find(
        &self,
        executions: Option<&Executions>,
    ) -> Result<Config, CommandError> {
        let given = self.bucket.clone().filter(|bucket| !bucket.is_empty());
        let (bucket, tagged) = match given {
            Some(bucket) => (bucket, None),
            None => read_tags(executions).await?,
        };
        let prefix = self.prefix.clone().filter(|prefix| !prefix.is_empty());
        let prefix = prefix.or(tagged);
        Ok(Config {
            bucket,
            prefix: prefix.unwrap_or_default(),
            ..Config::default()
        })
    }
}

/// The bucket and the prefix that the state machine's tags name.
async fn read_tags(
    executions: Option<&Executions>,
) -> Result<(String, Option<String>), CommandError> {
    let Some(executions) = executions else {
        return Err(no_bucket("nothing says which bucket the rows are in"));
    };
    let tags = executions.list_tags().await?;
    let tag = |name: &str| {
        let found = tags.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.clone())
    };
    let Some(bucket) = tag(BUCKET_TAG) else {
        let reason = format!("the state machine has no tag {BUCKET_TAG}");
        return Err(no_bucket(&reason));
    };
    Ok((bucket, tag(PREFIX_TAG)))
}

fn no_bucket(reason: &str) -> CommandError {
    CommandError::NoBucket {
        reason: reason.to_owned(),
    }
}

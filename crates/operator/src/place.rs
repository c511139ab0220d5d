//! Where the pipeline stores what it delivers: said on the command line, or else by the state machine's tags.

use clap::Args;
use delivery::missing::ROWS_KEPT;
use jiff::SignedDuration;
use landing::Config;

use crate::error::CommandError;
use crate::step_functions::Executions;

/// The tag that names the bucket, and the one that says what every key begins with.
pub(crate) const BUCKET_TAG: &str = "cxone-reports:bucket";
pub(crate) const PREFIX_TAG: &str = "cxone-reports:prefix";

/// The tag that says after how many days rows expire; 0 keeps them.
pub(crate) const RETENTION_TAG: &str = "cxone-reports:data-retention-days";

/// Where the pipeline stores what it delivers.
pub(crate) struct Place {
    pub(crate) config: Config,
    /// After how many days the stack lets rows expire, if it says so; 0 for never.
    pub(crate) retention_days: Option<u32>,
    /// How long rows are kept, as far as that is known.
    pub(crate) rows_kept: SignedDuration,
}

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
    ) -> Result<Place, CommandError> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let mut place = match given(&self.bucket) {
            Some(bucket) => Place::new(bucket, None),
            None => read_tags(executions).await?,
        };
        if let Some(prefix) = given(&self.prefix) {
            place.config.prefix = prefix;
        }
        Ok(place)
    }
}

impl Place {
    fn new(bucket: String, prefix: Option<String>) -> Self {
        Self {
            config: Config {
                bucket,
                prefix: prefix.unwrap_or_default(),
                ..Config::default()
            },
            retention_days: None,
            rows_kept: ROWS_KEPT,
        }
    }
}

/// What the state machine's tags say.
async fn read_tags(executions: Option<&Executions>) -> Result<Place, CommandError> {
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
    let mut place = Place::new(bucket, tag(PREFIX_TAG));
    place.retention_days = tag(RETENTION_TAG).and_then(|days| days.parse().ok());
    match place.retention_days {
        Some(0) => place.rows_kept = SignedDuration::MAX,
        Some(days) => place.rows_kept = SignedDuration::from_hours(24 * i64::from(days)),
        None => {}
    }
    Ok(place)
}

fn no_bucket(reason: &str) -> CommandError {
    CommandError::NoBucket {
        reason: reason.to_owned(),
    }
}

/// Whether a state machine's tags say that its executions store below this prefix of this bucket.
pub(crate) async fn is_place_of(
    executions: &Executions,
    bucket: &str,
    prefix: &str,
) -> Result<bool, CommandError> {
    match read_tags(Some(executions)).await {
        Ok(place) => {
            let own = place.config.prefix;
            Ok(place.config.bucket == bucket && own.trim_matches('/') == prefix.trim_matches('/'))
        }
        Err(CommandError::NoBucket { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

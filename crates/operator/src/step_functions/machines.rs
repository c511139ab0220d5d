//! Finds a state machine among those of the account.

use aws_config::SdkConfig;
use aws_sdk_sfn::Client;
use futures_util::{StreamExt as _, TryStreamExt as _};

use crate::arn::MachineArn;
use crate::aws_error;
use crate::error::CommandError;

/// The tag that CloudFormation gives to all that belongs to a stack.
const STACK_TAG: &str = "aws:cloudformation:stack-name";

/// The tag of a state machine that delivers reports; others of its stack don't have it.
const OURS_TAG: &str = "cxone-reports:bucket";

/// So many state machines are asked for their tags at the same time.
const ASKED_AT_ONCE: usize = 4;

/// At most so many are named to a person.
const NAMED_MAX: usize = 10;

/// A state machine and what its tags say.
struct Listed {
    arn: String,
    stack: Option<String>,
    is_ours: bool,
}

/// The state machine that a stack delivers reports with.
pub(crate) async fn find_machine(
    config: &SdkConfig,
    stack: &str,
) -> Result<MachineArn, CommandError> {
    let client = Client::new(config);
    let listed: Vec<Listed> = futures_util::stream::iter(list(&client).await?)
        .map(|(arn, _)| read_tags(&client, arn))
        .buffered(ASKED_AT_ONCE)
        .try_collect()
        .await?;
    let of_stack = |one: &&Listed| one.stack.as_deref() == Some(stack);
    let mut found = listed.iter().filter(of_stack);
    let ours = found.clone().find(|one| one.is_ours);
    if let Some(one) = ours.or_else(|| found.next()) {
        return one.arn.parse();
    }
    let others = listed.iter().filter(|one| one.is_ours);
    let others = others.filter_map(|one| one.stack.clone()).collect();
    let what = "stacks with such a state machine";
    Err(CommandError::UnknownMachine {
        what: format!("stack {}", definition::text::quote(stack)),
        known: say_known(what, &region_of(config), others),
    })
}

/// That a state machine does not exist, and which ones do, if they may be listed.
pub(super) async fn unknown_machine(client: &Client, machine: &MachineArn) -> CommandError {
    let region = machine.region().to_owned();
    let known = match list(client).await {
        Ok(listed) => {
            let names = listed.into_iter().map(|(_, name)| name).collect();
            say_known("state machines", &region, names)
        }
        Err(_) => "correct STATE_MACHINE_ARN or --state-machine".to_owned(),
    };
    CommandError::UnknownMachine {
        what: machine.as_str().to_owned(),
        known,
    }
}

fn say_known(what: &str, region: &str, mut names: Vec<String>) -> String {
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(NAMED_MAX);
    names.truncate(NAMED_MAX);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    match names.len() {
        0 => format!(
            "there are no {what} in {region} that you may see; is it another region or account?"
        ),
        _ => format!("the {what} in {region} are: {}", names.join(", ")),
    }
}

fn region_of(config: &SdkConfig) -> String {
    let region = config.region().map(ToString::to_string);
    region.unwrap_or_default()
}

/// The ARNs and names of all.
async fn list(client: &Client) -> Result<Vec<(String, String)>, CommandError> {
    let mut pages = client.list_state_machines().into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| aws_error::from_sdk("ListStateMachines", "*", &error))?;
        let page = page.state_machines.into_iter();
        found.extend(page.map(|one| (one.state_machine_arn, one.name)));
    }
    Ok(found)
}

/// One whose tags a role may not see is nobody's.
async fn read_tags(client: &Client, arn: String) -> Result<Listed, CommandError> {
    let answer = client.list_tags_for_resource().resource_arn(&arn).send();
    let tags = match answer.await {
        Ok(answer) => answer.tags.unwrap_or_default(),
        Err(error) => match aws_error::from_sdk("ListTagsForResource", &arn, &error) {
            CommandError::Refused { .. } => Vec::new(),
            other => return Err(other),
        },
    };
    let tag = |wanted: &str| {
        let mut same = tags.iter().filter(|tag| tag.key() == Some(wanted));
        same.find_map(|tag| tag.value().map(str::to_owned))
    };
    Ok(Listed {
        stack: tag(STACK_TAG),
        is_ours: tag(OURS_TAG).is_some(),
        arn,
    })
}

//! What the state machine that loads Redshift fails with. docs/warehouses.md says the same with more room.

use super::Topic;

/// Each name, what it means, and what to do.
const LOADS: [(&str, &str, &str); 7] = [
    (
        "Load.EntryTooLarge",
        "An entry of the log is larger than the 256 KiB that a state holds, which is about a thousand parts.",
        "Load this one version by psql, with the file that cxr sql redshift prints; the machine goes on behind it.",
    ),
    (
        "Load.LogUnreadable",
        "The role of the load may not list or read the log, or the bucket or its key is not the one that the stack was told of, or an entry is missing.",
        "Compare Bucket, Prefix, KmsKeyArn and DataKmsKeyArn of the stack with the outputs of the pipeline's.",
    ),
    (
        "Load.NotSetUp",
        "The tables are not there and could not be made, or the user may not use them, or the warehouse does not answer.",
        "Look at the statement that the cause names. Grant the user what the file of cxr sql redshift names, or run that file once.",
    ),
    (
        "Load.Refused",
        "The Data API refuses a call: there is no such workgroup or database, a right is missing, or too many statements run at once.",
        "Do what the cause says. The next execution begins where this one stopped.",
    ),
    (
        "Load.RowsMissing",
        "COPY staged another number of rows than the entry of the log says. Nothing of the version is in the table.",
        "Look with cxr verify REPORT whether the parts are what was committed.",
    ),
    (
        "Load.ScheduleUnreadable",
        "The schedule that a bell or a longer load names is not there, and with it the statements.",
        "Make the template anew with cxr schedules --load redshift, and deploy it.",
    ),
    (
        "Load.StatementFailed",
        "The transaction of a version failed three times. Nothing of it is in the table.",
        "Look at the statement that the cause names: a column that the table has not got yet, a bucket that COPY may not read, parts that expired.",
    ),
];

pub(super) fn explain_loads() -> impl Iterator<Item = Topic> {
    LOADS.iter().map(|(name, meaning, to_do)| Topic {
        code: (*name).to_owned(),
        kind_of_code: "what a load into Redshift fails with",
        meaning: (*meaning).to_owned(),
        to_do: vec![(*to_do).to_owned()],
        example: Some("aws redshift-data describe-statement --id ID".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_of_the_machine_is_explained() {
        let machine = include_str!("../../../../../infra/redshift/load.asl.json");
        let mut names: Vec<&str> = machine
            .split('"')
            .filter(|it| it.starts_with("Load."))
            .collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(LOADS.map(|(name, ..)| name).to_vec(), names);
    }
}

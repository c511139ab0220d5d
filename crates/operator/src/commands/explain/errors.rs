//! What the errors of `cxr` mean at length. The errors themselves name file, window or execution; here is what is behind them.

use super::Topic;

/// An error of `cxr`, by its code.
pub(super) struct ErrorText {
    pub(super) code: &'static str,
    /// What is wrong, in a sentence.
    meaning: &'static str,
    /// What to do, in sentences.
    to_do: &'static str,
    /// A command that helps; may be empty.
    example: &'static str,
}

impl ErrorText {
    pub(super) fn explain(&self) -> Topic {
        let example = (!self.example.is_empty()).then(|| self.example.to_owned());
        Topic {
            code: self.code.to_owned(),
            kind_of_code: "an error of cxr",
            meaning: self.meaning.to_owned(),
            to_do: vec![self.to_do.to_owned()],
            example,
        }
    }
}

/// Declares the texts, each with its code.
macro_rules! texts {
    ($($code:literal $meaning:literal, $to_do:literal, $example:literal;)+) => {
        &[$(ErrorText { code: $code, meaning: $meaning, to_do: $to_do, example: $example }),+]
    };
}

/// Every error, in the order of its code.
pub(super) const ERRORS: &[ErrorText] = texts! {
    "CXO001" "A file or folder can't be read, or it is larger than a definition can be.",
        "Name a readable JSON file, or - for the standard input. A folder is taken by check, drift and schedules.", "cxr check infra/reports";
    "CXO002" "The definition in the file has errors, so nothing was done with it.",
        "Correct what is listed; each finding has a code of its own that can be explained.", "cxr check FILE";
    "CXO003" "What was typed as a window is no day, no range of days and no pair of times in UTC.",
        "Write a day such as 2026-06-01, yesterday, a range with both ends such as 2026-06-01..2026-06-07, or START/END in UTC. Days are those of the report's windowZone.", "cxr plan FILE --window yesterday";
    "CXO004" "What was typed as a time is none, or it is in the future where it has to be in the past.",
        "Write 2026-06-01T05:30:00Z, a day, or how long ago: 90m, 12h, 7d.", "cxr list --since 12h";
    "CXO005" "The file of --catalogue does not hold metrics and dimensions as the built-in catalogue does.",
        "Correct it, or leave it out and name the tenant's own columns in pipeline.declare, which the handlers know as well.", "";
    "CXO006" "The command needs to know which state machine is meant.",
        "Set STATE_MACHINE_ARN to the stack's output StateMachineArn, or give --state-machine or --stack.", "cxr status --stack NAME";
    "CXO007" "There is no such execution. Step Functions forgets executions 90 days after they ended.",
        "Look at the window instead, which the bucket knows for ever.", "cxr show REPORT DAY";
    "CXO008" "Step Functions refuses the redrive: the execution succeeded, runs again, or ended more than 14 days ago.",
        "Ask for the window again, which uses what is stored of it.", "cxr retry REPORT DAY";
    "CXO009" "The same request was made before, so that an execution of this name exists.",
        "Look at it: cxr retry REPORT DAY takes up one that failed, and a window that was delivered needs a replay.", "cxr show EXECUTION";
    "CXO010" "Step Functions accepts at most 256 KiB as the input of an execution.",
        "Shorten the definition's lists.", "";
    "CXO011" "AWS refuses the call; the error has AWS's own word for it.",
        "Check who you are (aws sts get-caller-identity), and that the stack's OperatorPolicy, or MaintainerPolicy for tenants, is attached to that role.", "";
    "CXO012" "AWS gave no answer: there is no network, a name or an address is wrong, or AWS asked for fewer calls for too long.",
        "Check the network, AWS_ENDPOINT_URL and the region, then try again.", "";
    "CXO013" "What was to be printed could not be written, for instance because a disk is full.",
        "Make room, then try again.", "";
    "CXO014" "The template of the schedules is another one than the definitions make, or larger than CloudFormation accepts.",
        "Make it anew and commit it together with the definitions.", "cxr schedules infra/reports infra/reports.template.json";
    "CXO015" "The definition is correct, but EventBridge can't schedule it.",
        "Do what the message says.", "";
    "CXO016" "The report's schedule would never ask for this window, so its rows would overlap those of the report's own windows.",
        "Ask for the windows that the message names, one by one. --off-grid says that the window is meant as it is.", "cxr plan FILE --window DAY";
    "CXO017" "A tenant's JSON, in a file or in its secret, lacks a field or has one that can't be used.",
        "Correct it; crates/tokens/README.md lists the fields. No value of it is ever printed.", "cxr tenant set NAME FILE --dry-run";
    "CXO018" "A tenant is named by lower-case letters, digits and -, as pipeline.tenant does.",
        "Write it like that.", "cxr tenant list";
    "CXO019" "The tenant has no secret, or the secret has no value yet.",
        "Store one. Names begin with the stack's SecretPrefix; --secret-prefix names another.", "cxr tenant set NAME FILE";
    "CXO020" "Two definition files describe the same report of the same tenant, so that each would overwrite what the other delivers.",
        "Rename one of the reports.", "cxr check infra/reports";
    "CXO021" "The secret is about to be deleted. Until then nobody can read it, and no other can have its name.",
        "Bring it back: aws secretsmanager restore-secret --secret-id NAME.", "";
    "CXO022" "The tenant's addresses can't be used, so that CXone could not be asked anything.",
        "Correct base_url, token_url or issuer.", "cxr tenant show NAME";
    "CXO023" "Something that is stored in the bucket can't be read, or S3 refuses it.",
        "If a right is missing, attach the stack's OperatorPolicy. If an object was changed or removed, bring its former version back.", "";
    "CXO024" "No report has this name.",
        "Write a name, or the beginning of one; the message lists them.", "cxr status";
    "CXO025" "Several reports begin like this, or two tenants have a report of this name.",
        "Write one of the names that the message lists, such as TENANT/REPORT.", "cxr status";
    "CXO026" "The days that were asked for are not made of the report's own windows, such as one day of a weekly report.",
        "Ask for the windows that the message names.", "cxr calendar REPORT";
    "CXO027" "What was typed can't be the name or the ARN of an execution.",
        "Name the report and the day, or an execution.", "cxr show REPORT DAY";
    "CXO028" "Nothing says which bucket the rows are in: the state machine has no tags, or none is named.",
        "Deploy this version, whose state machine has the tags, or give --bucket and --prefix.", "";
    "CXO029" "A file could not be written; what was to be in it is lost.",
        "Name a file that does not exist yet, in a folder that you may write to.", "";
    "CXO030" "The window's data may still change at CXone, so that rows could be missing from it.",
        "Ask again once it is final, or let the execution wait with --wait, which it does for seven days at most.", "cxr plan FILE --window DAY";
    "CXO031" "The command would ask before it goes on, and nobody is there to be asked.",
        "Add --yes where a program runs the command, once --dry-run has shown what it would do.", "cxr retry --all --dry-run";
    "CXO032" "No error of executions has this name.",
        "Write one of those that the message lists, with or without Cxone. before it.", "cxr explain";
    "CXO033" "The change of the definition that was asked for can't be made.",
        "Do what the message says; the fields are those of docs/definition.md.", "";
    "CXO034" "--timeout is over. The work goes on, and only the watching has ended.",
        "Watch again, or look at the window later.", "cxr watch REPORT DAY";
    "CXO035" "A text that is kept with the data is empty.",
        "Say who asks, and why.", "";
    "CXO036" "The window needs no help any more: it is committed, or an execution works on it.",
        "Nothing is left to do.", "cxr show REPORT DAY";
    "CXO037" "S3 denies the rows, although the log may be read: OperatorPolicy leaves them out on purpose.",
        "Attach the stack's ConsumerPolicy to your role as well.", "";
    "CXO038" "A part in the bucket is not what was committed: it is gone, or other bytes are in its place.",
        "Do what cxr verify says of it; a replay makes the window's parts anew.", "cxr verify REPORT DAY";
    "CXO039" "The report has no column of this name.",
        "Write one of those that the message lists.", "cxr rows REPORT DAY --limit 1";
    "CXO040" "Of some of the windows that were asked for nothing was delivered; the rows of the others were written.",
        "Find out why it is not there.", "cxr show REPORT DAY";
    "CXO041" "The days were delivered together with others, and nothing tells their rows apart.",
        "Ask for all of what was delivered together.", "";
    "CXO042" "Only cxr rows writes this format.",
        "Use --json, or leave --format out.", "";
    "CXO043" "Nothing signs in at AWS: there are no credentials in the environment, in the profile or on this machine, or they have expired.",
        "Sign in with aws sso login, and name the profile with AWS_PROFILE or --profile. A profile that cxr can't use by itself works through aws configure export-credentials.", "eval \"$(aws configure export-credentials --profile NAME --format env)\"";
    "CXO044" "The region or the endpoint of AWS is wrong or missing.",
        "The region of the state machine's ARN counts. Without an ARN give --region or AWS_REGION. Unset AWS_ENDPOINT_URL to reach AWS itself.", "";
    "CXO045" "Something else answers in the place of AWS, such as a proxy, a sign-in page of the network, or a server of one's own.",
        "Sign in to the network, or correct HTTPS_PROXY and AWS_ENDPOINT_URL.", "";
    "CXO046" "The account has no such state machine in this region, or no stack of this name has one.",
        "Write one of those that the message lists; else it is another account or another region.", "aws sts get-caller-identity";
    "CXO047" "The command line has a word that is not known.",
        "Write one of those that the message names.", "cxr explain";
    "CXO048" "The command line can't be understood: an option or an argument is missing, unknown or in the wrong place.",
        "Read the usage of the command.", "cxr help COMMAND";
    "CXO049" "The state machine has no tag that says where the handlers' logs are: it is of an older version.",
        "Deploy this version's template, or read the log groups with aws logs tail.", "";
    "CXO050" "A handler's log group does not exist: it was deleted, or the state machine's tag names those of another stack.",
        "Deploy the stack again, which makes the group.", "";
    "CXO053" "The stack has no state machine for backfills: it is of an older version.",
        "Deploy this version's template.", "";
    "CXO054" "The report can't be backfilled like this.",
        "Do what the message says.", "";
    "CXO055" "So many windows do not fit into one backfill, whose definition is asked for with each.",
        "Ask for fewer at once; the same command takes up the rest.", "";
    "CXO056" "A backfill of this report runs already.",
        "Watch it, or cancel it before another one is started.", "cxr backfill list";
    "CXO057" "There is no backfill of this name.",
        "Write one of those that are listed.", "cxr backfill list";
    "CXO058" "The report is known from executions that failed before anything was stored, and the definition that they were started with is refused.",
        "Correct the file, deploy it, and ask for the window with it. From the first window on that was begun, cxr retry needs no file.", "cxr list --failed";
    "CXO140" "--json and --format name two formats, and only one can be written.",
        "Leave one of them out.", "cxr rows REPORT DAY --format csv";
    "CXO150" "It is not said which warehouse a table is for: their languages differ.",
        "Name it with --for, or in the definition as pipeline.target.", "cxr ddl --for postgres FILE";
    "CXO151" "The warehouse takes two columns of the report for one, because their names differ only in case or in characters that it does not allow.",
        "Leave one of them out, rename it in CXone, or set pipeline.columnNames to snake. With pipeline.target the checker says so beforehand.", "cxr check FILE";
    "CXO152" "What was typed can't be the name of a table.",
        "Write NAME or SCHEMA.NAME, without quotes: they are added.", "cxr ddl --for postgres --table reports.daily FILE";
    "CXO153" "cxr load reaches PostgreSQL by psql, and DuckDB by duckdb, which is not on the PATH.",
        "Install PostgreSQL's client (Debian: postgresql-client), or DuckDB's command line (PyPI: duckdb-cli).", "psql --version";
    "CXO154" "The database can't be reached, refuses something, or ended in the middle. Nothing of the version that was being loaded is kept.",
        "Try psql or duckdb with the same database; then the same command again, which goes on where it stopped. A file of DuckDB is open for one process at a time.", "cxr load postgres REPORT";
    "CXO155" "The table holds a later version than the log has, so that it was loaded from another bucket, or from one that was made anew.",
        "Load into a table of another name, and drop the old one when nobody reads it any more.", "cxr load postgres REPORT --table NAME";
    "CXO156" "The statements that cxr sql prints for this warehouse read rows that are stored as NDJSON, BigQuery's gzip or none, and the definition stores others.",
        "Store NDJSON with gzip, which is the default, or load what there is by the list of parts in each commit.", "cxr sql snowflake FILE";
    "CXO157" "DuckDB keeps a database in a file, and none is named.",
        "Name it; it is made if it does not exist.", "cxr load duckdb REPORT --database warehouse.duckdb";
    "CXO158" "One name was given for the tables of several definitions.",
        "Leave --table out, so that each is named as its report, and say with --schema where they are.", "cxr dbt infra/reports --for duckdb --schema main";
};

#[cfg(test)]
mod tests {
    use super::*;

    /// A code that is new here gets its text here.
    #[test]
    fn every_error_has_a_text() {
        let source = include_str!("../../error_code.rs");
        let mut codes: Vec<&str> = source
            .split("=> (\"CXO")
            .skip(1)
            .map(|it| &it[..3])
            .collect();
        // That two files describe one report is a finding, and that a command can't be understood is said by clap.
        codes.extend(["020", "048"]);
        codes.sort_unstable();
        let explained: Vec<&str> = ERRORS.iter().map(|it| &it.code[3..]).collect();
        assert_eq!(explained, codes);
    }
}

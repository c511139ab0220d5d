//! Reads the parts of commits: whether they are there, and their rows. It needs rights of its own, because rows are not for
//! everybody who looks after the pipeline.

use delivery::Failure;
use delivery::documents::{Commit, CommitPart};
use delivery::effects::Fault;
use futures_util::{StreamExt as _, TryStreamExt as _};
use landing::{PartPresence, ReadPart, RowExport, RowReader, format_of, merge_committed};

use super::Bucket;
use crate::error::CommandError;
use crate::output::count_rows;

/// So many parts are asked about at once.
const ASKED_AT_ONCE: usize = 16;

/// So many bytes are written at once.
const WRITTEN_BYTES: usize = 64 * 1024;

/// What is wrong with a part that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PartFault {
    /// Its bytes are not those that were committed.
    Digest,
    Rows {
        found: u64,
    },
    /// It can't be read to its end.
    Unreadable(String),
}

impl PartFault {
    pub(crate) fn describe(&self, part: &CommitPart) -> String {
        match self {
            Self::Digest => "its bytes are not those that were committed".to_owned(),
            Self::Rows { found } => {
                format!(
                    "it has {}, and {} were committed",
                    count_rows(*found),
                    part.rows
                )
            }
            Self::Unreadable(reason) => reason.clone(),
        }
    }
}

impl Bucket {
    /// What there is under the keys of these parts, in their order.
    pub(crate) async fn find_parts(
        &self,
        parts: &[&CommitPart],
    ) -> Result<Vec<PartPresence>, CommandError> {
        futures_util::stream::iter(parts.iter().copied())
            .map(async |part| self.store.find_part(&part.key).await)
            .buffered(ASKED_AT_ONCE)
            .try_collect()
            .await
            .map_err(explain_denial)
    }

    /// Writes the rows of a part that are wanted, at most `limit` of them; gives how many.
    pub(crate) async fn copy_rows(
        &self,
        part: &CommitPart,
        export: &RowExport,
        limit: u64,
        write: &mut impl FnMut(&[u8]) -> Result<(), CommandError>,
    ) -> Result<u64, CommandError> {
        let format = format_of(&part.key)?;
        let mut reader = RowReader::open(&self.store, part)?;
        let (mut text, mut written) = (Vec::new(), 0);
        while written < limit {
            if !reader.read_next().await.map_err(explain_denial)? {
                write(&text)?;
                return match judge_part(part, &reader.finish()) {
                    Some(fault) => Err(CommandError::BadPart {
                        key: part.key.clone(),
                        problem: fault.describe(part),
                    }),
                    None => Ok(written),
                };
            }
            let (row, columns) = (reader.row(), reader.columns());
            written += u64::from(export.write_row(row, format, columns, &mut text)?);
            if text.len() >= WRITTEN_BYTES {
                write(&text)?;
                text.clear();
            }
        }
        write(&text)?;
        Ok(written)
    }

    /// Reads a part to its end, and says what is wrong with it.
    pub(crate) async fn check_rows(
        &self,
        part: &CommitPart,
    ) -> Result<Option<PartFault>, CommandError> {
        match self.read_to_end(part).await {
            Ok(read) => Ok(judge_part(part, &read)),
            Err(Fault::Contract(reason)) => {
                // What was changed can't be decompressed either.
                let sha256 = self.store.hash_object(&part.key, part.bytes).await;
                Ok(Some(match sha256 {
                    Ok(sha256) if sha256 != part.sha256 => PartFault::Digest,
                    _ => PartFault::Unreadable(reason),
                }))
            }
            Err(fault) => Err(explain_denial(fault)),
        }
    }

    async fn read_to_end(&self, part: &CommitPart) -> Result<ReadPart, Fault> {
        let mut reader = RowReader::open(&self.store, part)?;
        while reader.read_next().await? {}
        Ok(reader.finish())
    }

    /// Reads the keys of a commit's rows, and says what is wrong with them.
    pub(crate) async fn check_keys(&self, commit: &Commit) -> Result<Option<String>, CommandError> {
        match merge_committed(&self.store, &commit.parts).await {
            Ok(merged) if merged.duplicates + merged.replaced > 0 => {
                let rows = merged.duplicates + merged.replaced;
                let have = if rows == 1 { "has" } else { "have" };
                let rows = count_rows(rows);
                Ok(Some(format!("{rows} {have} the key of another row")))
            }
            Ok(merged) if !commit.has_content(&merged.content) => Ok(Some(
                "its keys are not those that were committed".to_owned(),
            )),
            Ok(_) => Ok(None),
            Err(Fault::Contract(reason)) => Ok(Some(reason)),
            Err(fault) => Err(explain_denial(fault)),
        }
    }
}

fn judge_part(part: &CommitPart, read: &ReadPart) -> Option<PartFault> {
    if read.sha256 != part.sha256 {
        return Some(PartFault::Digest);
    }
    (read.rows != part.rows).then_some(PartFault::Rows { found: read.rows })
}

/// What is refused here is refused because of the rights to rows: the log was read before.
fn explain_denial(fault: Fault) -> CommandError {
    match fault {
        Fault::Config(_) => CommandError::RowsDenied {
            reason: Failure::from(fault).message,
        },
        other => other.into(),
    }
}

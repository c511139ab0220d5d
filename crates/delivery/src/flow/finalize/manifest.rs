//! The parts of a commit in the form that Redshift's COPY reads.

use serde::Serialize;

use crate::Failure;
use crate::documents::{Commit, CommitPart};
use crate::flow::finalize::finalizer::Finalizer;
use crate::flow::stored::serialise;

#[derive(Serialize)]
struct Manifest {
    entries: Vec<ManifestEntry>,
}

#[derive(Serialize)]
struct ManifestEntry {
    url: String,
    mandatory: bool,
    meta: ManifestMeta,
}

#[derive(Serialize)]
struct ManifestMeta {
    content_length: u64,
}

impl Manifest {
    fn of_commit(bucket: &str, commit: &Commit) -> Self {
        let to_entry = |part: &CommitPart| ManifestEntry {
            url: format!("s3://{bucket}/{}", part.key),
            mandatory: true,
            meta: ManifestMeta {
                content_length: part.bytes,
            },
        };
        Self {
            entries: commit.parts.iter().map(to_entry).collect(),
        }
    }
}

impl Finalizer<'_> {
    /// Stores the commit's manifest. It follows from the commit alone, so that an invocation that finds the
    /// commit without its manifest, after a kill, stores the same.
    pub(super) async fn write_manifest(&self, commit: &Commit) -> Result<(), Failure> {
        let manifest = serialise(&Manifest::of_commit(self.bucket, commit))?;
        let key = self.report.manifest(commit.version);
        self.effects.claim(key, manifest).await?;
        Ok(())
    }
}

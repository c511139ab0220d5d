//! The rows of a commit, from its parts into files of the table.

use delivery::documents::CommitPart;
use delivery::effects::{Answered, Fault};
use delta_table::effects::{WriteRequest, WrittenRows};
use delta_table::{FileWriter, NewFile, RowStamp, RowsError, WrittenFile, file_path};
use landing::{PartPresence, ReadPart, RowReader, Store, TableFile};
use uuid::Uuid;

/// Writes all rows of a commit. Memory holds a row group, and the buffers of one part and one file.
pub(crate) async fn write_rows(store: &Store, request: &WriteRequest) -> Answered<WrittenRows> {
    let mut writer = RowsWriter {
        store,
        request,
        unique: Uuid::new_v4().simple().to_string(),
        open: None,
        done: Vec::new(),
    };
    for part in &request.commit.parts {
        let Err(fault) = writer.append_part(part).await else {
            continue;
        };
        writer.discard().await;
        return match store.find_part(&part.key).await? {
            PartPresence::Stored { .. } => Err(fault),
            PartPresence::Deleted { .. } | PartPresence::Gone => {
                Ok(WrittenRows::Gone(part.key.clone()))
            }
        };
    }
    writer.end_file().await?;
    Ok(WrittenRows::Files(writer.done))
}

/// A file that rows are written into.
struct OpenFile {
    path: String,
    encoder: FileWriter,
    stored: TableFile,
}

/// Writes rows into one file after another.
struct RowsWriter<'a> {
    store: &'a Store,
    request: &'a WriteRequest,
    /// What no other publisher's files are called.
    unique: String,
    open: Option<OpenFile>,
    done: Vec<NewFile>,
}

impl RowsWriter<'_> {
    /// Appends the rows of a part, which has to be what the commit says.
    async fn append_part(&mut self, part: &CommitPart) -> Answered<()> {
        let key = &part.key;
        let mut stored = RowReader::open(self.store, part)?;
        let mut count = 0_u64;
        while stored.read_next().await? {
            count += 1;
            let open = self.open_file()?;
            // Only CSV has a header.
            let pushed = match stored.columns() {
                [] => open.encoder.push_json(stored.row()),
                names => open.encoder.push_csv(names, stored.row()),
            };
            pushed.map_err(|error| match error {
                RowsError::Row(_) => Fault::Contract(format!("row {count} of {key} can't be read")),
                RowsError::Parquet(_) => explain_encoder(error),
            })?;
            let encoded = open.encoder.take_encoded().map_err(explain_encoder)?;
            open.stored.write(&encoded).await?;
            if open.encoder.is_full() {
                self.end_file().await?;
            }
        }
        let ReadPart { rows, sha256 } = stored.finish();
        if rows == part.rows && sha256 == part.sha256 {
            return Ok(());
        }
        Err(Fault::Contract(format!(
            "{key} is not what its commit says"
        )))
    }

    /// The file that the next row belongs into.
    fn open_file(&mut self) -> Answered<&mut OpenFile> {
        let file = match self.open.take() {
            Some(file) => Ok(file),
            None => self.begin_file(),
        };
        Ok(self.open.insert(file?))
    }

    fn begin_file(&self) -> Answered<OpenFile> {
        let WriteRequest {
            commit,
            schema,
            table,
        } = self.request;
        let path = file_path(commit, self.done.len(), &self.unique);
        let encoder = FileWriter::new(schema, RowStamp::from(commit));
        Ok(OpenFile {
            encoder: encoder.map_err(explain_encoder)?,
            stored: TableFile::create(self.store, table.file(&path)),
            path,
        })
    }

    /// Ends the file that is open, if one is.
    async fn end_file(&mut self) -> Answered<()> {
        let Some(OpenFile {
            path,
            encoder,
            mut stored,
        }) = self.open.take()
        else {
            return Ok(());
        };
        let (rest, written): (Vec<u8>, WrittenFile) = encoder.finish().map_err(explain_encoder)?;
        stored.write(&rest).await?;
        let bytes = stored.finish().await?;
        if bytes != written.bytes {
            return Err(Fault::Contract(format!(
                "{path} has {} bytes, and {bytes} were stored",
                written.bytes
            )));
        }
        self.done.push(NewFile { path, written });
        Ok(())
    }

    async fn discard(self) {
        if let Some(open) = self.open {
            open.stored.discard().await;
        }
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "map_err hands the error over by value"
)]
fn explain_encoder(error: RowsError) -> Fault {
    Fault::Contract(format!("a file of the table can't be written: {error}"))
}

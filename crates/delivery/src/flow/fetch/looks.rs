//! How often a run is looked at that is done and has no file.

use crate::FetchIn;

/// After so many looks in a row that found a run done and no file of it, no more are made.
const LOOKS_WITHOUT_FILE: u32 = 3;

/// Whether a run without a file is not looked at again.
pub(super) fn is_last_look(message: &FetchIn) -> bool {
    message.looks_without_file + 1 >= LOOKS_WITHOUT_FILE
}

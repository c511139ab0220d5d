//! In which columns rows differ that have the same key. Names of columns leave this file, values don't.

use std::collections::{BTreeMap, BTreeSet};

use definition::text::line;
use delivery::effects::{Answered, CompareRequest, Difference};

use crate::merge::{RowPlace, find_conflicts};
use crate::part::{Cells, PartSpec, pick_rows};
use crate::store::Store;

/// A longer name of a column is cut, in bytes.
const NAME_MAX: usize = 64;

/// Compares some of the rows that have the key of another row and differ from it.
pub async fn compare(store: &Store, request: &CompareRequest) -> Answered<Option<Difference>> {
    let conflicts = find_conflicts(store, &request.parts).await?;
    let Some([(part, row), _]) = conflicts.first() else {
        return Ok(None);
    };
    let mut difference = Difference {
        part: request.parts[*part].key.clone(),
        row: *row,
        columns: Vec::new(),
    };
    let rows = read_places(store, request, conflicts.as_flattened()).await?;
    let mut columns = BTreeSet::new();
    for [one, other] in &conflicts {
        columns.extend(differing_columns(&rows[one], &rows[other]));
    }
    difference.columns = columns.into_iter().collect();
    Ok(Some(difference))
}

async fn read_places(
    store: &Store,
    request: &CompareRequest,
    places: &[RowPlace],
) -> Answered<BTreeMap<RowPlace, Cells>> {
    let spec = PartSpec::from(&*request.definition);
    let mut numbers: BTreeMap<usize, BTreeSet<u32>> = BTreeMap::new();
    for (part, row) in places {
        numbers.entry(*part).or_default().insert(*row);
    }
    let mut rows = BTreeMap::new();
    for (part, numbers) in numbers {
        let numbers: Vec<u32> = numbers.into_iter().collect();
        let picked = pick_rows(store, &spec, &request.parts[part], &numbers).await?;
        let places = numbers.into_iter().map(|row| (part, row));
        rows.extend(places.zip(picked));
    }
    Ok(rows)
}

fn differing_columns(one: &Cells, other: &Cells) -> BTreeSet<String> {
    let names = one.keys().chain(other.keys());
    let differing = names.filter(|name| one.get(*name) != other.get(*name));
    differing.map(|name| line(name, NAME_MAX)).collect()
}

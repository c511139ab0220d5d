//! What must not be seen anywhere but where it belongs: each has a text that stands nowhere else.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::store::Store;
use crate::writings::writings;

/// Declares the kinds, each with how its texts begin.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $text:literal,)+) => {
        /// What is looked for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Kind {
            $($(#[$doc])* $kind,)+
        }

        impl Kind {
            pub(crate) const ALL: &[Self] = &[$(Self::$kind),+];

            /// How its texts begin.
            pub(crate) fn text(self) -> &'static str {
                match self { $(Self::$kind => $text),+ }
            }
        }
    };
}

kinds! {
    /// The client's secret.
    Client = "cl13nt-\"5c/é+71fa",
    Access = "acc355.7c2e+/=t0k3n",
    Page = "pag3-\"c7/d1+é&=t",
    /// The address of a file, which one API gives in place of a page token.
    Link = "https://f1les.example.com/r?sig=l1nk+c9%2Fb0&n=",
    Row = "r0w \"Zoë\" 4e/8d+",
}

/// Every way to write every one of them, and whose each is.
static WANTED: LazyLock<(AhoCorasick, Vec<Kind>)> = LazyLock::new(|| {
    let of = |kind: Kind| writings(kind.text()).into_iter().map(move |it| (it, kind));
    let (texts, kinds): (Vec<_>, Vec<_>) = Kind::ALL.iter().copied().flat_map(of).unzip();
    let mut builder = AhoCorasick::builder();
    let automaton = builder.kind(Some(AhoCorasickKind::DFA)).build(texts);
    (automaton.unwrap(), kinds)
});

/// What is in a text.
fn found(text: &[u8]) -> BTreeSet<Kind> {
    let (automaton, kinds) = &*WANTED;
    let hits = automaton.find_overlapping_iter(text);
    hits.map(|hit| kinds[hit.pattern().as_usize()]).collect()
}

/// Says what is in a text that does not belong there.
pub(crate) fn check(place: &str, text: &[u8], allowed: &[Kind]) -> Result<BTreeSet<Kind>, String> {
    let found = found(text);
    match found.iter().find(|kind| !allowed.contains(kind)) {
        None => Ok(found),
        Some(kind) => Err(format!(
            "{kind:?} leaked: {place}: {}",
            String::from_utf8_lossy(&text[..text.len().min(600)])
        )),
    }
}

/// Page tokens and links are in slots alone, rows in parts alone, and nothing is in a key.
pub(crate) fn check_bucket(store: &Store) -> Result<BTreeSet<Kind>, String> {
    let mut seen = BTreeSet::new();
    for (key, body) in store.objects() {
        let name = key.rsplit('/').next().unwrap_or_default();
        let is_slot = key.contains("/win/") && name.starts_with('b');
        let allowed: &[Kind] = if is_slot {
            &[Kind::Page, Kind::Link]
        } else {
            &[]
        };
        check("a key", key.as_bytes(), &[])?;
        seen.extend(check(key, body, allowed)?);
    }
    for key in store.parts_with("") {
        check("a key", key.as_bytes(), &[])?;
        let rows = store.rows(&key).join("\n");
        seen.extend(check(&key, rows.as_bytes(), &[Kind::Row])?);
    }
    Ok(seen)
}

#[test]
fn every_kind_is_found_however_it_is_written() {
    for &kind in Kind::ALL {
        for text in writings(kind.text()) {
            let around = format!("{{\"cause\":\"{text}3\"}}");
            assert!(check("there", around.as_bytes(), &[]).is_err(), "{text}");
        }
        assert!(check("there", kind.text().as_bytes(), &[kind]).is_ok());
    }
}

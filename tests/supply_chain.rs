//! What is linked in comes from where it should, under licences that we can meet: `deny.toml`, held with nothing but
//! cargo, so that every run of the tests holds it.
#![expect(clippy::unwrap_used, reason = "what can't be read is a failed test")]

use std::fs;
use std::path::Path;
use std::process::Command;

use cargo_metadata::{CargoOpt, Metadata, MetadataCommand};

const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn read(name: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    fs::read_to_string(root.join(name)).unwrap()
}

/// With all features of the workspace's own crates, so that no switch brings in something else.
fn metadata() -> Metadata {
    MetadataCommand::new()
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .features(CargoOpt::AllFeatures)
        .other_options(["--locked", "--filter-platform", env!("TARGET")].map(str::to_owned))
        .exec()
        .unwrap()
}

/// The first text of each entry of a list in `deny.toml`, which is written for that: `key = [` in a line of its own, an
/// entry a line, or all in one line.
fn denied(section: &str, key: &str) -> Vec<String> {
    let deny = read("deny.toml");
    let (_, rest) = deny.split_once(&format!("\n{section}\n")).unwrap();
    let (_, list) = rest.split_once(&format!("\n{key} = [")).unwrap();
    let texts = |line: &str| -> Vec<String> {
        let texts = line.split('"').skip(1).step_by(2).map(str::to_owned);
        texts.collect()
    };
    let (first, rest) = list.split_once('\n').unwrap();
    if first.trim_end().ends_with(']') {
        return texts(first);
    }
    let lines = rest.lines().take_while(|line| *line != "]");
    lines
        .filter_map(|line| texts(line).into_iter().next())
        .collect()
}

/// Whether an SPDX expression offers a way that is allowed throughout.
fn is_allowed(expression: &str, allowed: &[String]) -> bool {
    // Crates from before SPDX wrote `/`, and an exception belongs to its licence.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace(" WITH ", "+WITH+");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let (is_allowed, rest) = any(&words, allowed);
    is_allowed && rest.is_empty()
}

fn any<'a>(words: &'a [&'a str], allowed: &[String]) -> (bool, &'a [&'a str]) {
    let (mut is_allowed, mut rest) = all(words, allowed);
    while let ["OR", more @ ..] = rest {
        let (other, after) = all(more, allowed);
        (is_allowed, rest) = (is_allowed | other, after);
    }
    (is_allowed, rest)
}

fn all<'a>(words: &'a [&'a str], allowed: &[String]) -> (bool, &'a [&'a str]) {
    let (mut is_allowed, mut rest) = one(words, allowed);
    while let ["AND", more @ ..] = rest {
        let (other, after) = one(more, allowed);
        (is_allowed, rest) = (is_allowed & other, after);
    }
    (is_allowed, rest)
}

fn one<'a>(words: &'a [&'a str], allowed: &[String]) -> (bool, &'a [&'a str]) {
    match words {
        ["(", inner @ ..] => match any(inner, allowed) {
            (is_allowed, [")", rest @ ..]) => (is_allowed, rest),
            (_, rest) => (false, rest),
        },
        [word, rest @ ..] => {
            let licence = word.replace("+WITH+", " WITH ");
            (allowed.contains(&licence), rest)
        }
        [] => (false, words),
    }
}

#[test]
fn everything_comes_from_the_registry_or_from_here() {
    // The lock file has all platforms, and `cargo … --locked` builds nothing else.
    let lock = read("Cargo.lock");
    let mut from_here = 0;
    for package in lock.split("[[package]]\n").skip(1) {
        let field = |name: &str| {
            let prefix = format!("{name} = \"");
            let line = package.lines().find_map(|line| line.strip_prefix(&prefix));
            line.map(|line| line.trim_end_matches('"'))
        };
        match (field("source"), field("checksum")) {
            (None, None) => from_here += 1,
            (Some(CRATES_IO), Some(sum)) if sum.len() == 64 => {}
            other => panic!("{:?} comes from {other:?}", field("name")),
        }
    }
    assert_eq!(from_here, metadata().workspace_packages().len());
}

#[test]
fn what_is_banned_is_nowhere_on_no_platform() {
    let banned = denied("[bans]", "deny");
    assert_eq!(banned, ["openssl", "openssl-sys", "native-tls"]);
    let lock = read("Cargo.lock");
    for name in banned {
        assert!(!lock.contains(&format!("\nname = \"{name}\"\n")), "{name}");
    }
}

#[test]
fn reqwest_decodes_nothing_by_itself() {
    let denied = denied("crate = \"reqwest\"", "deny");
    for feature in ["gzip", "brotli", "deflate", "zstd"] {
        assert!(denied.iter().any(|denied| denied == feature), "{feature}");
    }
    let metadata = metadata();
    let resolve = metadata.resolve.as_ref().unwrap();
    let mut count = 0;
    for node in &resolve.nodes {
        if metadata[&node.id].name.as_str() == "reqwest" {
            count += 1;
            for feature in &node.features {
                assert!(!denied.contains(&feature.to_string()), "{feature}");
            }
        }
    }
    assert_eq!(count, 1, "reqwest is there once");
}

/// `cxr` signs in as people do, with SSO; a function has a role. Each is built with `-p`, so that features stay apart.
#[test]
fn no_function_has_code_for_signing_in_as_a_person() {
    let tree = |package: &str| {
        let cargo = Command::new(env!("CARGO"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args([
                "tree",
                "--locked",
                "--offline",
                "--edges",
                "normal",
                "--prefix",
                "none",
                "-p",
                package,
            ])
            .output();
        String::from_utf8(cargo.unwrap().stdout).unwrap()
    };
    assert!(tree("operator").contains("aws-sdk-sso "));
    for function in local::handlers::NAMES {
        let tree = tree(function);
        assert!(tree.starts_with(function), "{tree}");
        assert!(!tree.contains("aws-sdk-sso"), "{function}");
    }
}

#[test]
fn every_licence_is_one_that_we_can_meet() {
    let allowed = denied("[licenses]", "allow");
    for package in metadata().packages {
        let licence = package.license.as_deref().unwrap_or_default();
        assert!(
            is_allowed(licence, &allowed),
            "{} {}: {licence:?} is not allowed by deny.toml",
            package.name,
            package.version
        );
    }
}

#[test]
fn an_expression_is_read_as_spdx_means_it() {
    let allowed = ["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned);
    for good in [
        "MIT",
        "GPL-3.0-only OR MIT",
        "MIT/Apache-2.0",
        "ISC AND (GPL-2.0 OR MIT)",
        "GPL-2.0 AND BSD-2-Clause OR MIT",
        "Apache-2.0 WITH LLVM-exception",
    ] {
        assert!(is_allowed(good, &allowed), "{good}");
    }
    for bad in [
        "",
        "GPL-3.0-only",
        "AGPL-3.0-only",
        "MIT AND GPL-3.0-only",
        "ISC AND (GPL-2.0 OR LGPL-2.1)",
        "Apache-2.0",
        "(MIT",
        "MIT)",
        "MIT MIT",
        "MIT AND",
    ] {
        assert!(!is_allowed(bad, &allowed), "{bad}");
    }
}

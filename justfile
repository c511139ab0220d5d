# Names for the scripts and commands of this repository. Nothing depends on it: each recipe is what you would type.
# `just` lists them (https://just.systems).

_default:
    @just --list --unsorted

# compile everything, tests included
build:
    cargo build --workspace --all-targets --locked

# the test command of the README
test:
    cargo test --workspace --locked

# one report on this machine, from the event to the commit; arguments as in `just demo --api data-extraction`
demo *arguments:
    cargo run -p local -- {{ arguments }}

# format and lints, as CI runs them
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo clippy -p pipeline-tests --test consumer --test moto --test rights --test bench --locked -- -D warnings

# rewrite what is generated in the documents, such as the picture of the state machine
docs:
    UPDATE_DOCS=1 cargo test -p pipeline-tests --test documents --locked

# the crates' documentation, with broken links as errors
rustdoc:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# random schedules of kills, lost answers and clocks against the decisions that are deployed
simulate seeds="10000":
    SIMULATION_SEEDS={{ seeds }} cargo test -p pipeline-tests --test simulation --locked -- --nocapture

# the example consumer over what the handlers delivered; needs Python
consumer:
    tests/consumer/run

# the Delta table in engines that are not ours; needs Python
table:
    tests/table/run

# tables in real warehouses; needs Python and PostgreSQL's server
warehouses:
    tests/warehouses/run

# fetch-page beside the limit and beside what teams write instead; needs Python
bench *arguments:
    tests/bench/run {{ arguments }}

# the handlers over moto in place of our own AWS, then the template's rights enforced; needs Python
moto:
    tests/moto/run
    tests/moto/rights

# both templates, the state machine and the packed release, checked without an account; needs Python and Node
infra-check:
    infra/check

# a release of this commit: archives, CDK package, components and sums; needs Python and Node
release:
    infra/release

# known vulnerabilities of dependencies; needs cargo-deny and its database
advisories:
    cargo deny check advisories

# everything that CI runs
ci:
    .ci/run

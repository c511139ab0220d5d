//! A backfill of forty days with the deployed executables: `cxr` killed after its first line, everything that runs locally killed
//! twice, a cancel, and the daily run in the middle. The tenant and the bucket outlive all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use asl::{Clock, Status};
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use clap::Parser as _;
use cxone_sim::Tenant;
use jiff::{SignedDuration, Timestamp};
use local::world::{BACKFILL_ARN, STATE_MACHINE_ARN, TenantOptions};
use local::{Handlers, Options, World};
use operator::{Cli, CommandError, Context, run};
use serde_json::{Value, json};
use tokio::sync::Notify;

use pipeline_tests::harness::{time, while_it_moves};

const DAYS: &str = "2026-10-12..2026-11-20";
const COUNT: usize = 40;

/// What outlives a world: the tenant, the bucket and the time.
struct OutsideWorld {
    clock: Clock,
    tenant: Tenant,
    folder: tempfile::TempDir,
    definition: Value,
}

impl OutsideWorld {
    async fn open(now: &str) -> Self {
        let clock = Clock::virtual_at(time(now));
        let options = cxone_sim::Options {
            rows: 50,
            page_size: 50,
            queued: Duration::from_secs(20),
            processing: Duration::from_secs(40),
            now: clock.now_fn(),
            ..cxone_sim::Options::default()
        };
        let path = local::handlers::workspace().join("infra/reports/daily-agent-performance.json");
        Self {
            tenant: Tenant::start(options).await.unwrap(),
            folder: tempfile::tempdir().unwrap(),
            definition: serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap(),
            clock,
        }
    }

    /// Everything that runs locally, with what it finds.
    async fn start(&self) -> World {
        let options = cxone_sim::Options::default();
        let secret = json!({
            "base_url": self.tenant.base_url(),
            "token_url": self.tenant.token_url(),
            "client_id": options.client_id,
            "client_secret": options.client_secret,
        });
        let handlers = Handlers::from_env().await.unwrap();
        let mut options = Options::new(handlers, self.clock.clone(), options);
        options.tenant = TenantOptions::Remote(secret.to_string());
        options.folder = Some(self.folder.path().to_owned());
        World::start(options).await.unwrap()
    }

    /// The window of the day before is delivered at its time. How long that takes.
    async fn deliver_daily(&self, world: &World, at: &str) -> SignedDuration {
        drop(self.clock.sleep_until(time(at)).await);
        let event = local::scheduled_event(self.definition.clone(), time(at));
        let ended = while_it_moves(world, world.run(event.to_json())).await;
        let ended = ended.unwrap();
        assert_eq!(ended.status, Status::Succeeded, "{ended:?}");
        ended.stopped.unwrap().duration_since(ended.started)
    }

    /// Lets time pass until so many versions are in the log.
    async fn wait_for_versions(&self, world: &World, count: usize) {
        let is_short = || world.log().unwrap().len() < count;
        while_it_moves(world, self.let_time_pass(is_short)).await;
    }

    /// Lets time pass until nothing runs.
    async fn wait_until_still(&self, world: &World) {
        let runs = |machine| world.engine().list(machine, Some(Status::Running)).len();
        let is_busy = || runs(STATE_MACHINE_ARN) + runs(BACKFILL_ARN) > 0;
        while_it_moves(world, self.let_time_pass(is_busy)).await;
    }

    async fn let_time_pass(&self, goes_on: impl Fn() -> bool) {
        while goes_on() {
            let later = self.clock.now() + SignedDuration::from_secs(10);
            drop(self.clock.sleep_until(later).await);
        }
    }

    /// Runs a command while time stands still.
    async fn cxr(&self, world: &World, args: &[&str]) -> (Result<u8, CommandError>, String) {
        let mut out = Vec::new();
        let result = self.run_command(world, args, &mut out).await;
        (result, String::from_utf8(out).unwrap())
    }

    async fn run_command(
        &self,
        world: &World,
        args: &[&str],
        out: &mut dyn Write,
    ) -> Result<u8, CommandError> {
        let _still = self.clock.busy();
        let machine = ["--state-machine", STATE_MACHINE_ARN];
        let cli = Cli::try_parse_from([&["cxr"], args, &machine].concat()).unwrap();
        let context = Context {
            out,
            now: self.clock.now(),
            pause: Duration::ZERO,
            width: None,
            cache: Some(self.folder.path().join("cache")),
            answer: None,
            aws: async || connect(&world.gateway().url()),
        };
        run(cli, context).await
    }

    async fn backfill(&self, world: &World) -> String {
        let args = ["backfill", "daily-agent-performance", DAYS, "--yes"];
        let (result, out) = self.cxr(world, &args).await;
        assert_eq!(result.unwrap(), 0, "{out}");
        out
    }

    /// Kills the command as soon as it has written a line: whatever it asked AWS for at that moment, nobody takes the answer.
    async fn kill_after_first_line(&self, world: &World) {
        let args = ["backfill", "daily-agent-performance", DAYS, "--yes"];
        let written = Arc::new(Notify::new());
        let mut out = FirstLine(Arc::clone(&written));
        tokio::select! {
            biased;
            () = written.notified() => {}
            ended = self.run_command(world, &args, &mut out) => panic!("it wrote nothing: {ended:?}"),
        }
    }

    /// How many runs of each window there were at CXone.
    fn count_runs(&self) -> BTreeMap<Timestamp, usize> {
        let mut runs = BTreeMap::new();
        for run in self.tenant.runs() {
            *runs.entry(run.window.start).or_default() += 1;
        }
        runs
    }
}

/// Says that a line was written.
struct FirstLine(Arc<Notify>);

impl Write for FirstLine {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.notify_one();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn connect(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build()
}

/// The windows of the log, each as often as it was committed.
fn committed(world: &World) -> Vec<Timestamp> {
    let log = world.log().unwrap();
    log.iter().map(|commit| commit.window.start()).collect()
}

#[tokio::test]
async fn forty_days_survive_every_kill_and_no_daily_run_is_later() {
    let outside = OutsideWorld::open("2026-11-22T05:30:00Z").await;
    let world = outside.start().await;
    let usual = outside.deliver_daily(&world, "2026-11-22T05:30:00Z").await;
    drop(
        outside
            .clock
            .sleep_until(time("2026-11-23T04:45:00Z"))
            .await,
    );
    // It runs or it does not: the same command finds out.
    outside.kill_after_first_line(&world).await;
    let out = outside.backfill(&world).await;
    assert!(
        out.starts_with(
            "40 windows; 40 to do, 2 at once, the newest first: 2026-11-20 to 2026-10-12\n"
        ) || out.contains("runs"),
        "{out}"
    );
    assert_eq!(
        world.engine().list(BACKFILL_ARN, None).len(),
        1,
        "one, whoever started it"
    );
    let in_the_middle = outside.deliver_daily(&world, "2026-11-23T05:30:00Z").await;
    assert_eq!(in_the_middle, usual, "the daily run is not later");
    let done = world.log().unwrap().len();
    assert!((4..COUNT).contains(&done), "{done}: it was in the middle");

    // Everything that runs locally is killed, twice, with windows under way.
    let mut unfinished = BTreeSet::new();
    let mut world = world;
    for versions in [done + 4, done + 8] {
        outside.wait_for_versions(&world, versions).await;
        drop(world);
        let runs: BTreeSet<Timestamp> = outside.count_runs().into_keys().collect();
        world = outside.start().await;
        let have = BTreeSet::from_iter(committed(&world));
        unfinished.extend(runs.difference(&have).copied());
        let out = outside.backfill(&world).await;
        assert!(out.contains("backfill bf-"), "{out}");
    }

    // One that is cancelled leaves what runs to end by itself, and what is left to the same command.
    outside.wait_for_versions(&world, done + 12).await;
    let id = world.engine().list(BACKFILL_ARN, Some(Status::Running))[0]
        .name
        .clone();
    let (result, out) = outside.cxr(&world, &["backfill", "cancel", &id]).await;
    assert_eq!(result.unwrap(), 0, "{out}");
    assert!(out.starts_with("cancelled; "), "{out}");
    outside.wait_until_still(&world).await;
    let (result, out) = outside.cxr(&world, &["backfill", "show", &id]).await;
    assert_eq!(result.unwrap(), 5, "{out}");
    assert!(
        out.ends_with(&format!(
            "    cxr backfill daily-agent-performance-aggregation {}\n",
            range_of(&world, &id)
        )),
        "{out}"
    );
    outside.backfill(&world).await;
    outside.wait_until_still(&world).await;

    let out = outside.backfill(&world).await;
    assert_eq!(out, "40 windows: 40 committed; nothing to do\n");
    let (mut windows, versions) = (committed(&world), world.log().unwrap().len());
    windows.sort_unstable();
    windows.dedup();
    assert_eq!(
        (windows.len(), versions),
        (COUNT + 2, COUNT + 2),
        "each once"
    );
    for (window, count) in outside.count_runs() {
        let most = if unfinished.contains(&window) { 2 } else { 1 };
        assert!(count <= most, "{window} was asked for {count} times");
    }
    let (result, out) = outside
        .cxr(&world, &["backfill", "list", "--format", "json"])
        .await;
    assert_eq!(result.unwrap(), 0, "{out}");
    let list: Value = serde_json::from_str(&out).unwrap();
    let states: Vec<&Value> = list["backfills"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| &it["status"])
        .collect();
    assert_eq!(
        states,
        ["done", "cancelled"],
        "those before the last kill are forgotten: {out}"
    );
}

/// The days that a backfill was started for.
fn range_of(world: &World, id: &str) -> String {
    let run = world.engine().list(BACKFILL_ARN, None);
    let run = run.iter().find(|run| run.name == id).unwrap();
    let windows = run.input["windows"].as_array().unwrap();
    let day = |window: &Value| window.as_str().unwrap()[..10].to_owned();
    format!("{}..{}", day(windows.last().unwrap()), day(&windows[0]))
}

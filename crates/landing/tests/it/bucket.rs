//! A bucket of the local S3 in a temporary folder, with faults.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use hyper::Method;
use landing::{Config, Store};
use local_aws::lambda::LambdaHost;
use local_aws::{Action, Call, Gateway, Services};
use tempfile::TempDir;

pub(crate) const NAME: &str = "landing-zone";

/// What happens instead of a good answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// This status and error code; nothing is done.
    Refuse(u16, &'static str),
    /// It is done, but the connection closes without an answer.
    LoseAnswer,
    /// It is done, but this status and error code are the answer.
    DoneBut(u16, &'static str),
    /// Half of the body, then the connection closes.
    CutBody,
}

#[derive(Debug)]
struct Rule {
    method: Method,
    /// What the path with its query contains.
    part: &'static str,
    times: usize,
    fault: Fault,
}

/// A bucket of its own for a test.
pub(crate) struct Bucket {
    root: TempDir,
    rules: Arc<Mutex<Vec<Rule>>>,
    services: Services,
    _gateway: Gateway,
    client: aws_sdk_s3::Client,
}

impl Bucket {
    pub(crate) async fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let services = Services::open(root.path(), LambdaHost::start().await.unwrap()).unwrap();
        services.s3.store().create_bucket(NAME).unwrap();
        let gateway = Gateway::start(([127, 0, 0, 1], 0).into(), services.clone());
        let gateway = gateway.await.unwrap();
        let rules = Arc::<Mutex<Vec<Rule>>>::default();
        let held = Arc::clone(&rules);
        gateway.set_hook(move |call| next_action(&held, call));
        let config = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .credentials_provider(Credentials::new("id", "local", None, None, "test"))
            .region(Region::new("eu-central-1"))
            .endpoint_url(gateway.url())
            .force_path_style(true)
            .retry_config(RetryConfig::standard().with_initial_backoff(Duration::from_millis(1)))
            .build();
        Self {
            root,
            rules,
            services,
            _gateway: gateway,
            client: aws_sdk_s3::Client::from_conf(config),
        }
    }

    pub(crate) fn store(&self) -> Store {
        self.store_of("")
    }

    /// The bucket, which has to be in this account.
    pub(crate) fn store_of(&self, owner: &str) -> Store {
        let config = Config {
            bucket: NAME.to_owned(),
            prefix: String::new(),
            owner: owner.to_owned(),
        };
        Store::new(self.client.clone(), config)
    }

    /// The next `times` requests of this method to a path or query with this part in it go wrong.
    pub(crate) fn fault(&self, method: Method, part: &'static str, times: usize, fault: Fault) {
        self.rules().push(Rule {
            method,
            part,
            times,
            fault,
        });
    }

    pub(crate) fn heal(&self) {
        self.rules().clear();
    }

    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores an object, whatever is there.
    pub(crate) async fn put(&self, key: &str, body: &[u8]) {
        self.client
            .put_object()
            .bucket(NAME)
            .key(key)
            .body(ByteStream::from(body.to_vec()))
            .send()
            .await
            .unwrap();
    }

    /// Puts an empty object where the server finds it.
    pub(crate) fn place(&self, key: &str) {
        let path = self.root.path().join(NAME).join(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"").unwrap();
    }

    /// The stored bytes; none if there is no such object.
    pub(crate) fn stored(&self, key: &str) -> Option<Vec<u8>> {
        std::fs::read(self.root.path().join(NAME).join(key)).ok()
    }

    pub(crate) fn remove(&self, key: &str) {
        std::fs::remove_file(self.root.path().join(NAME).join(key)).unwrap();
    }

    /// Uploads that are neither complete nor aborted.
    pub(crate) fn open_uploads(&self) -> usize {
        self.services.s3.store().open_uploads().len()
    }
}

/// What the first rule that fits says of a call.
fn next_action(rules: &Mutex<Vec<Rule>>, call: &Call) -> Action {
    let method = match &*call.operation {
        "PutObject" | "UploadPart" => Method::PUT,
        "CreateMultipartUpload" | "CompleteMultipartUpload" => Method::POST,
        "AbortMultipartUpload" => Method::DELETE,
        _ => Method::GET,
    };
    let target = format!("{}?{}", call.resource, call.query);
    let mut rules = rules.lock().unwrap_or_else(PoisonError::into_inner);
    let mut open = rules.iter_mut().filter(|rule| rule.times > 0);
    let Some(rule) = open.find(|rule| rule.method == method && target.contains(rule.part)) else {
        return Action::Pass;
    };
    rule.times -= 1;
    let (code, message) = (str::to_owned, "as requested".to_owned());
    match rule.fault {
        Fault::Refuse(status, name) => Action::Refuse {
            status,
            code: code(name),
            message,
        },
        Fault::DoneBut(status, name) => Action::RefuseAfter {
            status,
            code: code(name),
            message,
        },
        Fault::LoseAnswer => Action::LoseAnswer,
        Fault::CutBody => Action::CutBody,
    }
}

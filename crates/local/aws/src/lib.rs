#![doc = include_str!("../README.md")]

//! Signatures are not verified: whoever reaches the port may do everything, which is why it is only ever opened on loopback. The access
//! key is read, though: a handler's names the process, so that a [`Hook`] knows who asks.

mod hook;
mod http;
mod invoke;
pub mod lambda;
mod reply;
mod s3;
mod secrets;
mod states;
mod topics;

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, PoisonError, RwLock};

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use tokio::net::TcpListener;

pub use hook::{Action, Call, Hook, Service};
pub use s3::{S3, Store};
pub use secrets::Secrets;
pub use topics::{Publication, Topics};

use crate::http::{Body, Cut, Server, text};
use crate::lambda::{Caller, LambdaHost};
use hook::Journal;
pub use states::StateMachines;

/// The services behind the port.
#[derive(Clone)]
pub struct Services {
    /// Objects.
    pub s3: S3,
    /// Secrets.
    pub secrets: Secrets,
    /// Topics, whose messages are kept.
    pub topics: Topics,
    /// Functions.
    pub lambda: LambdaHost,
    /// Executions.
    pub states: StateMachines,
}

impl Services {
    /// Empty services whose objects are in the folder `root`.
    ///
    /// # Errors
    /// When the folder can't be used.
    pub fn open(root: &std::path::Path, lambda: LambdaHost) -> io::Result<Self> {
        Ok(Self {
            s3: S3::open(root)?,
            secrets: Secrets::default(),
            topics: Topics::default(),
            lambda,
            states: StateMachines::default(),
        })
    }
}

/// The port. It closes when it is dropped.
pub struct Gateway {
    server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    services: Services,
    hook: RwLock<Option<Hook>>,
    journal: Journal,
}

impl Gateway {
    /// Opens the port; port 0 takes any that is free.
    ///
    /// # Errors
    /// When the port can't be had.
    pub async fn start(listen: SocketAddr, services: Services) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let shared = Arc::new(Shared {
            services,
            hook: RwLock::default(),
            journal: Journal::default(),
        });
        let server = Server::start(listener, service(Arc::clone(&shared)))?;
        Ok(Self { server, shared })
    }

    /// The URL for `AWS_ENDPOINT_URL`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Asks this closure what to do with every call from now on.
    pub fn set_hook(&self, hook: impl Fn(&Call) -> Action + Send + Sync + 'static) {
        let mut held = self
            .shared
            .hook
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *held = Some(Arc::new(hook));
    }

    /// Lets every call pass again.
    pub fn clear_hook(&self) {
        let mut held = self
            .shared
            .hook
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        *held = None;
    }

    /// The calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.journal.calls()
    }
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Body>, Cut>> + Send>>;

fn service(
    shared: Arc<Shared>,
) -> impl Fn(Request<Incoming>) -> Answering + Clone + Send + Sync + 'static {
    move |request| {
        let shared = Arc::clone(&shared);
        Box::pin(async move { shared.serve(request).await })
    }
}

/// A request on its way to its service.
enum Routed {
    S3(s3::S3Call),
    Secrets(String),
    States(String),
    Sns,
    Lambda(String),
}

impl Routed {
    /// Finds the service by the target header, by the path, or by the service that the request was signed for.
    fn find(request: &Request<Incoming>) -> Self {
        let target = text(request.headers(), "x-amz-target");
        if let Some(operation) = target.strip_prefix("secretsmanager.") {
            return Self::Secrets(operation.to_owned());
        }
        if let Some(operation) = target.strip_prefix("AWSStepFunctions.") {
            return Self::States(operation.to_owned());
        }
        let function = request.uri().path().strip_prefix("/2015-03-31/functions/");
        if let Some(function) = function.and_then(|path| path.strip_suffix("/invocations")) {
            return Self::Lambda(function.to_owned());
        }
        let form = text(request.headers(), "content-type")
            .starts_with("application/x-www-form-urlencoded");
        if request.method() == Method::POST && request.uri().path() == "/" && form {
            return Self::Sns;
        }
        Self::S3(s3::S3Call::read(request))
    }
}

impl Shared {
    async fn serve(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let caller = access_key(&request).and_then(Caller::parse);
        match Routed::find(&request) {
            Routed::S3(call) => {
                let resource = format!("{}/{}", call.bucket, call.key);
                let head = request.method() == Method::HEAD;
                let seen = Call::new(Service::S3, call.operation, &resource, caller);
                let refuse = |status, code: &str, message: &str| {
                    reply::S3Error::new(status, code, message).respond(&resource, head)
                };
                let carry_out = async {
                    let answer = self.services.s3.answer(call, request).await;
                    answer.unwrap_or_else(|error| error.respond(&resource, head))
                };
                self.hooked(seen, carry_out, refuse).await
            }
            Routed::Lambda(name) => {
                let seen = Call::new(Service::Lambda, "Invoke", &name, caller);
                let carry_out = invoke::answer(&self.services.lambda, &name, request);
                self.hooked(seen, carry_out, json_refusal("application/json"))
                    .await
            }
            Routed::Sns => {
                let form = http::read(request.into_body(), 1 << 20).await;
                let form = topics::Form::parse(&form.unwrap_or_default());
                let seen = Call::new(Service::Sns, form.action(), form.topic(), caller);
                let carry_out = async { self.services.topics.answer(&form) };
                self.hooked(seen, carry_out, json_refusal("application/json"))
                    .await
            }
            Routed::Secrets(operation) => {
                let body = http::read(request.into_body(), 1 << 20).await;
                let input = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
                let resource = secrets::resource(&input);
                let seen = Call::new(Service::Secrets, &operation, resource, caller);
                let carry_out = async { self.services.secrets.answer(&operation, &input) };
                self.hooked(seen, carry_out, json_refusal(secrets::CONTENT_TYPE))
                    .await
            }
            Routed::States(operation) => {
                let body = http::read(request.into_body(), 2 << 20).await;
                let input = serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default();
                let seen = Call::new(Service::States, &operation, "", caller);
                let carry_out = async { self.services.states.answer(&operation, &input) };
                self.hooked(seen, carry_out, json_refusal(states::CONTENT_TYPE))
                    .await
            }
        }
    }

    /// Carries a call out the way the hook wants it.
    async fn hooked(
        &self,
        call: Call,
        carry_out: impl Future<Output = Response<Body>>,
        refuse: impl FnOnce(StatusCode, &str, &str) -> Response<Body>,
    ) -> Result<Response<Body>, Cut> {
        let caller = call.caller.clone();
        let call = self.journal.number(call);
        let hook = self
            .hook
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        match hook.map_or(Action::Pass, |hook| hook(&call)) {
            Action::Pass => Ok(carry_out.await),
            Action::Refuse {
                status,
                code,
                message,
            } => {
                let status =
                    StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Ok(refuse(status, &code, &message))
            }
            Action::Cut => Err(Cut),
            Action::LoseAnswer => {
                let _ = carry_out.await;
                Err(Cut)
            }
            Action::KillBefore => {
                self.kill(caller.as_ref()).await;
                Err(Cut)
            }
            Action::KillAfter => {
                let _ = carry_out.await;
                self.kill(caller.as_ref()).await;
                Err(Cut)
            }
        }
    }

    async fn kill(&self, caller: Option<&Caller>) {
        if let Some(caller) = caller {
            self.services.lambda.kill_caller(caller).await;
        }
    }
}

fn json_refusal(
    content_type: &'static str,
) -> impl FnOnce(StatusCode, &str, &str) -> Response<Body> {
    move |status, code, message| {
        let error = reply::JsonError {
            status,
            code: code.to_owned(),
            message: message.to_owned(),
        };
        error.respond(content_type)
    }
}

/// The access key of a signed request.
fn access_key(request: &Request<Incoming>) -> Option<&str> {
    let authorization = text(request.headers(), "authorization");
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').next()
}

//! The port: finds the service of a request and carries the call out the way fault injection wants it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;

use crate::fault_injection::{Action, Call, FaultInjection, Service};
use crate::http::{self, Body, Cut, Server, text};
use crate::lambda::{Caller, PAYLOAD_LIMIT};
use crate::response::JsonError;
use crate::{Services, cloudwatch_logs, invoke, s3, scheduler, secrets, sns, stepfunctions};

/// The port. It closes when it is dropped.
pub struct Gateway {
    server: Server,
    shared: Arc<Shared>,
}

struct Shared {
    services: Services,
    s3: s3::Protocol,
    faults: Arc<FaultInjection>,
}

impl Gateway {
    /// Opens the port; port 0 takes any that is free.
    ///
    /// # Errors
    /// When the port can't be had.
    pub async fn start(listen: SocketAddr, services: Services) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let faults = Arc::<FaultInjection>::default();
        let shared = Arc::new(Shared {
            s3: s3::Protocol::new(&services.s3, Arc::clone(&faults)),
            services,
            faults,
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
        self.shared.faults.set_hook(Some(Arc::new(hook)));
    }

    /// Lets every call pass again.
    pub fn clear_hook(&self) {
        self.shared.faults.set_hook(None);
    }

    /// The calls so far.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.faults.calls()
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

/// The service of a request, with what its path or its target header says of the call.
enum Route {
    S3,
    Secrets(String),
    States(String),
    Logs(String),
    Sns,
    Lambda(String),
    Scheduler,
}

impl Route {
    fn find(request: &Request<Incoming>) -> Self {
        let target = text(request.headers(), "x-amz-target");
        if let Some(operation) = target.strip_prefix("secretsmanager.") {
            return Self::Secrets(operation.to_owned());
        }
        if let Some(operation) = target.strip_prefix("AWSStepFunctions.") {
            return Self::States(operation.to_owned());
        }
        if let Some(operation) = target.strip_prefix("Logs_20140328.") {
            return Self::Logs(operation.to_owned());
        }
        let function = request.uri().path().strip_prefix("/2015-03-31/functions/");
        if let Some(function) = function.and_then(|path| path.strip_suffix("/invocations")) {
            return Self::Lambda(function.to_owned());
        }
        // Its paths could as well be those of a bucket, so that the signature says whose they are.
        if read_credential(request).is_some_and(|it| it.split('/').nth(3) == Some("scheduler")) {
            return Self::Scheduler;
        }
        let is_form = text(request.headers(), "content-type")
            .starts_with("application/x-www-form-urlencoded");
        if request.method() == Method::POST && request.uri().path() == "/" && is_form {
            return Self::Sns;
        }
        Self::S3
    }
}

impl Shared {
    async fn serve(&self, request: Request<Incoming>) -> Result<Response<Body>, Cut> {
        let caller = read_access_key(&request).and_then(Caller::parse);
        let services = &self.services;
        match Route::find(&request) {
            Route::S3 => {
                let (action, response) = self.s3.answer(request, caller.clone()).await;
                let response = response.ok();
                self.finish(&action, caller.as_ref(), response, s3::refuse)
                    .await
            }
            Route::Lambda(name) => {
                let (head, body) = request.into_parts();
                let payload = http::read(body, PAYLOAD_LIMIT).await;
                let call = Call::new(Service::Lambda, "Invoke", &name, caller);
                let answer = invoke::answer(&services.lambda, &name, &head.headers, payload);
                self.call(call, answer, "application/json").await
            }
            Route::Sns => {
                let form = http::read(request.into_body(), 1 << 20).await;
                let form = sns::Form::parse(&form.unwrap_or_default());
                let call = Call::new(Service::Sns, form.action(), form.topic(), caller);
                let answer = async { services.topics.answer(&form) };
                self.call(call, answer, "application/json").await
            }
            Route::Secrets(operation) => {
                let input = read_json(request).await;
                let secret = secrets::resource(&input);
                let call = Call::new(Service::Secrets, &operation, secret, caller);
                let answer = async { services.secrets.answer(&operation, &input) };
                self.call(call, answer, secrets::CONTENT_TYPE).await
            }
            Route::States(operation) => {
                let input = read_json(request).await;
                let call = Call::new(Service::States, &operation, "", caller);
                let answer = async { services.states.answer(&operation, &input) };
                self.call(call, answer, stepfunctions::CONTENT_TYPE).await
            }
            Route::Logs(operation) => {
                let input = read_json(request).await;
                let group = cloudwatch_logs::resource(&input);
                let call = Call::new(Service::Logs, &operation, group, caller);
                let answer =
                    async { cloudwatch_logs::answer(&services.lambda, &operation, &input) };
                self.call(call, answer, cloudwatch_logs::CONTENT_TYPE).await
            }
            Route::Scheduler => {
                let (method, uri) = (request.method().clone(), request.uri().clone());
                let asked = scheduler::Call::new(&method, &uri, read_json(request).await);
                let call = Call::new(Service::Scheduler, asked.operation(), &asked.name, caller);
                let answer = async { services.schedules.answer(&asked) };
                self.call(call, answer, scheduler::CONTENT_TYPE).await
            }
        }
    }

    /// Carries a call out, unless fault injection forbids it.
    async fn call(
        &self,
        call: Call,
        answer: impl Future<Output = Response<Body>>,
        content_type: &'static str,
    ) -> Result<Response<Body>, Cut> {
        let caller = call.caller.clone();
        let action = self.faults.decide(call);
        let response = if action.forbids_the_call() {
            None
        } else {
            Some(answer.await)
        };
        let refuse = |status, code: &str, message: &str| {
            let error = JsonError {
                status,
                code: code.to_owned(),
                message: message.to_owned(),
            };
            error.respond(content_type)
        };
        self.finish(&action, caller.as_ref(), response, refuse)
            .await
    }

    /// Answers the way fault injection wants it.
    async fn finish(
        &self,
        action: &Action,
        caller: Option<&Caller>,
        response: Option<Response<Body>>,
        refuse: impl FnOnce(StatusCode, &str, &str) -> Response<Body>,
    ) -> Result<Response<Body>, Cut> {
        match action {
            Action::Pass => response.ok_or(Cut),
            Action::Refuse {
                status,
                code,
                message,
            }
            | Action::RefuseAfter {
                status,
                code,
                message,
            } => {
                let status = StatusCode::from_u16(*status);
                let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                Ok(refuse(status, code, message))
            }
            Action::Cut | Action::LoseAnswer => Err(Cut),
            Action::CutBody => match response {
                Some(response) => http::cut_body(response).await,
                None => Err(Cut),
            },
            Action::KillBefore | Action::KillAfter => {
                if let Some(caller) = caller {
                    self.services.lambda.kill_caller(caller).await;
                }
                Err(Cut)
            }
        }
    }
}

/// The body as JSON; null if it is none.
async fn read_json(request: Request<Incoming>) -> Value {
    let body = http::read(request.into_body(), 2 << 20).await;
    serde_json::from_slice(&body.unwrap_or_default()).unwrap_or_default()
}

/// The access key of a signed request.
fn read_access_key(request: &Request<Incoming>) -> Option<&str> {
    read_credential(request)?.split('/').next()
}

/// Who signed a request, and for what: the access key, the day, the region and the service.
fn read_credential(request: &Request<Incoming>) -> Option<&str> {
    let authorization = text(request.headers(), "authorization");
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split(',').next()
}

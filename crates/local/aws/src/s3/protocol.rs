//! How `s3s` is set up: which callers it lets in, and where fault injection steps in.

use std::sync::{Arc, OnceLock};

use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::body::SharedBody;
use super::operations::Operations;
use super::{BUCKET_OWNER, S3};
use crate::fault_injection::{Action, Call, FaultInjection, Service};
use crate::http::{Body, Cut, text};
use crate::lambda::Caller;

/// The secret of every access key.
const SECRET_ACCESS_KEY: &str = "local";

/// S3's protocol in front of the store.
pub(crate) struct Protocol(S3Service);

impl Protocol {
    pub(crate) fn new(s3: &S3, faults: Arc<FaultInjection>) -> Self {
        let mut builder = S3ServiceBuilder::new(Operations(Arc::clone(&s3.0)));
        builder.set_auth(AnyAccessKey);
        builder.set_access(FaultGate(faults));
        Self(builder.build())
    }

    /// Answers a request, and says which fault it met; a call that the fault forbids has not been carried out.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        caller: Option<Caller>,
    ) -> (Action, Result<Response<Body>, Cut>) {
        let (mut parts, body) = request.into_parts();
        let body = SharedBody::new(body);
        let decision = Decision {
            caller,
            action: Arc::default(),
        };
        parts.extensions.insert(decision.clone());
        let request = Request::from_parts(parts, s3s::Body::http_body_unsync(body.clone()));
        let response = self.0.call(request).await;
        let action = decision.action.get().cloned().unwrap_or(Action::Pass);
        if matches!(action, Action::Pass | Action::Refuse { .. }) {
            // As S3 does, which reads on so that the client gets to read the answer.
            body.drain().await;
        }
        let response = response.map_err(|_| Cut);
        let response =
            response.map(|it| it.map(|body| body.map_err(std::io::Error::other).boxed_unsync()));
        (action, response)
    }
}

/// An error that fault injection answers with.
pub(crate) fn refuse(status: StatusCode, code: &str, message: &str) -> Response<Body> {
    let code = S3ErrorCode::Custom(code.into());
    let mut error = S3Error::with_message(code, message.to_owned());
    error.set_status_code(status);
    match error.to_http_response() {
        Ok(response) => response.map(|body| body.map_err(std::io::Error::other).boxed_unsync()),
        Err(_) => crate::http::empty(status),
    }
}

/// What fault injection decided about the one call of a request; `s3s` carries it to [`FaultGate`].
#[derive(Clone)]
struct Decision {
    caller: Option<Caller>,
    action: Arc<OnceLock<Action>>,
}

/// Accepts every access key, because it names the process that calls; all of them have the same secret.
struct AnyAccessKey;

#[async_trait::async_trait]
impl S3Auth for AnyAccessKey {
    async fn get_secret_key(&self, _access_key: &str) -> S3Result<SecretKey> {
        Ok(SECRET_ACCESS_KEY.into())
    }
}

/// Asks fault injection once `s3s` knows the operation and before it is carried out. Unsigned calls pass too.
struct FaultGate(Arc<FaultInjection>);

#[async_trait::async_trait]
impl S3Access for FaultGate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let path = context.s3_path();
        let bucket = path.get_bucket_name().unwrap_or_default();
        let resource = format!("{bucket}/{}", path.get_object_key().unwrap_or_default());
        let operation = context.s3_op().name();
        let operation = operation.to_owned();
        let query = context.uri().query().unwrap_or_default().to_owned();
        let Some(decision) = context.extensions_mut().get::<Decision>() else {
            return Ok(());
        };
        let caller = decision.caller.clone();
        let mut call = Call::new(Service::S3, &operation, &resource, caller);
        call.query = query;
        let action = decision.action.get_or_init(|| self.0.decide(call));
        if action.forbids_the_call() {
            return Err(s3_error!(ServiceUnavailable, "fault injection forbids it"));
        }
        let expected = text(context.headers(), "x-amz-expected-bucket-owner");
        if !expected.is_empty() && expected != BUCKET_OWNER {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        Ok(())
    }
}

//! The channel that a flow's requests travel through, and who runs a flow.

use jiff::SignedDuration;
use tokio::sync::{mpsc, oneshot};

use super::{Answered, CasOutcome, Claimed, Elapsed, Responder, StoreEffect, Versioned};

/// A flow's side of the channel: requests effects of type `E`.
#[derive(Clone, Debug)]
pub struct Effects<E>(mpsc::UnboundedSender<E>);

impl<E> Effects<E> {
    /// Requests one effect and waits for its answer.
    pub async fn request<T>(&self, effect: impl FnOnce(Responder<T>) -> E) -> Answered<T> {
        let (responder, answer) = oneshot::channel();
        let asked = self.0.send(effect(responder));
        match (asked, answer.await) {
            (Ok(()), Ok(answer)) => answer,
            // The code that carries effects out is gone, so that there will never be an answer.
            _ => std::future::pending().await,
        }
    }
}

impl<E: From<Elapsed>> Effects<E> {
    pub async fn elapsed(&self) -> Answered<SignedDuration> {
        self.request(|responder| Elapsed(responder).into()).await
    }
}

impl<E: From<StoreEffect>> Effects<E> {
    pub async fn claim(&self, key: String, body: Vec<u8>) -> Answered<Claimed> {
        self.request(|responder| StoreEffect::Claim(key, body, responder).into())
            .await
    }

    pub async fn read_all(&self, keys: Vec<String>) -> Answered<Vec<Option<Vec<u8>>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.request(|responder| StoreEffect::Read(keys, responder).into())
            .await
    }

    pub async fn read(&self, key: String) -> Answered<Option<Vec<u8>>> {
        Ok(self.read_all(vec![key]).await?.pop().flatten())
    }

    pub async fn find(&self, key: String) -> Answered<Option<Versioned>> {
        self.request(|responder| StoreEffect::Find(key, responder).into())
            .await
    }

    pub async fn compare_and_swap(
        &self,
        key: String,
        body: Vec<u8>,
        found: Option<String>,
    ) -> Answered<CasOutcome> {
        self.request(|responder| {
            StoreEffect::CompareAndSwap {
                key,
                body,
                found,
                responder,
            }
            .into()
        })
        .await
    }

    pub async fn list_folders(
        &self,
        prefix: String,
        after: String,
        before: String,
    ) -> Answered<Vec<String>> {
        self.request(|responder| {
            StoreEffect::ListFolders {
                prefix,
                after,
                before,
                responder,
            }
            .into()
        })
        .await
    }

    pub async fn list(&self, prefix: String, after: Option<String>) -> Answered<Vec<String>> {
        self.request(|responder| {
            StoreEffect::List {
                prefix,
                after,
                responder,
            }
            .into()
        })
        .await
    }
}

/// Runs a flow, handing its effects one by one to `execute`.
pub async fn run_flow<E, T>(
    flow: impl AsyncFnOnce(Effects<E>) -> T,
    mut execute: impl AsyncFnMut(E),
) -> T {
    let (sender, mut effects) = mpsc::unbounded_channel();
    let mut flow = std::pin::pin!(flow(Effects(sender)));
    loop {
        tokio::select! {
            biased;
            output = &mut flow => return output,
            Some(effect) = effects.recv() => execute(effect).await,
        }
    }
}

/// Both ends of the channel, for code that polls a flow by hand.
#[must_use]
pub fn channel<E>() -> (Effects<E>, mpsc::UnboundedReceiver<E>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Effects(sender), receiver)
}

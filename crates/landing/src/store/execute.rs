//! Carrying out the effects that flows request.

use delivery::effects::StoreEffect;

use super::client::Store;

impl Store {
    /// Carries out one effect and answers it.
    pub async fn execute(&self, effect: StoreEffect) {
        // Send errors are ignored: the receiver is dropped when the flow is cancelled.
        match effect {
            StoreEffect::Find(key, responder) => {
                let _ = responder.send(self.find_versioned(&key).await);
            }
            StoreEffect::CompareAndSwap {
                key,
                body,
                found,
                responder,
            } => {
                let _ = responder.send(self.compare_and_swap(&key, body, found).await);
            }
            StoreEffect::Claim(key, body, responder) => {
                let _ = responder.send(self.claim(&key, body).await);
            }
            StoreEffect::Read(keys, responder) => {
                let _ = responder.send(self.read_all(keys).await);
            }
            StoreEffect::List {
                prefix,
                after,
                responder,
            } => {
                let _ = responder.send(self.list_keys(&prefix, after).await);
            }
            StoreEffect::ListFolders {
                prefix,
                after,
                before,
                responder,
            } => {
                let _ = responder.send(self.list_folders(&prefix, after, &before).await);
            }
        }
    }
}

//! How long something takes, by chance.

use jiff::SignedDuration;

use crate::rng::Rng;

impl Rng {
    /// Whole seconds, from 0 to `n - 1`.
    pub(crate) fn seconds(&mut self, n: u64) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.below(n)).unwrap())
    }
}

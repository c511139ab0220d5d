//! Random numbers from a seed, so that a run can be repeated.

/// `SplitMix64`: good enough for jitter and names, not for secrets.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    state: u64,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// At least 0 and below 1.
    pub(crate) fn next_fraction(&mut self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
        let bits = (self.next_u64() >> 11) as f64;
        bits / 9_007_199_254_740_992.0
    }

    /// A version 4 UUID.
    pub(crate) fn next_uuid(&mut self) -> String {
        let bits = u128::from(self.next_u64()) << 64 | u128::from(self.next_u64());
        let uuid = uuid::Builder::from_random_bytes(bits.to_be_bytes());
        uuid.into_uuid().to_string()
    }
}

//! Where to land, from a handler's environment.

use workflow::{Environment, Failure};

use crate::Config;

impl Config {
    /// Reads `LANDING_BUCKET` and `LANDING_PREFIX`; the prefix may be left out.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn read(env: &Environment) -> Result<Self, Failure> {
        Ok(Self {
            bucket: env.require("LANDING_BUCKET")?,
            prefix: env.optional("LANDING_PREFIX"),
        })
    }
}

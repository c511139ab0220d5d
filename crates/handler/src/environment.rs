//! The one place that reads the process's environment.

use delivery::Environment;

/// The environment of this process. Only `main` calls it, so that nothing else depends on it.
#[must_use]
pub fn process_environment() -> Environment {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where the environment is read"
    )]
    let lookup = |name: &str| std::env::var(name).ok();
    Environment::looked_up_by(lookup)
}

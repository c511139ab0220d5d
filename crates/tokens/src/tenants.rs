//! The tenants that a process serves, each with a session of its own.

use std::sync::{Mutex, PoisonError};

use aws_sdk_secretsmanager::Client as SecretsManager;
use definition::TenantId;
use delivery::{Environment, Failure};

use crate::{SecretNames, Session, Tokens};

/// How many tenants a process remembers. The one that was used longest ago makes room: its secrets are read again when it comes back.
const REMEMBERED: usize = 32;

/// Sessions by tenant. What one tenant's secret says, and the token that it was granted, reach no other tenant's calls.
#[derive(Debug)]
pub struct Tenants {
    prefix: String,
    secrets: SecretsManager,
    /// The one that was used last comes last.
    sessions: Mutex<Vec<(TenantId, Session)>>,
}

impl Tenants {
    /// Reads `CXONE_SECRET_PREFIX`. Nothing is called yet.
    ///
    /// # Errors
    /// `Cxone.Config`, naming the variable.
    pub fn from_environment(env: &Environment, secrets: SecretsManager) -> Result<Self, Failure> {
        Ok(Self {
            prefix: env.require("CXONE_SECRET_PREFIX")?,
            secrets,
            sessions: Mutex::default(),
        })
    }

    /// The session of a tenant. Its secret is read at the first call.
    #[must_use]
    pub fn open_session(&self, tenant: &TenantId) -> Session {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        let known = sessions.iter().position(|(known, _)| known == tenant);
        let session = match known {
            Some(at) => sessions.remove(at).1,
            None => self.make_session(tenant),
        };
        sessions.push((tenant.clone(), session.clone()));
        if sessions.len() > REMEMBERED {
            sessions.remove(0);
        }
        session
    }

    fn make_session(&self, tenant: &TenantId) -> Session {
        let names = SecretNames::new(&self.prefix, tenant);
        Session::new(Tokens::new(names, self.secrets.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant(text: &str) -> TenantId {
        text.parse().unwrap()
    }

    fn tenants(prefix: fn(&str) -> Option<String>) -> Result<Tenants, Failure> {
        let aws = aws_sdk_secretsmanager::Config::builder()
            .behavior_version_latest()
            .build();
        let environment = Environment::looked_up_by(prefix);
        Tenants::from_environment(&environment, SecretsManager::from_conf(aws))
    }

    #[test]
    fn the_prefix_is_all_that_the_environment_says() {
        let only = |name: &str| (name == "CXONE_SECRET_PREFIX").then(|| "cxone/".to_owned());
        assert!(tenants(only).is_ok());
        for missing in [(|_| None) as fn(&str) -> Option<String>, |_| {
            Some(String::new())
        }] {
            let failure = tenants(missing).unwrap_err();
            assert_eq!(failure.name, delivery::FailureName::Config);
            assert!(failure.message.contains("CXONE_SECRET_PREFIX"), "{failure}");
        }
    }

    #[test]
    fn no_tenants_secret_is_another_ones_token() {
        let names = SecretNames::new("cxone/", &tenant("a"));
        assert_eq!(
            (&*names.tenant, &*names.token),
            ("cxone/a", "cxone/a/token")
        );
        assert!("a/token".parse::<TenantId>().is_err(), "an id has no slash");
        let all: Vec<String> = ["a", "token", "a-token", "tokena", "aa"]
            .iter()
            .map(|id| SecretNames::new("cxone/", &tenant(id)))
            .flat_map(|names| [names.tenant, names.token])
            .collect();
        let unique: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len(), "{all:?}");
    }

    #[test]
    fn a_process_remembers_a_bounded_number_of_tenants() {
        let tenants = tenants(|_| Some("cxone/".to_owned())).unwrap();
        for number in 0..3 * REMEMBERED {
            let _ = tenants.open_session(&tenant(&format!("t{number}")));
            // The first one stays, because it is used all the time.
            let _ = tenants.open_session(&tenant("t0"));
        }
        let sessions = tenants.sessions.lock().unwrap();
        assert_eq!(sessions.len(), REMEMBERED);
        assert!(sessions.iter().any(|(known, _)| known.as_str() == "t0"));
    }
}

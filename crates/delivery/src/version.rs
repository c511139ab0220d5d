//! Which messages a handler reads.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The version of the messages that this code writes. It grows only with a change that the code before would take wrongly
/// or could not do without; a new field that may be missing is none.
const OWN_VERSION: u8 = 1;

/// The version of every message. One's own is read, and the one before: executions that were started before an upgrade
/// go on with the state machine of then, and ask the handlers of now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version;

/// Whether code that writes version `own` reads a message of version `found`.
const fn is_understood(found: u8, own: u8) -> bool {
    found > 0 && (found == own || found == own - 1)
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(OWN_VERSION)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let found = u8::deserialize(deserializer)?;
        if is_understood(found, OWN_VERSION) {
            return Ok(Self);
        }
        Err(serde::de::Error::custom(format!(
            "message version {found} is not understood by this handler, which reads {OWN_VERSION} and the one before it; deploy the handlers first and then the state machine"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handler_reads_its_own_version_and_the_one_before() {
        let read = |own| {
            (0..=u8::MAX)
                .filter(|found| is_understood(*found, own))
                .collect::<Vec<_>>()
        };
        assert_eq!(read(1), [1]);
        assert_eq!(read(2), [1, 2]);
        assert_eq!(read(7), [6, 7]);
        let refused = serde_json::from_str::<Version>("9")
            .unwrap_err()
            .to_string();
        assert!(refused.contains("deploy the handlers first"), "{refused}");
    }
}

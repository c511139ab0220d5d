//! What functions use of the machine.

use std::collections::BTreeMap;
use std::time::Duration;

use super::instance::Instance;

/// What a function has used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// The most memory that one of its processes has held, in bytes, measured after each invocation.
    pub peak_memory: u64,
    /// The CPU time of its processes, from their start to the end of their last invocations, in steps of 10 ms.
    pub cpu: Duration,
    /// How long its invocations took, in real time.
    pub busy: Duration,
    /// The CPU time of each process that took an invocation.
    by_instance: BTreeMap<u64, Duration>,
}

impl Usage {
    /// Counts an invocation that has ended.
    pub(super) fn add(&mut self, instance: &Instance, took: Duration) {
        let peak = instance.peak_memory().unwrap_or(0);
        self.peak_memory = self.peak_memory.max(peak);
        if let Some(cpu) = instance.cpu_time() {
            self.by_instance.insert(instance.number, cpu);
        }
        self.cpu = self.by_instance.values().sum();
        self.busy += took;
    }
}

//! Which metrics and dimensions a report type knows, as far as the guide says and common sense fills in.

/// The report types of the guide.
pub const TYPES: &[&str] = &["agent", "queue", "skill", "ic", "voicemail"];

const HANDLING: &str = "\
    handleTime talkTime wrapUpTime holdTime callsHandled callsOffered callsTransferred contactsHandled \
    contactsOffered avgHandleTime avgTalkTime avgWrapUpTime avgHoldTime";

const PRESENCE: &str = "\
    loginTime availableTime unavailableTime busyTime idleTime onBreakTime occupancy utilization adherence \
    callsRefused callsOutbound callsInbound";

const WAITING: &str = "\
    callsQueued callsAnswered callsAbandoned abandonRate serviceLevel avgSpeedOfAnswer avgWaitTime \
    avgAbandonTime maxWaitTime longestWaitTime";

const MESSAGING: &str = "\
    messageCount avgResponseTime firstResponseTime avgFirstResponseTime messagesSent messagesReceived \
    conversationsHandled conversationsOffered conversationsAbandoned avgConversationTime sessionsHandled \
    handleTime avgHandleTime wrapUpTime";

const VOICEMAIL: &str = "\
    voicemailCount voicemailsHandled voicemailsAbandoned voicemailDuration avgVoicemailDuration avgDuration \
    avgResponseTime callbackCount handleTime avgHandleTime";

const DIMENSIONS: &str = "\
    agentId agentName teamId teamName queueId queueName skillId skillName campaignId campaignName status \
    mediaType channel direction contactId interactionId date hour interval";

/// The metrics of a report type; `None` for a type that doesn't exist.
#[must_use]
pub fn metrics(report_type: &str) -> Option<impl Iterator<Item = &'static str>> {
    let groups: &[&'static str] = match report_type {
        "agent" => &[HANDLING, PRESENCE],
        "queue" | "skill" => &[HANDLING, WAITING],
        "ic" => &[MESSAGING],
        "voicemail" => &[VOICEMAIL],
        _ => return None,
    };
    Some(groups.iter().flat_map(|group| group.split(' ')))
}

/// The dimensions that every report type knows.
pub fn dimensions() -> impl Iterator<Item = &'static str> {
    DIMENSIONS.split(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(report_type: &str, metric: &str, valid: bool) {
        let known = metrics(report_type).unwrap().any(|name| name == metric);
        assert_eq!(known, valid, "{metric} in {report_type}");
    }

    #[test]
    fn the_examples_of_the_guide_hold() {
        for metric in [
            "handleTime",
            "talkTime",
            "wrapUpTime",
            "callsHandled",
            "avgHandleTime",
        ] {
            check("agent", metric, true);
            check("queue", metric, true);
        }
        check("ic", "talkTime", false);
        check("ic", "callsHandled", false);
        check("ic", "messageCount", true);
        check("ic", "avgResponseTime", true);
        check("agent", "messageCount", false);
        assert!(metrics("chat").is_none());
    }
}

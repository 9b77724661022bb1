//! The operations, and what the two versions call them on JSON-RPC. The paths of HTTP+JSON are in `rest`.

use crate::version::Version;

/// What can be asked of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// Take a message.
    Send,
    /// Take a message and stream what follows.
    Stream,
    /// A task as it is.
    Get,
    /// Tasks. 1.0 alone.
    List,
    /// End a task.
    Cancel,
    /// Stream the events of a task.
    Subscribe,
    /// Make a webhook.
    CreatePush,
    /// One webhook.
    GetPush,
    /// Webhooks of a task.
    ListPushes,
    /// Unmake a webhook.
    DeletePush,
    /// The card for those who are known.
    ExtendedCard,
}

/// Operation, method of 1.0, method of 0.3.
type Row = (Operation, &'static str, Option<&'static str>);

#[rustfmt::skip]
const METHODS: &[Row] = &[
    (Operation::Send,         "SendMessage",                      Some("message/send")),
    (Operation::Stream,       "SendStreamingMessage",             Some("message/stream")),
    (Operation::Get,          "GetTask",                          Some("tasks/get")),
    (Operation::List,         "ListTasks",                        None),
    (Operation::Cancel,       "CancelTask",                       Some("tasks/cancel")),
    (Operation::Subscribe,    "SubscribeToTask",                  Some("tasks/resubscribe")),
    (Operation::CreatePush,   "CreateTaskPushNotificationConfig", Some("tasks/pushNotificationConfig/set")),
    (Operation::GetPush,      "GetTaskPushNotificationConfig",    Some("tasks/pushNotificationConfig/get")),
    (Operation::ListPushes,   "ListTaskPushNotificationConfigs",  Some("tasks/pushNotificationConfig/list")),
    (Operation::DeletePush,   "DeleteTaskPushNotificationConfig", Some("tasks/pushNotificationConfig/delete")),
    (Operation::ExtendedCard, "GetExtendedAgentCard",             Some("agent/getAuthenticatedExtendedCard")),
];

impl Operation {
    /// Every operation.
    pub fn all() -> impl Iterator<Item = Self> {
        METHODS.iter().map(|(operation, ..)| *operation)
    }

    /// The operation and the version that a method belongs to. No name is in both.
    #[must_use]
    pub fn of_method(method: &str) -> Option<(Self, Version)> {
        METHODS.iter().find_map(|(operation, v1, v03)| {
            if *v1 == method {
                return Some((*operation, Version::V1));
            }
            (*v03 == Some(method)).then_some((*operation, Version::V03))
        })
    }

    /// What a version calls it, if it has it.
    #[must_use]
    pub fn method(self, version: Version) -> Option<&'static str> {
        let (_, v1, v03) = METHODS.iter().find(|(operation, ..)| *operation == self)?;
        match version {
            Version::V1 => Some(v1),
            Version::V03 => *v03,
        }
    }

    /// Answered by a stream of events.
    #[must_use]
    pub const fn is_streaming(self) -> bool {
        matches!(self, Self::Stream | Self::Subscribe)
    }
}

#[test]
fn names_lead_there_and_back() {
    assert_eq!(Operation::all().count(), 11);
    for operation in Operation::all() {
        for version in [Version::V1, Version::V03] {
            let Some(method) = operation.method(version) else {
                assert_eq!((operation, version), (Operation::List, Version::V03));
                continue;
            };
            assert_eq!(Operation::of_method(method), Some((operation, version)));
        }
    }
    assert_eq!(Operation::of_method("message/Send"), None);
    assert_eq!(Operation::of_method("tasks/list"), None);
}

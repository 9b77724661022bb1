//! Tasks: their states, their results and their history. Which state may follow which is in `machine`.

use super::{Message, Metadata, Part};
use crate::shape::Timestamp;

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TaskState {
    /// Accepted; nobody works on it yet.
    Submitted,
    /// Being worked on.
    Working,
    /// The agent waits for an answer of the client.
    InputRequired,
    /// The agent waits for a credential, which may come on another way.
    AuthRequired,
    /// Done.
    Completed,
    /// Ended by an error.
    Failed,
    /// Ended by the client.
    Canceled,
    /// The agent does not want to do it.
    Rejected,
    /// Nobody knows. 1.0 spells it `TASK_STATE_UNSPECIFIED`.
    Unknown,
}

impl TaskState {
    /// All states.
    pub const ALL: [Self; 9] = [
        Self::Submitted,
        Self::Working,
        Self::InputRequired,
        Self::AuthRequired,
        Self::Completed,
        Self::Failed,
        Self::Canceled,
        Self::Rejected,
        Self::Unknown,
    ];

    /// Nothing happens to the task any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled | Self::Rejected)
    }

    /// The agent waits for somebody.
    #[must_use]
    pub const fn is_interrupted(self) -> bool {
        matches!(self, Self::InputRequired | Self::AuthRequired)
    }

    /// A call that waits is answered and a stream ends here; 0.3 says `final`.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        self.is_terminal() || self.is_interrupted()
    }
}

/// A state, when it was reached, and what the agent says to it.
#[derive(Debug, Clone, PartialEq)]
pub struct TaskStatus {
    /// The state.
    pub state: TaskState,
    /// A question, a reason, a word on progress.
    pub message: Option<Message>,
    /// When it was recorded.
    pub timestamp: Option<Timestamp>,
}

/// A unit of work.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// Made by the agent.
    pub id: String,
    /// The conversation. 0.3 always has one; none is written as an empty text there.
    pub context_id: Option<String>,
    /// Where it stands.
    pub status: TaskStatus,
    /// What came out.
    pub artifacts: Vec<Artifact>,
    /// What was said, oldest first.
    pub history: Vec<Message>,
    /// Anything more.
    pub metadata: Metadata,
}

/// One result of a task.
#[derive(Debug, Clone, PartialEq)]
pub struct Artifact {
    /// Unique within its task.
    pub id: String,
    /// For people.
    pub name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// At least one.
    pub parts: Vec<Part>,
    /// Anything more.
    pub metadata: Metadata,
    /// URIs of the extensions that contributed.
    pub extensions: Vec<String>,
}

impl Task {
    /// Leaves at most so many of the newest messages; without a number all of them.
    pub fn limit_history(&mut self, most: Option<u32>) {
        let most = most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let surplus = self.history.len().saturating_sub(most);
        self.history.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Role;

    #[test]
    fn the_newest_messages_stay() {
        let said = |id: &str| Message::new(id, Role::User, vec![Part::text(id)]);
        let status = TaskStatus { state: TaskState::Working, message: None, timestamp: None };
        let whole = Task {
            id: "t".into(),
            context_id: None,
            status,
            artifacts: Vec::new(),
            history: vec![said("a"), said("b"), said("c")],
            metadata: None,
        };
        for (most, left) in [(None, "abc"), (Some(0), ""), (Some(2), "bc"), (Some(9), "abc")] {
            let mut task = whole.clone();
            task.limit_history(most);
            assert_eq!(task.history.iter().map(|it| it.id.as_str()).collect::<String>(), left, "{most:?}");
        }
    }

    #[test]
    fn a_state_is_terminal_or_interrupted_or_open() {
        let settled = TaskState::ALL.iter().filter(|state| state.is_settled()).count();
        let open = [TaskState::Submitted, TaskState::Working, TaskState::Unknown];
        assert_eq!(settled, 6);
        assert!(open.iter().all(|state| !state.is_settled()));
        assert!(!TaskState::ALL.iter().any(|state| state.is_terminal() && state.is_interrupted()));
    }
}

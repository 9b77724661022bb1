//! What may happen to a task when. A pure function: the caller keeps the state, and tells who asked what was refused.

use std::fmt;

use crate::failure::{Code, Failure};
use crate::model::TaskState;
use crate::version::Version;

/// What happens to a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A message of the client.
    Message,
    /// The agent reports a status; the same one again is news of it.
    Status(TaskState),
    /// The agent has a result, or a piece of one.
    Artifact,
    /// The client ends the task.
    Cancel,
}

/// Something that cannot happen to a task now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refused {
    /// Where the task stands, and stays.
    pub state: TaskState,
    /// What was to happen.
    pub event: Event,
}

/// The state of a task after an event.
///
/// - After a terminal state nothing happens.
/// - A message goes to any other task; one that waits for somebody is worked on again.
/// - Results come as long as the task is not over.
/// - No task goes back to `Submitted`, or to `Unknown`, unless that is where it is.
///
/// # Errors
///
/// The event cannot happen in this state.
pub const fn step(state: TaskState, event: Event) -> Result<TaskState, Refused> {
    if state.is_terminal() {
        return Err(Refused { state, event });
    }
    match event {
        Event::Message if state.is_interrupted() => Ok(TaskState::Working),
        Event::Message | Event::Artifact => Ok(state),
        Event::Cancel => Ok(TaskState::Canceled),
        Event::Status(TaskState::Unknown) => Err(Refused { state, event }),
        Event::Status(TaskState::Submitted)
            if !matches!(state, TaskState::Submitted | TaskState::Unknown) =>
        {
            Err(Refused { state, event })
        }
        Event::Status(next) => Ok(next),
    }
}

/// Whether the events of a task can be subscribed to: as long as there may be some.
///
/// # Errors
///
/// `UnsupportedOperation` if the task is over.
pub fn subscribe(state: TaskState) -> Result<(), Failure> {
    if !state.is_terminal() {
        return Ok(());
    }
    let message = format!("The task is over ({}): get it instead", word(state));
    Err(Failure::new(Code::UnsupportedOperation, message))
}

impl Refused {
    /// What the client is told, if it was the client who asked; a wrong event of the agent is the agent's failure.
    #[must_use]
    pub fn failure(self, version: Version) -> Failure {
        let over = format!("The task is over ({})", word(self.state));
        match (self.event, version) {
            (Event::Message, Version::V1) => {
                Failure::new(Code::UnsupportedOperation, format!("{over}: send the message without its id"))
            }
            (Event::Message, Version::V03) => {
                Failure::new(Code::InvalidParams, format!("{over}: send the message without its id"))
            }
            (Event::Cancel, _) => Failure::new(Code::TaskNotCancelable, over),
            (Event::Status(_) | Event::Artifact, _) => {
                Failure::new(Code::InvalidAgentResponse, self.to_string())
            }
        }
    }
}

/// A state as a word: as 0.3 writes it. For whoever keeps tasks or shows them to people.
#[must_use]
pub fn word(state: TaskState) -> &'static str {
    use crate::objects::Spelling;
    crate::v03::V03::STATES.iter().find(|(_, other)| *other == state).map_or("", |(word, _)| word)
}

/// The state that a word means.
#[must_use]
pub fn state_of(word: &str) -> Option<TaskState> {
    use crate::objects::Spelling;
    crate::v03::V03::STATES.iter().find(|(other, _)| *other == word).map(|(_, state)| *state)
}

impl fmt::Display for Refused {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = word(self.state);
        match self.event {
            Event::Message => write!(out, "a task that is {state} takes no message"),
            Event::Status(next) => write!(out, "a task that is {state} does not become {}", word(next)),
            Event::Artifact => write!(out, "a task that is {state} has no more results"),
            Event::Cancel => write!(out, "a task that is {state} cannot be canceled"),
        }
    }
}

impl std::error::Error for Refused {}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn events() -> impl Strategy<Value = Event> {
        let states = select(TaskState::ALL.to_vec()).prop_map(Event::Status);
        prop_oneof![Just(Event::Message), states, Just(Event::Artifact), Just(Event::Cancel)]
    }

    proptest! {
        #[test]
        fn nothing_leads_out_of_an_end(from in select(TaskState::ALL.to_vec()), events in prop::collection::vec(events(), 0..12)) {
            let mut state = from;
            let mut over = None;
            for event in events {
                if state.is_terminal() {
                    over.get_or_insert(state);
                }
                match step(state, event) {
                    Ok(next) => {
                        prop_assert!(!state.is_terminal());
                        prop_assert!(next != TaskState::Unknown || state == TaskState::Unknown);
                        prop_assert!(next != TaskState::Submitted || !matches!(state, TaskState::Working | TaskState::InputRequired | TaskState::AuthRequired));
                        state = next;
                    }
                    Err(refused) => prop_assert_eq!(refused, Refused { state, event }),
                }
                prop_assert!(over.is_none_or(|over| over == state));
            }
        }

        #[test]
        fn the_client_gets_through_to_every_open_task(state in select(TaskState::ALL.to_vec())) {
            prop_assert_eq!(step(state, Event::Cancel).is_ok(), !state.is_terminal());
            prop_assert_eq!(step(state, Event::Message).is_ok(), !state.is_terminal());
            prop_assert_eq!(subscribe(state).is_ok(), !state.is_terminal());
            prop_assert_eq!(step(state, Event::Message).is_ok_and(|next| next == TaskState::Working && next != state), state.is_interrupted());
        }
    }

    #[test]
    fn every_state_has_a_word() {
        for state in TaskState::ALL {
            assert_eq!(state_of(word(state)), Some(state), "{state:?}");
        }
        assert_eq!(state_of("cancelled"), None);
    }

    #[test]
    fn refusals_are_told_in_the_words_of_the_version() {
        let refused = |event| step(TaskState::Completed, event).unwrap_err();
        let number = |event, version| refused(event).failure(version).code.number();
        assert_eq!(number(Event::Message, Version::V1), -32004);
        assert_eq!(number(Event::Message, Version::V03), -32602);
        assert_eq!(number(Event::Cancel, Version::V1), -32002);
        assert_eq!(number(Event::Artifact, Version::V1), -32006);
        let back = step(TaskState::Working, Event::Status(TaskState::Submitted)).unwrap_err();
        assert_eq!(back.to_string(), "a task that is working does not become submitted");
    }

    #[test]
    fn an_agent_reports_what_it_reached() {
        let ends = [TaskState::Completed, TaskState::Failed, TaskState::Canceled, TaskState::Rejected];
        let open =
            [TaskState::Submitted, TaskState::Working, TaskState::InputRequired, TaskState::AuthRequired];
        for from in open {
            for to in ends.into_iter().chain([TaskState::Working, TaskState::InputRequired, from]) {
                assert_eq!(step(from, Event::Status(to)), Ok(to), "{from:?} to {to:?}");
            }
        }
    }
}

//! What the operations of the protocol do: tasks are sent, looked at, ended and followed, webhooks are made, the card is shown.
//! The same for both versions and both bindings.

use std::sync::Arc;

use a2a::{
    Code, Failure, Version,
    model::{Params, Reply},
};

use super::{cards::Cards, visitor::Visitor};
use crate::ops::tasks::{Events, Sent, TaskError, Tasks};

/// Who answers.
pub(super) struct Agent {
    tasks: Tasks,
    cards: Arc<Cards>,
}

impl Agent {
    pub(super) const fn new(tasks: Tasks, cards: Arc<Cards>) -> Self {
        Self { tasks, cards }
    }

    /// The answer to what has one.
    ///
    /// # Errors
    /// In the words of the protocol.
    pub(super) async fn answer(
        &self,
        visitor: &Visitor,
        version: Version,
        params: Params,
    ) -> Result<Reply, Failure> {
        let caller = &visitor.caller;
        let failed = |error: TaskError| error.failure(version);
        match params {
            Params::Send(send) => {
                let sent = self.tasks.send_and_wait(visitor.asked(), send, version).await;
                sent.map(Reply::Sent).map_err(failed)
            }
            Params::Get(get) => self.tasks.get(caller, get).await.map(Reply::Task).map_err(failed),
            Params::List(list) => self.tasks.list(caller, list).await.map(Reply::Tasks).map_err(failed),
            Params::Cancel(cancel) => {
                self.tasks.cancel(caller, &cancel.id).await.map(Reply::Task).map_err(failed)
            }
            Params::CreatePush(push) => {
                self.tasks.set_push(caller, push, version).await.map(Reply::Push).map_err(failed)
            }
            Params::GetPush(get) => self.tasks.get_push(caller, get).await.map(Reply::Push).map_err(failed),
            Params::ListPushes(list) => {
                self.tasks.list_push(caller, list).await.map(Reply::Pushes).map_err(failed)
            }
            Params::DeletePush(delete) => {
                self.tasks.delete_push(caller, delete).await.map(|()| Reply::Deleted).map_err(failed)
            }
            Params::ExtendedCard => self.cards.extended(visitor, version).await.map(Reply::Card),
            Params::Stream(_) | Params::Subscribe(_) => Err(Code::Internal.into()),
        }
    }

    /// The events of what streams.
    ///
    /// # Errors
    /// In the words of the protocol.
    pub(super) async fn stream(
        &self,
        visitor: &Visitor,
        version: Version,
        params: Params,
    ) -> Result<Events, Failure> {
        let events = match params {
            Params::Stream(send) => {
                let sent = self.tasks.send(visitor.asked(), send, version).await;
                sent.map(Sent::into_stream)
            }
            // Who says what it has seen gets what comes behind that; anybody else the task as it is, and what comes.
            Params::Subscribe(one) => match visitor.last_event {
                Some(seen) => self.tasks.subscribe(&visitor.caller, &one.id, seen).await,
                None => self.tasks.attach(&visitor.caller, &one.id).await.map(Sent::into_stream),
            },
            _ => return Err(Code::Internal.into()),
        };
        events.map_err(|error| error.failure(version))
    }
}

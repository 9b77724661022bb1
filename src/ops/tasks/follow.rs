//! Following a task: its events in their order, each once, from wherever the follower stands. Events are read at the
//! follower's own pace, from memory where they are there still, else from the store.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};

use a2a::model::{Message, StreamEvent, Task};
use futures_core::Stream;
use futures_util::StreamExt;
use tokio::time::sleep;

use super::{
    entry::Entry,
    live::{Committed, Live},
};
use crate::ops::ports::tasks::TaskStore;

/// Events that are read from the store at a time: each stream that lags behind holds that many.
const PAGE: u32 = 16;

/// Tries to read from a store that fails, and the pause between two.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);

/// An event and its number within the task.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbered {
    /// From 1, without gaps.
    pub seq: u64,
    /// What happened.
    pub event: StreamEvent,
}

/// Events of a task, as they are committed. Ends behind a status on which nothing follows by itself; where the store cannot
/// be read any more, it ends without one.
pub struct Events {
    events: Pin<Box<dyn Stream<Item = Numbered> + Send>>,
}

/// What became of a message.
pub struct Sent {
    /// The task as it was when it had taken the message; `None` where a bare message is the answer.
    pub task: Option<Task>,
    /// The number of the last event that is in `task`.
    pub seq: u64,
    /// What comes after that; of a bare answer that message alone.
    pub events: Events,
}

impl Sent {
    /// What a stream carries: the task, and then what happens to it; or the one message.
    #[must_use]
    pub fn into_stream(self) -> Events {
        let first = self.task.map(|task| Numbered { seq: self.seq, event: StreamEvent::Task(task) });
        let events = futures_util::stream::iter(first).chain(self.events);
        Events { events: Box::pin(events) }
    }

    /// The message of a bare answer. `None` where there is a task, and where the hub stops.
    pub(super) async fn message(mut self) -> Option<Message> {
        while let Some(Numbered { event, .. }) = self.events.next().await {
            if let StreamEvent::Message(message) = event {
                return Some(message);
            }
        }
        None
    }
}

impl Stream for Events {
    type Item = Numbered;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Numbered>> {
        self.events.as_mut().poll_next(context)
    }
}

/// From where to follow a task.
pub(super) struct Start {
    pub(super) task: Arc<str>,
    /// Events behind this one.
    pub(super) after: u64,
    /// A task that waits for somebody ends the stream only if it came to wait behind this one.
    pub(super) since: u64,
    /// Nothing comes any more: what there is, and then the end.
    pub(super) is_over: bool,
}

/// Counts streams while they are open.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Follows a task.
pub(super) fn follow(
    start: Start,
    live: Arc<Live>,
    store: Arc<dyn TaskStore>,
    count: &Arc<AtomicUsize>,
) -> Events {
    let open = Open::new(count);
    let events = async_stream::stream! {
        let _open = open;
        let Start { task, after, since, is_over } = start;
        let mut mark = live.watch();
        let mut seen = after;
        loop {
            // Before it is read, so that what comes in between is noticed.
            mark.borrow_and_update();
            let Some(page) = behind(&live, &*store, &task, seen).await else { return };
            let mut is_end = is_over && page.is_empty();
            let waits = page.is_empty() && !is_end;
            for event in page {
                seen = event.seq;
                is_end = is_last(&event.event, seen > since);
                yield Numbered { seq: seen, event: event.event.clone() };
            }
            // A client that answered at once has the task go on.
            if is_end && live.behind(seen).is_none_or(|more| more.is_empty()) {
                return;
            }
            if waits && mark.changed().await.is_err() {
                return;
            }
        }
    };
    Events { events: Box::pin(events) }
}

/// Whether nothing follows on an event by itself.
fn is_last(event: &StreamEvent, is_new: bool) -> bool {
    match event {
        StreamEvent::Message(_) => true,
        StreamEvent::Status(update) => {
            let state = update.status.state;
            state.is_terminal() || state.is_interrupted() && is_new
        }
        StreamEvent::Task(_) | StreamEvent::Artifact(_) => false,
    }
}

/// The next events; `None` when they cannot be read.
async fn behind(live: &Live, store: &dyn TaskStore, task: &str, seen: u64) -> Option<Vec<Arc<Committed>>> {
    if let Some(events) = live.behind(seen) {
        return Some(events);
    }
    for nth in 1..=TRIES {
        // A failure was logged where it came up.
        if let Ok(entries) = store.entries(task.to_owned(), seen, PAGE, true).await {
            let read = entries.into_iter().map(|entry| {
                let event = Entry::decode(entry.seq, &entry.payload)?.event;
                Some(Arc::new(Committed { seq: entry.seq, event, bytes: entry.payload.len() }))
            });
            return read.collect();
        }
        if nth < TRIES {
            sleep(PAUSE).await;
        }
    }
    None
}

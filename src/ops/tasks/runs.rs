//! Who works on which task now: one at a time on each, further messages wait their turn, and whoever is not wanted any more
//! is dropped. What the last process left open is gone on with here.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use a2a::{
    machine,
    model::{SendConfiguration, SendMessage, TaskState},
};
use futures_util::FutureExt;
use tokio::{
    select,
    sync::{Semaphore, watch},
    time::{Instant, sleep, timeout, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    Inner, Tasks,
    entry::Entry,
    log::{Change, Done},
    work::{Sink, TaskExecutor, Work},
};
use crate::{
    engine::caller::Caller,
    ops::{
        ports::tasks::{TaskRow, TaskStoreError},
        registry::Asked,
    },
};

/// Messages that wait for one task.
const WAITING: usize = 16;

/// Tasks of the last process that are gone on with at a time.
const AGAIN: usize = 16;

/// Those tasks that are gone on with at all. More cannot have been worked on at a time.
pub(super) const LEFT: u32 = 100_000;

/// How long a client who ends a task waits for the work to be dropped.
const DROP: Duration = Duration::from_secs(1);

/// Tries to write down that a task is over.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(500);

/// Not a reason that anybody is told: the work is left to the next process.
const LATER: &str = "";
const NOTHING: &str = "The work ended without a result";
const BROKE: &str = "The work broke off by a fault of the hub";
const STOPPED: &str =
    "The hub stopped after it had begun to deliver; send the message again for the whole result";
const CHANGED: &str = "The hub stopped while this was done; whether it is done is not known: look, and send it again if it is not";
const NOBODY: &str = "The hub stopped, and the key that asked is not there any more";
const UNREADABLE: &str = "The hub stopped, and what was asked cannot be read any more";

/// Finds a caller by its id, if that one may still ask.
pub type FindCaller = Arc<dyn Fn(&str) -> Option<Caller> + Send + Sync>;

/// All work that is going on.
#[derive(Default)]
pub(super) struct Runs {
    going: Mutex<HashMap<Arc<str>, Run>>,
    places: Arc<Places>,
    /// Tasks of the last process that were not taken up again yet.
    left: Mutex<HashSet<Arc<str>>>,
    closed: AtomicBool,
}

/// The places that are taken, in all and by each caller.
#[derive(Default)]
struct Places(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    all: usize,
    of: HashMap<Arc<str>, usize>,
}

/// Work on one task.
struct Run {
    over: CancellationToken,
    waiting: VecDeque<(Asked, SendMessage)>,
    gone: watch::Receiver<()>,
}

/// A place among those who work; given back when it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    owner: Arc<str>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.places.lock();
        taken.all -= 1;
        if let Some(own) = taken.of.get_mut(&self.owner) {
            *own -= 1;
            if *own == 0 {
                taken.of.remove(&self.owner);
            }
        }
    }
}

impl Places {
    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Runs {
    /// A place, if fewer than `most` are taken, and fewer than half of that by this owner: others come in, too.
    pub(super) fn place(&self, owner: &Arc<str>, most: usize) -> Option<Place> {
        let mut taken = self.places.lock();
        let own = taken.of.get(owner).copied().unwrap_or_default();
        if taken.all >= most || own >= most.div_ceil(2) {
            return None;
        }
        taken.all += 1;
        taken.of.insert(Arc::clone(owner), own + 1);
        drop(taken);
        Some(Place { places: Arc::clone(&self.places), owner: Arc::clone(owner) })
    }

    /// How many are taken.
    pub(super) fn taken(&self) -> usize {
        self.places.lock().all
    }

    /// Nothing more begins.
    pub(super) fn close(&self) {
        self.closed.store(true, Relaxed);
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Relaxed)
    }

    /// Whether a task is of the last process, and was not taken up again yet.
    pub(super) fn is_left(&self, task: &str) -> bool {
        self.left().contains(task)
    }

    fn left(&self) -> MutexGuard<'_, HashSet<Arc<str>>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes which tasks the last process left.
    pub(super) fn leave(&self, tasks: &[TaskRow]) {
        self.left().extend(tasks.iter().map(|row| Arc::from(row.id.as_str())));
    }

    /// Whether a task can take one more message while it is worked on.
    pub(super) fn has_room(&self, task: &str) -> bool {
        self.lock().get(task).is_none_or(|run| run.waiting.len() < WAITING)
    }

    /// Ends the work on a task, and waits for it a moment.
    pub(super) async fn end(&self, task: &str) {
        let found = self.lock().get(task).map(|run| (run.over.clone(), run.gone.clone()));
        let Some((over, mut gone)) = found else { return };
        over.cancel();
        // Ends when the sender is dropped.
        drop(timeout(DROP, gone.changed()).await);
    }

    /// Waits until nobody works, at most until a time.
    pub(super) async fn settle(&self, until: Instant) {
        let going: Vec<_> = self.lock().values().map(|run| run.gone.clone()).collect();
        for mut gone in going {
            // Ends when the sender is dropped.
            drop(timeout_at(until, gone.changed()).await);
        }
    }

    /// Ends all work. The tasks stay as they are, for the next start.
    pub(super) async fn end_all(&self) {
        let tasks: Vec<Arc<str>> = self.lock().keys().cloned().collect();
        self.lock().values().for_each(|run| run.over.cancel());
        for task in tasks {
            self.end(&task).await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Run>> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tasks {
    /// Has a message worked on: now, or behind what is worked on for the task.
    pub(super) fn work_on(&self, task: Arc<str>, asked: Asked, request: SendMessage, place: Option<Place>) {
        let mut going = self.0.runs.lock();
        if let Some(run) = going.get_mut(&task) {
            run.waiting.push_back((asked, request));
            return;
        }
        let over = CancellationToken::new();
        let (here, gone) = watch::channel(());
        going.insert(Arc::clone(&task), Run { over: over.clone(), waiting: VecDeque::new(), gone });
        drop(going);
        let tasks = self.clone();
        tokio::spawn(async move {
            tasks.run(&task, (asked, request), &over).await;
            drop((place, here));
        });
    }

    async fn run(&self, task: &Arc<str>, first: (Asked, SendMessage), over: &CancellationToken) {
        let mut next = Some(first);
        while let Some((asked, request)) = next {
            let why = select! {
                biased;
                () = over.cancelled() => NOTHING,
                why = self.run_once(task, asked, request, over) => why,
            };
            if over.is_cancelled() || why == LATER {
                // Its client ended it, and that is written down; or the hub stops, and it is gone on with.
                self.0.runs.lock().remove(task);
                return;
            }
            let done = self.finish(task, why).await;
            next = self.next(task, done.is_some_and(|done| !done.state.is_terminal()));
            if next.is_some() {
                // Refused only where it is over, which the sink finds out.
                drop(self.0.log.change(task, Change::Resume).await);
            }
        }
    }

    /// The next message for a task; none ends the work on it.
    fn next(&self, task: &Arc<str>, is_open: bool) -> Option<(Asked, SendMessage)> {
        let mut going = self.0.runs.lock();
        let next = going.get_mut(task).and_then(|run| run.waiting.pop_front()).filter(|_| is_open);
        if next.is_none() {
            going.remove(task);
        }
        next
    }

    /// Works on one message to the end; says what was wrong with it if the task is open then.
    async fn run_once(
        &self,
        task: &Arc<str>,
        asked: Asked,
        request: SendMessage,
        over: &CancellationToken,
    ) -> &'static str {
        let Some(executor) = self.0.executor.get() else { return NOTHING };
        let Ok(work) = self.work(task, asked, request, over.child_token()).await else { return UNREADABLE };
        if work.task.status.state.is_terminal() {
            // Ended before it began.
            return NOTHING;
        }
        let (ends, left) = (work.cancelled.clone(), work.left.clone());
        let worked = AssertUnwindSafe(async { executor.run(work).await }).catch_unwind().await;
        // What it left running somewhere cannot tell any more.
        ends.cancel();
        match worked {
            Err(_) => BROKE,
            Ok(()) if left.load(Relaxed) => LATER,
            Ok(()) => NOTHING,
        }
    }

    async fn work(
        &self,
        task: &Arc<str>,
        asked: Asked,
        request: SendMessage,
        cancelled: CancellationToken,
    ) -> Result<Work, TaskStoreError> {
        let is_bare = self.0.store.task(task.to_string()).await?.is_some_and(|row| row.bare);
        let now = if is_bare {
            super::bare_task(task, &request)
        } else {
            self.0.folded(task, u64::MAX, true).await?.0
        };
        let context = Arc::from(now.context_id.clone().unwrap_or_default());
        let sink = Sink::new(Arc::clone(task), context, self.0.log.clone(), cancelled.clone());
        let left = Arc::default();
        Ok(Work { asked, task: now, request, sink, cancelled, left, tasks: self.clone() })
    }

    /// Notes that nobody works on a task any more. `None` if that could not be written down; the next start finds it then.
    async fn finish(&self, task: &Arc<str>, why: &'static str) -> Option<Done> {
        for nth in 1..=TRIES {
            if let Ok(done) = self.0.log.change(task, Change::Finish(why)).await {
                return Some(done);
            }
            if nth < TRIES {
                sleep(PAUSE * nth).await;
            }
        }
        None
    }

    /// Goes on with what the last process left open: works anew on tasks of which nothing was delivered, a few at a time,
    /// and fails the others. `caller` finds who asked by its id, if that one may still ask.
    pub(super) async fn go_on(self, left: Vec<TaskRow>, caller: FindCaller) {
        let places = Arc::new(Semaphore::new(AGAIN));
        for row in left {
            let Ok(turn) = Arc::clone(&places).acquire_owned().await else { return };
            if self.0.runs.is_closed() {
                return;
            }
            if row.bare {
                // Whoever waited for that is gone; sent again it is a new message.
                drop(self.0.store.remove(row.id).await);
                continue;
            }
            // Its client may have had it go on, or ended it, before its turn came.
            let now = self.0.store.task(row.id).await.ok().flatten();
            let Some(row) = now.filter(|row| open_states().contains(&row.state.as_str())) else { continue };
            let id: Arc<str> = row.id.as_str().into();
            if self.0.runs.lock().contains_key(&id) {
                continue;
            }
            match self.again(&row, &*caller).await {
                Ok((asked, request)) => {
                    let place = self.0.runs.place(&asked.caller.id, usize::MAX);
                    self.work_on(Arc::clone(&id), asked, request, place);
                    let gone = self.0.runs.lock().get(&id).map(|run| run.gone.clone());
                    if let Some(mut gone) = gone {
                        tokio::spawn(async move {
                            drop(gone.changed().await);
                            drop(turn);
                        });
                    }
                }
                Err(why) => drop(self.finish(&id, why).await),
            }
            self.0.runs.left().remove(&id);
        }
    }

    /// What is to be done again for a task, or why it is not.
    async fn again(
        &self,
        row: &TaskRow,
        caller: &(dyn Fn(&str) -> Option<Caller> + Send + Sync),
    ) -> Result<(Asked, SendMessage), &'static str> {
        if row.delivered {
            return Err(STOPPED);
        }
        let begun = machine::state_of(&row.state) == Some(TaskState::Working);
        let executor = self.0.executor.get();
        if begun && !executor.is_some_and(|executor| executor.may_begin_again(row.skill.as_deref())) {
            return Err(CHANGED);
        }
        let caller = caller(&row.owner).ok_or(NOBODY)?;
        let request = self.0.last_said(&row.id).await.ok().flatten().ok_or(UNREADABLE)?;
        Ok((Asked::new(caller, "a2a", None), request))
    }
}

impl Inner {
    /// What a task's client said last.
    async fn last_said(&self, task: &str) -> Result<Option<SendMessage>, TaskStoreError> {
        let (mut seen, mut last) = (0, None);
        loop {
            let page = self.store.entries(task.to_owned(), seen, super::PAGE, false).await?;
            let Some(end) = page.last() else { return Ok(last) };
            seen = end.seq;
            for entry in page {
                let Some(Entry { event, said }) = Entry::decode(entry.seq, &entry.payload) else { continue };
                let Some(said) = said else { continue };
                let first = match event {
                    a2a::model::StreamEvent::Task(mut task) => task.history.pop(),
                    _ => None,
                };
                let Some(message) = said.message.or(first) else { continue };
                let configuration =
                    SendConfiguration { accepted_output_modes: said.modes, ..SendConfiguration::default() };
                last = Some(SendMessage {
                    message,
                    configuration,
                    metadata: said.metadata,
                    earlier: Vec::new(),
                });
            }
        }
    }
}

/// The states of tasks on which somebody works, or is to.
pub(super) fn open_states() -> [&'static str; 3] {
    [TaskState::Submitted, TaskState::Working, TaskState::Unknown].map(machine::word)
}

/// Whether a message would be answered without a task.
pub(super) fn is_bare(executor: &dyn TaskExecutor, request: &SendMessage) -> bool {
    request.message.task_id.is_none() && executor.answers_bare(request)
}

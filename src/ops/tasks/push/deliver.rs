//! Telling webhooks. What one was told is noted in the store, and what it is to be told stands in the log of the task: so
//! nothing waits in memory, and a restart goes on where the last process was. Each is told in order, at least once, with the
//! number in `webhook-id`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use a2a::{Version, model::StreamEvent, v1, v03};
use bytes::Bytes;
use serde_json::Value;
use tokio::{
    sync::{Notify, Semaphore},
    time::sleep,
};

use super::{
    super::{Inner, entry::Entry},
    Kept,
    signed::{About, Pushing},
};
use crate::{
    observe::events,
    ops::ports::{
        PostError,
        tasks::{DeadLetter, TaskEntry, TaskStoreError},
    },
};

/// Deliveries at a time.
const WORKERS: usize = 16;
/// Webhooks that are being told, or wait for another try; others begin when one of those has ended.
const LINES: usize = 1024;
/// Events that one of them has in hand.
const PAGE: u32 = 8;
/// How long a webhook may take to answer.
const LIMIT: Duration = Duration::from_secs(10);
/// Tries for one event, within three minutes; after one that was given up, one for each until one is taken.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
/// Dead letters that are kept.
const LETTERS: u32 = 1000;
/// A webhook that is not there any more.
const GONE: u16 = 410;

/// Tells webhooks of what happened, for as long as the hub runs.
pub(in crate::ops::tasks) async fn deliver(inner: Arc<Inner>, pushing: Pushing) {
    let lines = Arc::new(Lines { told: Mutex::default(), ended: Notify::new() });
    let workers = Arc::new(Semaphore::new(WORKERS));
    let pushing = Arc::new(pushing);
    loop {
        inner.known.hooks.wake.notified().await;
        if !(inner.settings)().push {
            continue;
        }
        for task in inner.known.hooks.take() {
            let Ok(hooks) = inner.store.hooks(task.to_string()).await else {
                // A failure was logged where it came up.
                sleep(PAUSE).await;
                inner.known.hooks.again(task);
                continue;
            };
            if hooks.is_empty() {
                inner.known.hooks.forget(&task);
            }
            for one in hooks {
                let place = (Arc::clone(&task), Arc::<str>::from(one.id));
                if lines.begin(&place).await {
                    let (inner, pushing) = (Arc::clone(&inner), Arc::clone(&pushing));
                    let (lines, workers) = (Arc::clone(&lines), Arc::clone(&workers));
                    tokio::spawn(async move {
                        let teller = Teller { inner, pushing, workers, place };
                        loop {
                            teller.tell_all().await;
                            if lines.end(&teller.place) {
                                return;
                            }
                        }
                    });
                }
            }
        }
    }
}

/// A webhook of a task.
type HookPlace = (Arc<str>, Arc<str>);

/// The webhooks that are being told.
struct Lines {
    /// Each with whether something happened since it was looked at.
    told: Mutex<HashMap<HookPlace, bool>>,
    ended: Notify,
}

impl Lines {
    /// Whether somebody is to begin telling a webhook. Waits for a place among them.
    async fn begin(&self, place: &HookPlace) -> bool {
        loop {
            {
                let mut told = self.lock();
                if let Some(again) = told.get_mut(place) {
                    *again = true;
                    return false;
                }
                if told.len() < LINES {
                    told.insert(place.clone(), false);
                    return true;
                }
            }
            self.ended.notified().await;
        }
    }

    /// Whether nothing happened meanwhile, so that nobody needs to look again.
    fn end(&self, place: &HookPlace) -> bool {
        let mut told = self.lock();
        if let Some(again) = told.get_mut(place).filter(|again| **again) {
            *again = false;
            return false;
        }
        told.remove(place);
        drop(told);
        self.ended.notify_one();
        true
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<HookPlace, bool>> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that a webhook was not told: after how many tries, and what was wrong with the last one.
struct GivenUp {
    tries: u32,
    why: String,
    /// It will never be taken: the webhook is told of nothing more.
    is_end: bool,
}

/// Tells one webhook.
struct Teller {
    inner: Arc<Inner>,
    pushing: Arc<Pushing>,
    workers: Arc<Semaphore>,
    place: HookPlace,
}

impl Teller {
    /// Tells everything that there is to tell.
    async fn tell_all(&self) {
        let mut tries = TRIES;
        loop {
            match self.tell_some(&mut tries).await {
                Ok(true) => {}
                Ok(false) => return,
                // A failure was logged where it came up.
                Err(_) => sleep(LONGEST).await,
            }
        }
    }

    /// Tells a few events; says whether there may be more.
    async fn tell_some(&self, tries: &mut u32) -> Result<bool, TaskStoreError> {
        let (task, id) = (&self.place.0, &self.place.1);
        let store = &self.inner.store;
        let hooks = store.hooks(task.to_string()).await?;
        let Some(hook) = hooks.into_iter().find(|hook| *hook.id == **id) else { return Ok(false) };
        let Some(kept) = Kept::read(&hook) else { return Ok(false) };
        let version = if hook.version == Version::V03.as_str() { Version::V03 } else { Version::V1 };
        let entries = store.entries(task.to_string(), hook.told_seq, PAGE, true).await?;
        let is_more = !entries.is_empty();
        for entry in entries {
            let seq = entry.seq;
            if let Some(body) = self.body(entry, version).await? {
                match self.post(&kept, version, seq, &body, *tries).await {
                    Ok(()) => *tries = TRIES,
                    Err(given_up) => {
                        let is_end = given_up.is_end;
                        self.bury(&kept.url, seq, given_up).await?;
                        if is_end {
                            store.remove_hook(task.to_string(), id.to_string()).await?;
                            return Ok(false);
                        }
                        *tries = 1;
                    }
                }
            }
            store.hook_told(task.to_string(), id.to_string(), seq).await?;
        }
        Ok(is_more)
    }

    /// What a webhook is sent. In 1.0 that is each event. In 0.3 it is the task, whenever its status changes: a whole task
    /// for every piece of a result would be many times the result.
    async fn body(&self, entry: TaskEntry, version: Version) -> Result<Option<Bytes>, TaskStoreError> {
        let seq = entry.seq;
        let Some(Entry { event, .. }) = Entry::decode(seq, &entry.payload) else { return Ok(None) };
        let body: Value = match (version, event) {
            (Version::V1, event) => v1::event(&event),
            (Version::V03, StreamEvent::Artifact(_)) => return Ok(None),
            (Version::V03, StreamEvent::Message(message)) => v03::message(&message),
            (Version::V03, StreamEvent::Task(_) | StreamEvent::Status(_)) => {
                v03::task(&self.inner.folded(&self.place.0, seq, true).await?.0)
            }
        };
        Ok(Some(Bytes::from(body.to_string())))
    }

    /// Posts until it is taken or given up; then says why.
    async fn post(
        &self,
        kept: &Kept,
        version: Version,
        seq: u64,
        body: &Bytes,
        tries: u32,
    ) -> Result<(), GivenUp> {
        let task = &*self.place.0;
        let id = format!("{task}.{seq}");
        let mut pause = PAUSE;
        let mut why = String::new();
        for nth in 1..=tries {
            // Closed by nobody.
            let turn = self.workers.acquire().await;
            let allow_private = (self.inner.settings)().push_allow_private;
            // Anew for each try: a signature holds for minutes, and tries go on for longer.
            let about = About { id: &id, task, url: &kept.url, at: self.inner.clock.now(), body };
            let signed = self.pushing.signature(&about).await;
            let signed =
                signed.map_err(|error| GivenUp { tries: nth, why: error.to_string(), is_end: false })?;
            let headers = kept.headers(version, id.clone(), signed);
            let told = self.pushing.hook.tell(&kept.url, &headers, body.clone(), allow_private, LIMIT).await;
            drop(turn);
            match told {
                Ok(200..300) => return Ok(()),
                Ok(GONE) => {
                    return Err(GivenUp { tries: nth, why: format!("it answered {GONE}"), is_end: true });
                }
                Ok(status) => why = format!("it answered {status}"),
                Err(PostError::Refused(why)) => return Err(GivenUp { tries: nth, why, is_end: true }),
                Err(error) => why = error.to_string(),
            }
            if nth < tries {
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
            }
        }
        Err(GivenUp { tries, why, is_end: false })
    }

    async fn bury(&self, url: &str, seq: u64, given_up: GivenUp) -> Result<(), TaskStoreError> {
        let (task, id) = (&self.place.0, &self.place.1);
        let GivenUp { tries, why, .. } = given_up;
        let host = url::Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_default();
        events::task_push_given_up(&host, tries, &why);
        let owner = self.inner.store.task(task.to_string()).await?.map(|row| row.owner).unwrap_or_default();
        let letter = DeadLetter {
            number: 0,
            at: self.inner.clock.now(),
            owner,
            task: task.to_string(),
            hook: id.to_string(),
            seq,
            host,
            tries,
            why,
        };
        self.inner.store.bury(letter, LETTERS).await
    }
}

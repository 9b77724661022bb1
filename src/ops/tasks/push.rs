//! Webhooks that clients have told about their tasks: which ones there are, and the delivery. What a webhook was told is
//! noted in the store, and what it is to be told stands in the log of the task: so nothing waits in memory, and a restart
//! goes on where the last process was. Each is told in order, at least once, with the number in `webhook-id`.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use a2a::{
    Version,
    model::{
        DeletePush, GetPush, ListPushes, PushAuthentication, PushConfig, PushPage, StreamEvent, TaskPush,
    },
    v1, v03,
    version::TOKEN_HEADER_V03,
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{
    sync::{Notify, Semaphore},
    time::sleep,
};

use super::{Inner, TaskError, Tasks, entry::Entry};
use crate::{
    engine::caller::Caller,
    observe::events,
    ops::ports::{
        Hook,
        tasks::{DeadLetter, TaskEntry, TaskHook, TaskStoreError},
    },
};

/// Webhooks that a task may have.
const HOOKS: u32 = 10;
/// Bytes of an address, and of each other word about a webhook.
const WORD: usize = 4096;

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

/// The tasks with webhooks, and those of them to which something happened.
#[derive(Default)]
pub(super) struct Due {
    tasks: Mutex<Hooked>,
    wake: Notify,
}

#[derive(Default)]
struct Hooked {
    all: HashSet<Arc<str>>,
    due: HashSet<Arc<str>>,
}

impl Due {
    /// Something happened to a task.
    pub(super) fn happened(&self, task: &Arc<str>) {
        let mut tasks = self.lock();
        if tasks.all.contains(task) {
            tasks.due.insert(Arc::clone(task));
            drop(tasks);
            self.wake.notify_one();
        }
    }

    fn add(&self, task: &str) {
        let mut tasks = self.lock();
        tasks.all.insert(task.into());
        tasks.due.insert(task.into());
        drop(tasks);
        self.wake.notify_one();
    }

    /// Puts the tasks that have webhooks in place of those that were known.
    pub(super) fn know(&self, tasks: Vec<String>, are_due: bool) {
        let mut known = self.lock();
        known.all = tasks.into_iter().map(Arc::from).collect();
        if are_due {
            known.due = known.all.clone();
            drop(known);
            self.wake.notify_one();
        }
    }

    fn take(&self) -> HashSet<Arc<str>> {
        std::mem::take(&mut self.lock().due)
    }

    fn again(&self, task: Arc<str>) {
        self.lock().due.insert(task);
    }

    fn lock(&self) -> MutexGuard<'_, Hooked> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Address and credentials as they are kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scheme: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credentials: Option<String>,
}

impl Kept {
    fn of(config: &PushConfig) -> Self {
        Self {
            url: config.url.clone(),
            token: config.token.clone(),
            scheme: config.authentication.as_ref().map(|it| it.scheme.clone()),
            credentials: config.authentication.as_ref().and_then(|it| it.credentials.clone()),
        }
    }

    fn read(hook: &TaskHook) -> Option<Self> {
        serde_json::from_slice(&hook.payload).ok()
    }

    fn config(self, id: String) -> PushConfig {
        let credentials = self.credentials;
        let authentication = self.scheme.map(|scheme| PushAuthentication { scheme, credentials });
        PushConfig { id: Some(id), url: self.url, token: self.token, authentication }
    }

    /// The headers of a message. What cannot be a header is left out where it is sent.
    fn headers(&self, version: Version, id: String) -> Vec<(String, String)> {
        let kind = match version {
            Version::V1 => "application/a2a+json",
            Version::V03 => "application/json",
        };
        let mut headers = vec![("content-type".to_owned(), kind.to_owned()), ("webhook-id".to_owned(), id)];
        if let Some(token) = &self.token {
            headers.push((TOKEN_HEADER_V03.to_ascii_lowercase(), token.clone()));
        }
        if let (Some(scheme), Some(credentials)) = (&self.scheme, &self.credentials) {
            headers.push(("authorization".to_owned(), format!("{scheme} {credentials}")));
        }
        headers
    }
}

/// Refuses a webhook that could not be told, or whose words are too long. Whether its address may be reached is found out
/// when it is.
pub(super) fn check(config: &PushConfig) -> Result<(), TaskError> {
    let parsed = url::Url::parse(&config.url);
    let good = parsed.is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
    });
    let authentication = config.authentication.as_ref();
    let words = [
        Some(&config.url),
        config.id.as_ref(),
        config.token.as_ref(),
        authentication.map(|it| &it.scheme),
        authentication.and_then(|it| it.credentials.as_ref()),
    ];
    let short = words.into_iter().flatten().all(|word| word.len() <= WORD);
    if good && short {
        return Ok(());
    }
    let words =
        "The webhook must have an http or https URL without a user name, and words of at most 4096 bytes";
    Err(TaskError::Failed(a2a::Failure::new(a2a::Code::InvalidParams, words)))
}

impl Tasks {
    /// Has a webhook told of what happens to a task from now on, in the words of `version`. In place of one of the same id;
    /// without an id it gets one.
    ///
    /// # Errors
    /// [`TaskError`].
    pub async fn set_push(
        &self,
        caller: &Caller,
        push: TaskPush,
        version: Version,
    ) -> Result<TaskPush, TaskError> {
        self.0.may_push()?;
        check(&push.config)?;
        let row = self.0.own_row(caller, &push.task_id).await?;
        self.0.put_hook(push, version, row.last_seq).await
    }

    /// A webhook of a task. Without an id the only one, or the first.
    ///
    /// # Errors
    /// [`TaskError`].
    pub async fn get_push(&self, caller: &Caller, asked: GetPush) -> Result<TaskPush, TaskError> {
        self.0.may_push()?;
        let mut hooks = self.0.own_hooks(caller, &asked.task_id).await?.into_iter();
        let found = hooks.find(|hook| asked.id.as_ref().is_none_or(|id| *id == hook.id));
        let found = found.and_then(shown);
        found.ok_or_else(|| TaskError::NoHook(asked.id.unwrap_or_default()))
    }

    /// The webhooks of a task. There are so few that they are one page.
    ///
    /// # Errors
    /// [`TaskError`].
    pub async fn list_push(&self, caller: &Caller, asked: ListPushes) -> Result<PushPage, TaskError> {
        self.0.may_push()?;
        let hooks = self.0.own_hooks(caller, &asked.task_id).await?;
        let after = asked.page_token.filter(|token| !token.is_empty());
        let mut hooks: Vec<_> =
            hooks.into_iter().filter(|hook| after.as_ref().is_none_or(|after| hook.id > *after)).collect();
        let most = asked.page_size.filter(|most| *most > 0).unwrap_or(HOOKS);
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let is_more = hooks.len() > most;
        hooks.truncate(most);
        let next = hooks.last().filter(|_| is_more).map(|hook| hook.id.clone());
        let configs = hooks.into_iter().filter_map(shown).collect();
        Ok(PushPage { configs, next_page_token: next.unwrap_or_default() })
    }

    /// Has a webhook told of nothing more. That there is none is no error: it is told of nothing.
    ///
    /// # Errors
    /// [`TaskError`].
    pub async fn delete_push(&self, caller: &Caller, asked: DeletePush) -> Result<(), TaskError> {
        self.0.may_push()?;
        self.0.own_row(caller, &asked.task_id).await?;
        self.0.store.remove_hook(asked.task_id, asked.id).await?;
        Ok(())
    }
}

fn shown(hook: TaskHook) -> Option<TaskPush> {
    let config = Kept::read(&hook)?.config(hook.id);
    Some(TaskPush { task_id: hook.task, config })
}

impl Inner {
    pub(super) fn may_push(&self) -> Result<(), TaskError> {
        if (self.settings)().push { Ok(()) } else { Err(TaskError::PushOff) }
    }

    /// Writes a webhook down that is told of what comes behind an entry.
    pub(super) async fn put_hook(
        &self,
        mut push: TaskPush,
        version: Version,
        told_seq: u64,
    ) -> Result<TaskPush, TaskError> {
        let id = push.config.id.take().filter(|id| !id.is_empty()).unwrap_or_else(super::new_id);
        let payload = serde_json::to_vec(&Kept::of(&push.config)).map_err(|_| TaskError::Store)?;
        let hook = TaskHook {
            task: push.task_id.clone(),
            id: id.clone(),
            version: version.as_str().to_owned(),
            payload,
            told_seq,
        };
        if !self.store.put_hook(hook, HOOKS).await? {
            return Err(TaskError::Busy("The task has ten webhooks already: delete one first"));
        }
        self.known.hooks.add(&push.task_id);
        push.config.id = Some(id);
        Ok(push)
    }

    async fn own_hooks(&self, caller: &Caller, task: &str) -> Result<Vec<TaskHook>, TaskError> {
        self.own_row(caller, task).await?;
        Ok(self.store.hooks(task.to_owned()).await?)
    }
}

/// Tells webhooks of what happened, for as long as the hub runs.
pub(super) async fn deliver(inner: Arc<Inner>, hook: Arc<dyn Hook>) {
    let lines = Arc::new(Lines { told: Mutex::default(), ended: Notify::new() });
    let workers = Arc::new(Semaphore::new(WORKERS));
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
            for one in hooks {
                let place = (Arc::clone(&task), Arc::<str>::from(one.id));
                if lines.begin(&place).await {
                    let (inner, hook) = (Arc::clone(&inner), Arc::clone(&hook));
                    let (lines, workers) = (Arc::clone(&lines), Arc::clone(&workers));
                    tokio::spawn(async move {
                        let teller = Teller { inner, hook, workers, place };
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

/// Tells one webhook.
struct Teller {
    inner: Arc<Inner>,
    hook: Arc<dyn Hook>,
    workers: Arc<Semaphore>,
    place: HookPlace,
}

impl Teller {
    /// Tells everything that there is to tell.
    async fn tell_all(&self) {
        let mut tries = TRIES;
        while let Ok(more) = self.tell_some(&mut tries).await {
            if !more {
                return;
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
                let headers = kept.headers(version, format!("{task}.{seq}"));
                match self.post(&kept.url, &headers, &body, *tries).await {
                    Ok(()) => *tries = TRIES,
                    Err(why) => {
                        self.bury(&kept.url, seq, *tries, why).await?;
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
        url: &str,
        headers: &[(String, String)],
        body: &Bytes,
        tries: u32,
    ) -> Result<(), String> {
        let mut pause = PAUSE;
        let mut why = String::new();
        for nth in 1..=tries {
            // Closed by nobody.
            let turn = self.workers.acquire().await;
            let allow_private = (self.inner.settings)().push_allow_private;
            let told = self.hook.tell(url, headers, body.clone(), allow_private, LIMIT).await;
            drop(turn);
            match told {
                Ok(200..300) => return Ok(()),
                Ok(GONE) => return Err(format!("it answered {GONE}")),
                Ok(status) => why = format!("it answered {status}"),
                Err(error) => why = error.to_string(),
            }
            if nth < tries {
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
            }
        }
        Err(why)
    }

    async fn bury(&self, url: &str, seq: u64, tries: u32, why: String) -> Result<(), TaskStoreError> {
        let (task, id) = (&self.place.0, &self.place.1);
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

//! Webhooks that clients have told about their tasks: which ones there are, and what is kept of them. `deliver` tells them,
//! `signed` says who tells.

mod deliver;
mod signed;

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use a2a::{
    Version,
    model::{DeletePush, GetPush, ListPushes, PushAuthentication, PushConfig, PushPage, TaskPush},
    version::TOKEN_HEADER_V03,
};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

use self::signed::SIGNATURE_HEADER;
use super::{Inner, TaskError, Tasks};
use crate::{engine::caller::Caller, ops::ports::tasks::TaskHook};

pub(super) use deliver::deliver;
pub use signed::Pushing;

/// Webhooks that a task may have.
const HOOKS: u32 = 10;
const FULL: &str = "The task has ten webhooks already: delete one first";
/// Bytes of an address, and of each other word about a webhook.
const WORD: usize = 4096;

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

    /// The tasks that have webhooks at the start: there may be something that they were not told.
    pub(super) fn know(&self, tasks: Vec<String>) {
        let mut known = self.lock();
        known.all.extend(tasks.into_iter().map(Arc::from));
        known.due = known.all.clone();
        drop(known);
        self.wake.notify_one();
    }

    /// Has all looked at but these, which have webhooks: those that have none any more are forgotten then.
    pub(super) fn doubt_all_but(&self, tasks: Vec<String>) {
        let sure: HashSet<Arc<str>> = tasks.into_iter().map(Arc::from).collect();
        let mut known = self.lock();
        let doubted: Vec<_> = known.all.difference(&sure).cloned().collect();
        known.due.extend(doubted);
        drop(known);
        self.wake.notify_one();
    }

    /// A task had no webhook when it was looked at. One that was added since then makes it due again.
    fn forget(&self, task: &Arc<str>) {
        let mut known = self.lock();
        if !known.due.contains(task) {
            known.all.remove(task);
        }
    }

    fn take(&self) -> HashSet<Arc<str>> {
        std::mem::take(&mut self.lock().due)
    }

    fn again(&self, task: Arc<str>) {
        self.lock().due.insert(task);
        self.wake.notify_one();
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
    fn headers(&self, version: Version, id: String, signed: String) -> Vec<(String, String)> {
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
        } else {
            headers.push(("authorization".to_owned(), format!("Bearer {signed}")));
        }
        headers.push((SIGNATURE_HEADER.to_owned(), signed));
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

/// The id of a webhook that was given none. In 0.3 it takes the place of the one before; clients ask for it by this name.
pub(super) fn unnamed(version: Version, id: &str) -> String {
    match version {
        Version::V03 => "default".to_owned(),
        Version::V1 => id.to_owned(),
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
        let id = push.config.id.take().filter(|id| !id.is_empty());
        let id = id.unwrap_or_else(|| unnamed(version, &super::new_id()));
        // One that is set anew is still told what it was not told yet.
        let known = self.store.hooks(push.task_id.clone()).await?.into_iter().find(|hook| hook.id == id);
        let told_seq = known.map_or(told_seq, |known| known.told_seq.min(told_seq));
        let payload = serde_json::to_vec(&Kept::of(&push.config)).map_err(|_| TaskError::Store)?;
        let hook = TaskHook {
            task: push.task_id.clone(),
            id: id.clone(),
            version: version.as_str().to_owned(),
            payload,
            told_seq,
        };
        if !self.store.put_hook(hook, HOOKS).await? {
            return Err(TaskError::Busy(FULL));
        }
        self.known.hooks.add(&push.task_id);
        push.config.id = Some(id);
        Ok(push)
    }

    /// Refuses a webhook that its task has no room for, before anything else is done.
    pub(super) async fn has_room_for(&self, task: &str, config: &PushConfig) -> Result<(), TaskError> {
        let hooks = self.store.hooks(task.to_owned()).await?;
        let others = hooks.iter().filter(|hook| Some(&hook.id) != config.id.as_ref()).count();
        if others < HOOKS as usize { Ok(()) } else { Err(TaskError::Busy(FULL)) }
    }

    async fn own_hooks(&self, caller: &Caller, task: &str) -> Result<Vec<TaskHook>, TaskError> {
        self.own_row(caller, task).await?;
        Ok(self.store.hooks(task.to_owned()).await?)
    }
}

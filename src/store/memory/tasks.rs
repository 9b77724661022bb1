//! Tasks of agents in memory. Not encrypted: nothing of it is ever written.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, VecDeque},
};

use futures_core::future::BoxFuture;

use super::MemoryStore;
use crate::ops::ports::tasks::{
    DeadLetter, EntryKind, FoundTasks, TaskEntry, TaskHook, TaskMessage, TaskQuery, TaskRow, TaskStore,
    TaskStoreError, TaskWrite, TasksStanding,
};

/// Tasks that go in one sweep, as in the database.
const STEP: usize = 64;

/// All of them.
#[derive(Default)]
pub(super) struct Tasks {
    rows: BTreeMap<String, TaskRow>,
    entries: HashMap<String, Vec<TaskEntry>>,
    messages: HashMap<(String, String), TaskMessage>,
    hooks: BTreeMap<(String, String), TaskHook>,
    letters: VecDeque<DeadLetter>,
    next_letter: i64,
}

impl Tasks {
    fn put(&mut self, write: TaskWrite) {
        let TaskWrite { row, is_new, message, entry } = write;
        if !is_new && !self.rows.contains_key(&row.id) {
            return;
        }
        if let Some(message) = message {
            self.messages.entry((row.owner.clone(), message.id.clone())).or_insert(message);
        }
        self.entries.entry(row.id.clone()).or_default().extend(entry);
        self.rows.insert(row.id.clone(), row);
    }

    fn remove(&mut self, id: &str) {
        self.rows.remove(id);
        self.entries.remove(id);
        self.messages.retain(|_, message| message.task != id);
        self.hooks.retain(|(task, _), _| task != id);
    }

    fn find(&self, query: &TaskQuery) -> FoundTasks {
        let is = |wanted: &Option<String>, value: &String| wanted.as_ref().is_none_or(|it| it == value);
        let mut rows: Vec<TaskRow> = (self.rows.values())
            .filter(|row| {
                !row.bare
                    && is(&query.owner, &row.owner)
                    && is(&query.context, &row.context)
                    && is(&query.state, &row.state)
                    && query.skill.as_ref().is_none_or(|skill| row.skill.as_ref() == Some(skill))
                    && query.since.is_none_or(|since| row.status_at >= since)
            })
            .cloned()
            .collect();
        let total = rows.len() as u64;
        rows.sort_by(|a, b| (b.status_at, &b.id).cmp(&(a.status_at, &a.id)));
        if let Some((at, id)) = &query.after {
            rows.retain(|row| (row.status_at, &row.id) < (*at, id));
        }
        rows.truncate(query.limit as usize);
        FoundTasks { rows, total }
    }

    fn standing(&self, owner: Option<&String>) -> TasksStanding {
        let is_own = |other: &String| owner.is_none_or(|owner| owner == other);
        let mut counts = BTreeMap::<String, u64>::new();
        let seen = || self.rows.values().filter(|row| !row.bare && is_own(&row.owner));
        for row in seen() {
            *counts.entry(row.state.clone()).or_default() += 1;
        }
        let is_behind = |hook: &&TaskHook| {
            let row = self.rows.get(&hook.task).filter(|row| is_own(&row.owner));
            row.is_some_and(|row| hook.told_seq < row.last_seq)
        };
        TasksStanding {
            counts: counts.into_iter().collect(),
            last_at: seen().map(|row| row.status_at).max(),
            waiting: self.hooks.values().filter(is_behind).count() as u64,
            dead: self.letters.iter().filter(|letter| is_own(&letter.owner)).count() as u64,
        }
    }

    /// Forgets the oldest tasks with a status before a time; at most so many.
    fn sweep(&mut self, before: i64, except: &[&'static str], most: usize) -> u64 {
        let mut old: Vec<(i64, String, String)> = (self.rows.values())
            .filter(|row| row.status_at < before && !except.contains(&row.state.as_str()))
            .map(|row| (row.status_at, row.id.clone(), row.owner.clone()))
            .collect();
        old.sort();
        let mut places: HashMap<String, usize> = HashMap::new();
        // The newest one of an owner has the first place; the highest ones go first.
        let mut ranked: Vec<(Reverse<usize>, i64, String)> = Vec::with_capacity(old.len());
        for (at, id, owner) in old.into_iter().rev() {
            let place = places.entry(owner).or_default();
            *place += 1;
            ranked.push((Reverse(*place), at, id));
        }
        ranked.sort();
        ranked.truncate(most);
        ranked.iter().for_each(|(.., id)| self.remove(id));
        ranked.len() as u64
    }
}

type Done<'a, T> = BoxFuture<'a, Result<T, TaskStoreError>>;

impl TaskStore for MemoryStore {
    fn write(&self, writes: Vec<TaskWrite>) -> Done<'_, ()> {
        self.now(|state| {
            writes.into_iter().for_each(|write| state.tasks.put(write));
            Ok(())
        })
    }

    fn task(&self, id: String) -> Done<'_, Option<TaskRow>> {
        self.now(|state| Ok(state.tasks.rows.get(&id).cloned()))
    }

    fn message(&self, owner: String, id: String) -> Done<'_, Option<TaskMessage>> {
        self.now(|state| Ok(state.tasks.messages.get(&(owner, id)).cloned()))
    }

    fn entries(&self, task: String, after: u64, limit: u32, results: bool) -> Done<'_, Vec<TaskEntry>> {
        self.now(|state| {
            let entries = state.tasks.entries.get(&task).into_iter().flatten();
            let wanted =
                entries.filter(|entry| entry.seq > after && (results || entry.kind != EntryKind::Artifact));
            Ok(wanted.take(limit as usize).cloned().collect())
        })
    }

    fn find(&self, query: TaskQuery) -> Done<'_, FoundTasks> {
        self.now(|state| Ok(state.tasks.find(&query)))
    }

    fn in_states(&self, states: Vec<&'static str>, limit: u32) -> Done<'_, Vec<TaskRow>> {
        self.now(|state| {
            let found = state.tasks.rows.values().filter(|row| states.contains(&row.state.as_str()));
            let mut found: Vec<TaskRow> = found.cloned().collect();
            found.sort_by(|a, b| (a.status_at, &a.id).cmp(&(b.status_at, &b.id)));
            found.truncate(limit as usize);
            Ok(found)
        })
    }

    fn counts(&self) -> Done<'_, Vec<(String, u64)>> {
        self.now(|state| {
            let mut counts = BTreeMap::<String, u64>::new();
            for row in state.tasks.rows.values().filter(|row| !row.bare) {
                *counts.entry(row.state.clone()).or_default() += 1;
            }
            Ok(counts.into_iter().collect())
        })
    }

    fn standing(&self, owner: Option<String>) -> Done<'_, TasksStanding> {
        self.now(|state| Ok(state.tasks.standing(owner.as_ref())))
    }

    fn remove(&self, id: String) -> Done<'_, ()> {
        self.now(|state| {
            state.tasks.remove(&id);
            Ok(())
        })
    }

    fn sweep(&self, before: i64, except: Vec<&'static str>) -> Done<'_, u64> {
        self.now(|state| Ok(state.tasks.sweep(before, &except, STEP)))
    }

    fn make_room(&self, most: u64, except: Vec<&'static str>) -> Done<'_, u64> {
        self.now(|state| {
            let surplus = (state.tasks.rows.len() as u64).saturating_sub(most);
            Ok(state.tasks.sweep(i64::MAX, &except, usize::try_from(surplus).unwrap_or(usize::MAX)))
        })
    }

    fn put_hook(&self, hook: TaskHook, most: u32) -> Done<'_, bool> {
        self.now(|state| {
            let hooks = &mut state.tasks.hooks;
            let place = (hook.task.clone(), hook.id.clone());
            let others = hooks.keys().filter(|other| other.0 == place.0 && **other != place).count();
            let is_room = others < most as usize;
            if is_room {
                hooks.insert(place, hook);
            }
            Ok(is_room)
        })
    }

    fn hooks(&self, task: String) -> Done<'_, Vec<TaskHook>> {
        self.now(|state| Ok(state.tasks.hooks.values().filter(|hook| hook.task == task).cloned().collect()))
    }

    fn remove_hook(&self, task: String, id: String) -> Done<'_, bool> {
        self.now(|state| Ok(state.tasks.hooks.remove(&(task, id)).is_some()))
    }

    fn hook_told(&self, task: String, id: String, seq: u64) -> Done<'_, ()> {
        self.now(|state| {
            if let Some(hook) = state.tasks.hooks.get_mut(&(task, id)) {
                hook.told_seq = hook.told_seq.max(seq);
            }
            Ok(())
        })
    }

    fn tasks_with_hooks(&self) -> Done<'_, Vec<String>> {
        self.now(|state| {
            let mut tasks: Vec<String> = state.tasks.hooks.keys().map(|(task, _)| task.clone()).collect();
            tasks.dedup();
            Ok(tasks)
        })
    }

    fn bury(&self, letter: DeadLetter, most: u32) -> Done<'_, ()> {
        self.now(|state| {
            let tasks = &mut state.tasks;
            tasks.next_letter += 1;
            tasks.letters.push_front(DeadLetter { number: tasks.next_letter, ..letter });
            tasks.letters.truncate(most as usize);
            Ok(())
        })
    }

    fn dead_letters(
        &self,
        owner: Option<String>,
        after: Option<i64>,
        limit: u32,
    ) -> Done<'_, Vec<DeadLetter>> {
        self.now(|state| {
            let letters = state.tasks.letters.iter().filter(|letter| {
                owner.as_ref().is_none_or(|owner| *owner == letter.owner)
                    && after.is_none_or(|after| letter.number < after)
            });
            Ok(letters.take(limit as usize).cloned().collect())
        })
    }
}

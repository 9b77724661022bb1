//! What clients can be told the changes of. Looks once a second while anybody wants to know, so that requests do nothing for
//! it and nobody hears of one thing more than once a second; who is slow misses what lies between, and is never waited for.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    mem::discriminant,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{sync::watch, time::MissedTickBehavior};

use crate::engine::{Engine, settings::Settings};

/// Between two looks. What begins and ends between them is not seen.
const LOOK: Duration = Duration::from_secs(1);

/// Something that changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Topic {
    /// How connections and hosts stand.
    Health,
    /// What is used of quotas, in whole percents.
    Quotas,
    /// Which combos there are.
    Combos,
    /// Which tools are offered.
    Tools,
}

/// How everything stands, shortened: the same as before while nothing changed.
type Marks = [(Topic, u64); 4];

/// Looks for changes.
pub(super) struct Changes {
    engine: Arc<Engine>,
    marks: watch::Sender<Marks>,
    looking: Mutex<bool>,
}

/// Hears of changes from its beginning on.
pub(super) struct Ear {
    marks: watch::Receiver<Marks>,
    heard: Marks,
}

impl Changes {
    pub(super) fn new(engine: Arc<Engine>) -> Arc<Self> {
        let nothing = [Topic::Health, Topic::Quotas, Topic::Combos, Topic::Tools].map(|topic| (topic, 0));
        Arc::new(Self { engine, marks: watch::Sender::new(nothing), looking: Mutex::default() })
    }

    /// Begins to listen. The first who does has somebody look.
    pub(super) fn listen(self: &Arc<Self>) -> Ear {
        let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
        if !std::mem::replace(&mut *looking, true) {
            self.marks.send_replace(marks(&self.engine));
            tokio::spawn(Arc::clone(self).look());
        }
        let marks = self.marks.subscribe();
        let heard = *marks.borrow();
        Ear { marks, heard }
    }

    /// Looks until nobody listens any more.
    async fn look(self: Arc<Self>) {
        let mut looks = tokio::time::interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        looks.tick().await;
        loop {
            looks.tick().await;
            {
                let mut looking = self.looking.lock().unwrap_or_else(PoisonError::into_inner);
                if self.marks.receiver_count() == 0 {
                    *looking = false;
                    return;
                }
            }
            let now = marks(&self.engine);
            self.marks.send_if_modified(|marks| std::mem::replace(marks, now) != now);
        }
    }
}

impl Ear {
    /// Waits for the next changes.
    pub(super) async fn hear(&mut self) -> Vec<Topic> {
        if self.marks.changed().await.is_err() {
            // Nobody looks any more, which does not happen while somebody listens.
            std::future::pending::<()>().await;
        }
        let now = *self.marks.borrow_and_update();
        let before = std::mem::replace(&mut self.heard, now);
        let both = now.into_iter().zip(before);
        both.filter(|(now, before)| now != before).map(|((topic, _), _)| topic).collect()
    }
}

fn marks(engine: &Engine) -> Marks {
    let snapshot = engine.snapshot();
    let settings = &snapshot.settings;
    [
        (Topic::Health, health(engine, settings)),
        (Topic::Quotas, quotas(engine, settings)),
        (Topic::Combos, mark(settings.combos.iter().map(|combo| (&combo.id, &combo.description)))),
        (Topic::Tools, tools(settings)),
    ]
}

fn health(engine: &Engine, settings: &Settings) -> u64 {
    let connections = mark(settings.connections.iter().map(|connection| &connection.id));
    let locks = engine.health().locks();
    let locks =
        mark(locks.iter().map(|lock| (&lock.connection, &lock.model, discriminant(&lock.lock), lock.since)));
    let hosts = engine.health().hosts();
    let hosts = mark(hosts.iter().map(|host| (&host.host, discriminant(&host.state))));
    mark([connections, locks, hosts].into_iter().enumerate())
}

fn quotas(engine: &Engine, settings: &Settings) -> u64 {
    let windows = settings.connections.iter().flat_map(|connection| {
        let windows = engine.quota().windows(connection).into_iter();
        windows.map(|window| {
            (Arc::clone(&connection.id), window.name, window.model, format!("{:.2}", window.used))
        })
    });
    mark(windows)
}

fn tools(settings: &Settings) -> u64 {
    let mcp = &settings.mcp;
    mark([(discriminant(&mcp.profile), &mcp.allow, &mcp.deny, mcp.aliases)].into_iter())
}

/// One number for many things in any order.
fn mark(things: impl Iterator<Item = impl Hash>) -> u64 {
    things.fold(0, |sum, thing| {
        let mut hasher = DefaultHasher::new();
        thing.hash(&mut hasher);
        sum.wrapping_add(hasher.finish())
    })
}

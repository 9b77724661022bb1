//! Who is told of changes: sessions in the revisions that have any, and open streams since 2026-07-28. A subscription ends
//! with its session or stream. A client that does not read misses notices, or loses its stream.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rmcp::{
    ErrorData, Peer, RoleServer,
    model::{ResourceUpdatedNotificationParam, SubscriptionFilter},
    service::SubscriptionContext,
};
use tokio::{
    select,
    time::{sleep, timeout},
};

use super::{
    address::Address,
    changes::{Changes, Topic},
    resources::{Resources, TOLD, kind},
    visitor::Visitor,
};

/// How long a client may take to hear of something.
const HEARING: Duration = Duration::from_secs(5);

/// How often it is looked whether a session still stands.
const PULSE: Duration = Duration::from_secs(15);

/// Streams of one caller that are open at a time.
const STREAMS: usize = 16;

/// Sessions and streams that are told of changes.
pub(super) struct Subscriptions {
    changes: Arc<Changes>,
    sessions: Mutex<HashMap<Arc<str>, Arc<Wishes>>>,
    streams: Mutex<HashMap<Arc<str>, usize>>,
}

/// The resources that a session wants to hear of: of [`TOLD`], so that they are few.
#[derive(Default)]
struct Wishes(Mutex<BTreeSet<&'static str>>);

impl Wishes {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address whose changes a topic is of, if it is one that can be read.
const fn address(topic: Topic) -> Option<&'static str> {
    match topic {
        Topic::Health => Some(TOLD[0]),
        Topic::Quotas => Some(TOLD[1]),
        Topic::Combos | Topic::Tools => None,
    }
}

impl Subscriptions {
    pub(super) fn new(changes: Arc<Changes>) -> Arc<Self> {
        Arc::new(Self { changes, sessions: Mutex::default(), streams: Mutex::default() })
    }

    /// What can be told of what is wanted.
    pub(super) fn known(wanted: &SubscriptionFilter) -> SubscriptionFilter {
        let mut known = SubscriptionFilter::new();
        known.tools_list_changed = wanted.tools_list_changed;
        known.resources_list_changed = wanted.resources_list_changed;
        known.resource_subscriptions = wanted.resource_subscriptions.as_ref().map(|wanted| {
            TOLD.iter().filter(|uri| wanted.iter().any(|one| one == *uri)).map(ToString::to_string).collect()
        });
        known
    }

    /// Tells a session of lists that change from now on, and of what it will wish for.
    pub(super) fn began(self: &Arc<Self>, session: &Arc<str>, peer: Peer<RoleServer>) {
        let wishes = Arc::<Wishes>::default();
        self.sessions().insert(Arc::clone(session), Arc::clone(&wishes));
        let (all, session) = (Arc::clone(self), Arc::clone(session));
        let told = wishes;
        let mut ear = self.changes.listen();
        tokio::spawn(async move {
            while !peer.is_transport_closed() {
                select! {
                    topics = ear.hear() => all.tell(&peer, &told, &topics).await,
                    () = sleep(PULSE) => {}
                }
            }
            let mut sessions = all.sessions();
            // It may have been taken up again meanwhile.
            if sessions.get(&session).is_some_and(|now| Arc::ptr_eq(now, &told)) {
                sessions.remove(&session);
            }
        });
    }

    async fn tell(&self, peer: &Peer<RoleServer>, wishes: &Wishes, topics: &[Topic]) {
        for topic in topics {
            let notice = async {
                match (topic, address(*topic)) {
                    (Topic::Tools, _) => peer.notify_tool_list_changed().await,
                    (Topic::Combos, _) => peer.notify_resource_list_changed().await,
                    (_, Some(uri)) if wishes.lock().contains(uri) => {
                        peer.notify_resource_updated(ResourceUpdatedNotificationParam::new(uri)).await
                    }
                    _ => Ok(()),
                }
            };
            // It hears of the next change; whether its session still stands is looked at there.
            drop(timeout(HEARING, notice).await);
        }
    }

    /// Begins to tell a session of changes to a resource.
    pub(super) fn wish(
        self: &Arc<Self>,
        resources: &Resources,
        visitor: &Visitor,
        uri: &str,
        peer: &Peer<RoleServer>,
    ) -> Result<(), ErrorData> {
        let uri = told(resources, visitor, uri)?;
        let no_session = || ErrorData::invalid_request("only sessions can subscribe", None);
        let session = visitor.session.as_ref().ok_or_else(no_session)?;
        if !self.sessions().contains_key(session) {
            self.began(session, peer.clone());
        }
        if let Some(wishes) = self.sessions().get(session) {
            wishes.lock().insert(uri);
        }
        Ok(())
    }

    /// Ends that.
    pub(super) fn unwish(&self, visitor: &Visitor, uri: &str) {
        let wishes = visitor.session.as_ref().and_then(|session| self.sessions().get(session).cloned());
        if let Some(wishes) = wishes {
            wishes.lock().remove(uri);
        }
    }

    /// Tells a stream of changes until its client is gone, or does not read any more.
    pub(super) async fn stream(
        &self,
        resources: &Resources,
        visitor: &Visitor,
        subscription: SubscriptionContext,
    ) -> Result<(), ErrorData> {
        let Some(_seat) = self.seat(&visitor.caller.id) else {
            let text = format!("one caller may have {STREAMS} streams open; close another one first");
            return Err(ErrorData::invalid_request(text, None));
        };
        let mut ear = self.changes.listen();
        loop {
            let topics = select! {
                topics = ear.hear() => topics,
                () = subscription.cancelled() => return Ok(()),
            };
            for topic in topics {
                // Rights and settings may have changed since it began.
                let open = address(topic).is_none_or(|uri| told(resources, visitor, uri).is_ok());
                if open && timeout(HEARING, send(&subscription, topic)).await != Ok(true) {
                    return Ok(());
                }
            }
        }
    }

    /// A place for one more stream of this caller.
    fn seat(&self, caller: &Arc<str>) -> Option<Seat<'_>> {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let count = streams.entry(Arc::clone(caller)).or_default();
        if *count >= STREAMS {
            return None;
        }
        *count += 1;
        Some(Seat { all: self, caller: Arc::clone(caller) })
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Wishes>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether it was sent, or not wanted.
async fn send(subscription: &SubscriptionContext, topic: Topic) -> bool {
    let (sink, accepted) = (subscription.sink(), subscription.accepted());
    let wanted = |uri: &str| accepted.resource_subscriptions.iter().flatten().any(|one| one == uri);
    let sent = match (topic, address(topic)) {
        (Topic::Tools, _) if accepted.tools_list_changed == Some(true) => {
            sink.notify_tool_list_changed().await
        }
        (Topic::Combos, _) if accepted.resources_list_changed == Some(true) => {
            sink.notify_resource_list_changed().await
        }
        (_, Some(uri)) if wanted(uri) => sink.notify_resource_updated(uri).await,
        _ => Ok(()),
    };
    sent.is_ok()
}

/// The address, if the visitor can be told of changes to it.
fn told(resources: &Resources, visitor: &Visitor, uri: &str) -> Result<&'static str, ErrorData> {
    let settings = resources.settings();
    let known = TOLD.iter().find(|known| **known == uri).copied();
    let open = |uri: &&str| {
        let kind = Address::read(uri).and_then(|address| kind(&address));
        kind.is_some_and(|kind| kind.is_open(&settings, visitor))
    };
    known.filter(|uri| open(uri)).ok_or_else(|| {
        let text = format!("there is no resource `{uri}` whose changes are told; {} are", TOLD.join(" and "));
        ErrorData::resource_not_found(text, None)
    })
}

/// A place that a stream has.
struct Seat<'a> {
    all: &'a Subscriptions,
    caller: Arc<str>,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut streams = self.all.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = streams.get_mut(&self.caller) {
            *count -= 1;
            if *count == 0 {
                streams.remove(&self.caller);
            }
        }
    }
}

//! The way of a request whose answer may be another's: from the cache, from one like it that is under way, or made for it
//! and kept.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt, stream};
use operations::Scope;

use super::{
    Shared,
    cache::{Entry, Recorder},
    join::{Outcome, Role, Whole},
    key::{self, Key},
    rules::Rule,
};
use crate::engine::{
    pipeline::{self, Engine, Inbound, Piece, Pieces, Reply, Served, Snapshot},
    policy,
    receipt::Reuse,
    refusal::Refusal,
    resolve,
    settle::Settlement,
};

/// What the cache did for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cached {
    /// It gave the answer, which is this old.
    Hit(Duration),
    /// It had none.
    Miss,
    /// It was not asked: the client wants it so, or no answer to the request may be given twice.
    Bypass,
    /// The answer is that of a request like it, which was under way.
    Joined,
}

impl Cached {
    /// The word for a header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hit(_) => "hit",
            Self::Miss => "miss",
            Self::Bypass => "bypass",
            Self::Joined => "joined",
        }
    }
}

impl Engine {
    /// Answers a request whose name has a rule.
    pub(in crate::engine) async fn reusing(
        &self,
        inbound: Inbound,
        snapshot: Arc<Snapshot>,
        rule: Rule,
    ) -> Result<Reply, Refusal> {
        let Some(key) = identify(&inbound, &snapshot) else {
            return self.noted(inbound, &snapshot, rule, None).await;
        };
        let says = inbound.freshness;
        if rule.cache && says.takes {
            let ttl = snapshot.settings.cache.ttl;
            let most = says.max_age.map_or(ttl, |age| age.min(ttl));
            if let Some((entry, age)) = self.shared().cache.get(&key, most, self.clock().now()) {
                return Ok(self.hit(&inbound, &entry, age));
            }
        }
        if rule.join && !inbound.request.facts.stream && says.takes {
            return self.joining(inbound, snapshot, rule, key).await;
        }
        self.noted(inbound, &snapshot, rule, Some(key)).await
    }

    fn hit(&self, inbound: &Inbound, entry: &Entry, age: Duration) -> Reply {
        let mut settlement = self.open_free(inbound);
        settlement.reused(Reuse::Cached);
        let mut reply = again(settlement, Some(entry.served.clone()), entry.body.clone());
        reply.cached = Some(Cached::Hit(age));
        reply
    }

    /// Has it answered, and kept where it may be.
    async fn noted(
        &self,
        inbound: Inbound,
        snapshot: &Arc<Snapshot>,
        rule: Rule,
        key: Option<Key>,
    ) -> Result<Reply, Refusal> {
        let recorder = self.recorder(&inbound, snapshot, rule, key);
        let asked = key.is_some() && inbound.freshness.takes;
        let mut reply = self.fresh(inbound, snapshot, recorder).await?;
        reply.cached = rule.cache.then_some(if asked { Cached::Miss } else { Cached::Bypass });
        Ok(reply)
    }

    fn recorder(
        &self,
        inbound: &Inbound,
        snapshot: &Snapshot,
        rule: Rule,
        key: Option<Key>,
    ) -> Option<Recorder> {
        let key = key.filter(|_| rule.cache && inbound.freshness.gives)?;
        let cache = Arc::clone(&self.shared().cache);
        Some(Recorder::new(cache, key, self.shared_clock(), &snapshot.settings.cache))
    }

    /// Waits for the answer of a request like it, or makes one for all of them.
    async fn joining(
        &self,
        inbound: Inbound,
        snapshot: Arc<Snapshot>,
        rule: Rule,
        key: Key,
    ) -> Result<Reply, Refusal> {
        loop {
            match self.shared().joins.join(key) {
                Role::Alone => return self.noted(inbound, &snapshot, rule, Some(key)).await,
                Role::First(lead, mut waiting) => {
                    let recorder = self.recorder(&inbound, &snapshot, rule, Some(key));
                    match self.race(inbound, &snapshot, recorder).await {
                        Ok(race) => {
                            tokio::spawn(async move {
                                let outcome = tokio::select! {
                                    outcome = whole(race) => outcome,
                                    () = lead.left() => return,
                                };
                                lead.tell(outcome);
                            });
                        }
                        Err(refusal) => lead.tell(Err(refusal)),
                    }
                    // The task ends without a word only with the whole program.
                    let outcome =
                        waiting.outcome().await.map_or_else(|| Err(stopped()), |told| (*told).clone());
                    return outcome.map(|whole| reply(whole, rule.cache.then_some(Cached::Miss)));
                }
                Role::Later(mut waiting) => {
                    let mut settlement = self.open_free(&inbound);
                    settlement.reused(Reuse::Joined);
                    let Some(outcome) = waiting.outcome().await else {
                        // Whoever was first left before it was asked.
                        settlement.cancel();
                        continue;
                    };
                    return match &*outcome {
                        Ok(Whole { served, body }) => {
                            let mut reply = again(settlement, served.clone(), body.clone());
                            reply.cached = Some(Cached::Joined);
                            Ok(reply)
                        }
                        Err(refusal) => {
                            settlement.refuse(refusal);
                            Err(refusal.clone())
                        }
                    };
                }
            }
        }
    }

    fn shared(&self) -> &Shared {
        &self.reuse
    }
}

/// The key of a request, if it is one that is answered at all. Those that are not are refused on their usual way.
fn identify(inbound: &Inbound, snapshot: &Snapshot) -> Option<Key> {
    policy::require(&inbound.caller, Scope::ExecuteCompletions).ok()?;
    let candidates = resolve::candidates(snapshot, inbound).ok()?;
    let name = inbound.shaped.asked.as_ref().unwrap_or(&inbound.request.facts.model);
    key::of(inbound, &candidates, snapshot.shapers.of(name).map(|shaping| &**shaping))
}

/// A reply that was made for another request. Its receipt is complete: nothing can go wrong any more.
fn again(mut settlement: Settlement, served: Option<Served>, body: Bytes) -> Reply {
    settlement.meter.content();
    settlement.meter.gave(body.len());
    settlement.complete();
    // Nobody was asked for this one.
    let served = served.map(|served| Served { attempts: 0, ..served });
    reply(Whole { served, body }, None)
}

fn reply(whole: Whole, cached: Option<Cached>) -> Reply {
    let served = whole.served.map_or_else(OnceLock::new, OnceLock::from);
    let body = whole.body;
    let pieces: Pieces = Box::pin(stream::once(async move { Piece::Bytes(body) }));
    Reply { served: Arc::new(served), pieces, cached, rate: None }
}

/// Runs a race to the end of its answer.
async fn whole(race: pipeline::Running) -> Outcome {
    let Reply { served, mut pieces, .. } = race.reply().await?;
    let mut body = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        match piece {
            Piece::Bytes(bytes) => body.extend_from_slice(&bytes),
            Piece::KeepAlive => {}
            Piece::Broke(refusal) => return Err(*refusal),
        }
    }
    Ok(Whole { served: served.get().cloned(), body: body.freeze() })
}

fn stopped() -> Refusal {
    Refusal::new(crate::engine::code::Code::ShuttingDown, "The hub is stopping.")
}

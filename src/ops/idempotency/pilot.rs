//! Brings one answer to its end: claims its key, has the work done, lets its readers read along, and remembers what came
//! of it. It runs by itself, so that no reader who leaves can leave a claim behind in the middle.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_core::Stream;
use futures_util::StreamExt;
use http::{HeaderValue, StatusCode};
use tokio::time::sleep;

use super::{Denied, Head, Inner, MARK, Repeat, flight::Flight, payload};
use crate::{
    engine::settings::Idempotency as Policy,
    ops::ports::{Claim, ClaimEnding, Claimed},
};

/// An answer as the work gives it.
pub struct Work<Body> {
    /// How it begins.
    pub head: Head,
    /// Its bytes as they come.
    pub body: Body,
    /// Whether a body that is over is a whole one, and none that tells that it broke.
    pub is_whole: Box<dyn Fn() -> bool + Send + Sync>,
}

/// The one who brings an answer to its end. To be driven on a task of its own.
pub struct Pilot {
    pub(super) inner: Arc<Inner>,
    pub(super) repeat: Repeat,
    pub(super) flight: Arc<Flight>,
    pub(super) policy: Policy,
}

/// How the work ended.
enum Done {
    /// With an answer that is to be remembered.
    Remembered(ClaimEnding),
    /// With one that a repeat may mend, or nobody waited for it any more.
    Forgotten,
}

impl Pilot {
    /// Has `work` done under the claim of its key, unless that was done before: then gives that answer.
    pub async fn fly<Body>(self, work: impl Future<Output = Work<Body>>)
    where
        Body: Stream<Item = Bytes>,
    {
        let now = self.inner.clock.now();
        let ttl = i64::try_from(self.policy.ttl.as_millis()).unwrap_or(i64::MAX);
        let claim = Claim {
            place: self.repeat.place.clone(),
            request: self.repeat.request,
            created_at: now,
            expires_at: now.saturating_add(ttl),
        };
        match self.inner.store.claim(claim, self.policy.max_keys).await {
            Ok(None) => self.work(work).await,
            Ok(Some(claimed)) => self.replay(claimed).await,
            Err(_) => self.flight.begin(Err(Denied::Failed)),
        }
    }

    /// Gives the answer that was given before.
    async fn replay(&self, claimed: Claimed) {
        if claimed.request != self.repeat.request {
            return self.flight.begin(Err(Denied::Different));
        }
        let answer = match claimed.ending {
            None => Err(Denied::InDoubt),
            Some(ClaimEnding::NotKept) => Err(Denied::NotKept),
            Some(ClaimEnding::Answered(text)) => payload::read(text).ok_or(Denied::NotKept),
        };
        match answer {
            Ok((mut head, body)) => {
                head.headers.insert(MARK, HeaderValue::from_static("replayed"));
                self.flight.begin(Ok(head));
                self.flight.push(body).await;
            }
            Err(denied) => self.flight.begin(Err(denied)),
        }
    }

    async fn work<Body>(&self, work: impl Future<Output = Work<Body>>)
    where
        Body: Stream<Item = Bytes>,
    {
        let done = {
            let mut abandoned = pin!(abandoned(&self.flight, self.policy.linger));
            tokio::select! {
                done = self.pass_on(work) => done,
                () = &mut abandoned => Done::Forgotten,
            }
        };
        let place = self.repeat.place.clone();
        let store = &self.inner.store;
        // What fails here was logged. The claim then stays without an ending, and a repeat is told so.
        drop(match done {
            Done::Remembered(ending) => store.finish(place, ending, self.policy.max_bytes).await,
            Done::Forgotten => store.release(place).await,
        });
    }

    async fn pass_on<Body>(&self, work: impl Future<Output = Work<Body>>) -> Done
    where
        Body: Stream<Item = Bytes>,
    {
        let Work { head, body, is_whole } = work.await;
        let is_kept = is_final(head.status);
        self.flight.begin(Ok(head));
        let most = usize::try_from(self.policy.max_item_bytes).unwrap_or(usize::MAX);
        let mut held = Held { inner: &self.inner, bytes: 0 };
        let mut fits = true;
        let mut body = pin!(body);
        while let Some(chunk) = body.next().await {
            if fits && (held.bytes + chunk.len() > most || !held.add(chunk.len())) {
                fits = false;
                self.flight.forget();
            }
            self.flight.push(chunk).await;
        }
        if !is_kept || !is_whole() {
            return Done::Forgotten;
        }
        let whole = self.flight.whole().and_then(|(head, body)| payload::write(&head, &body).ok());
        Done::Remembered(whole.map_or(ClaimEnding::NotKept, ClaimEnding::Answered))
    }
}

impl Drop for Pilot {
    /// However it ended: those who read are told, and the next repeat finds what the store knows.
    fn drop(&mut self) {
        self.inner.flights().remove(&self.repeat.place);
        self.flight.end();
    }
}

/// Waits until nobody has waited for the answer for a while.
async fn abandoned(flight: &Flight, linger: Duration) {
    loop {
        flight.left().await;
        sleep(linger).await;
        if !flight.is_read() {
            return;
        }
    }
}

/// Whether the same request would be answered the same again: an answer, or a verdict on the request itself.
fn is_final(status: StatusCode) -> bool {
    status.is_success()
        || matches!(
            status,
            StatusCode::BAD_REQUEST | StatusCode::PAYLOAD_TOO_LARGE | StatusCode::UNPROCESSABLE_ENTITY
        )
}

/// What an answer under way takes of the memory that all of them have.
struct Held<'a> {
    inner: &'a Inner,
    bytes: usize,
}

impl Held<'_> {
    /// Takes more; says whether there was room.
    fn add(&mut self, bytes: usize) -> bool {
        let room = self.inner.take(bytes);
        if room {
            self.bytes += bytes;
        }
        room
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.inner.give_back(self.bytes);
    }
}

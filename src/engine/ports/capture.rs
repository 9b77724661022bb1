//! What requests and their answers were made of, taken down while they go by, and somewhere to put it. What is secret in
//! it is not found here: whoever keeps it cleans it first.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use http::{HeaderMap, HeaderName, HeaderValue, header};

use super::super::settings::Secret;

/// Attempts of one request that are taken down: the last ones.
const ATTEMPTS: u32 = 4;

/// Bytes that everything taken down may hold in memory at once, until it is kept. What finds no room is cut.
const ROOM: usize = 64 * 1024 * 1024;

/// What stands in place of a header that nobody may read.
const MASK: &str = "[redacted]";

/// Where a payload was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadStage {
    /// What the client asked, as it came in.
    ClientRequest,
    /// What went to a provider.
    SentRequest,
    /// What a provider answered.
    UpstreamAnswer,
    /// What the client was given.
    ClientAnswer,
}

impl PayloadStage {
    /// The stage as it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientRequest => "client_request",
            Self::SentRequest => "sent_request",
            Self::UpstreamAnswer => "upstream_answer",
            Self::ClientAnswer => "client_answer",
        }
    }
}

/// One message. Not to be printed: it is what people said.
#[derive(Clone)]
pub struct Payload {
    /// Where it was seen.
    pub stage: PayloadStage,
    /// Of which attempt, from 1; 0 for what the client said and got.
    pub attempt: u32,
    /// The URL that it was sent to.
    pub url: Option<String>,
    /// The status that it came with.
    pub status: Option<u16>,
    /// Its headers, without the values of those that carry credentials.
    pub headers: Vec<(String, String)>,
    /// Its first bytes.
    pub body: Vec<u8>,
    /// How many bytes it had.
    pub size: u64,
}

impl Payload {
    fn new(stage: PayloadStage, attempt: u32) -> Self {
        let (url, status, headers, body) = (None, None, Vec::new(), Vec::new());
        Self { stage, attempt, url, status, headers, body, size: 0 }
    }

    /// The bytes that it holds of the room.
    fn held(&self) -> usize {
        self.body.len() + self.headers.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>()
    }
}

/// Everything that was taken down of one request.
pub struct Captured {
    /// The hub's request id.
    pub id: String,
    /// When the request arrived, in milliseconds since the Unix epoch.
    pub at: i64,
    /// The messages: what the client asked, the attempts in order, what the client was given.
    pub payloads: Vec<Payload>,
    /// Credentials that went along, which must not be kept.
    pub secrets: Vec<Secret>,
    /// Given back when this is dropped.
    _held: Held,
}

/// Somewhere to put what was taken down. Never blocks: when its queue is full it drops and counts.
pub trait CaptureSink: Send + Sync {
    /// Takes what was taken down of a finished request.
    fn captured(&self, captured: Captured);
}

/// The memory that all tapes of a hub share.
#[derive(Debug, Default)]
pub struct Room(AtomicUsize);

/// A part of it.
#[derive(Default)]
struct Held {
    room: Arc<Room>,
    bytes: usize,
}

impl Held {
    /// As much of `wanted` as there is room for.
    fn take(&mut self, wanted: usize) -> usize {
        let taken = self.room.0.fetch_add(wanted, Relaxed);
        let granted = ROOM.saturating_sub(taken).min(wanted);
        self.room.0.fetch_sub(wanted - granted, Relaxed);
        self.bytes += granted;
        granted
    }

    fn give_back(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        self.room.0.fetch_sub(bytes, Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

/// Takes down one request while it goes by.
pub struct Tape {
    sink: Arc<dyn CaptureSink>,
    /// The most that is kept of one message, in bytes.
    limit: usize,
    reel: Mutex<Option<Reel>>,
}

struct Reel {
    asked: Payload,
    attempts: Vec<Payload>,
    given: Payload,
    count: u32,
    secrets: Vec<Secret>,
    held: Held,
}

impl Reel {
    fn add(held: &mut Held, limit: usize, payload: &mut Payload, bytes: &[u8]) {
        payload.size += bytes.len() as u64;
        let wanted = limit.saturating_sub(payload.body.len()).min(bytes.len());
        // What was cut once stays cut: nothing is put behind a gap.
        let whole = payload.size - bytes.len() as u64 == payload.body.len() as u64;
        let granted = if whole && wanted > 0 { held.take(wanted) } else { 0 };
        payload.body.extend_from_slice(bytes.get(..granted).unwrap_or_default());
    }
}

impl Tape {
    /// A tape for one request, of which `asked` is what its client sent.
    #[must_use]
    pub fn new(
        sink: Arc<dyn CaptureSink>,
        room: Arc<Room>,
        limit: usize,
        headers: &HeaderMap,
        asked: &[u8],
    ) -> Self {
        let mut held = Held { room, bytes: 0 };
        let mut secrets = Vec::new();
        let mut first = Payload::new(PayloadStage::ClientRequest, 0);
        first.headers = shown(headers, &mut secrets, &mut held);
        Reel::add(&mut held, limit, &mut first, asked);
        let given = Payload::new(PayloadStage::ClientAnswer, 0);
        let reel = Reel { asked: first, attempts: Vec::new(), given, count: 0, secrets, held };
        Self { sink, limit, reel: Mutex::new(Some(reel)) }
    }

    /// Takes down what is sent to a provider; answers the number of the attempt.
    pub fn sent(&self, url: String, headers: &HeaderMap, body: &[u8]) -> u32 {
        let mut reel = self.lock();
        let Some(Reel { attempts, count, secrets, held, .. }) = &mut *reel else { return 0 };
        *count += 1;
        if let Some(last) = count.checked_sub(ATTEMPTS) {
            for old in attempts.extract_if(.., |payload| payload.attempt <= last) {
                held.give_back(old.held());
            }
        }
        let mut payload = Payload::new(PayloadStage::SentRequest, *count);
        (payload.url, payload.headers) = (Some(url), shown(headers, secrets, held));
        Reel::add(held, self.limit, &mut payload, body);
        attempts.push(payload);
        *count
    }

    /// Takes down the head of a provider's answer.
    pub fn answered(&self, attempt: u32, status: u16, headers: &HeaderMap) {
        if let Some(reel) = &mut *self.lock() {
            let mut payload = Payload::new(PayloadStage::UpstreamAnswer, attempt);
            let Reel { secrets, held, .. } = reel;
            (payload.status, payload.headers) = (Some(status), shown(headers, secrets, held));
            reel.attempts.push(payload);
        }
    }

    /// Takes down a piece of a provider's answer.
    pub fn heard(&self, attempt: u32, bytes: &[u8]) {
        let mut reel = self.lock();
        let Some(Reel { attempts, held, .. }) = &mut *reel else { return };
        let of = |payload: &&mut Payload| {
            payload.attempt == attempt && payload.stage == PayloadStage::UpstreamAnswer
        };
        if let Some(payload) = attempts.iter_mut().rev().find(of) {
            Reel::add(held, self.limit, payload, bytes);
        }
    }

    /// Takes down a piece of what the client is given.
    pub fn gave(&self, bytes: &[u8]) {
        if let Some(Reel { given, held, .. }) = &mut *self.lock() {
            Reel::add(held, self.limit, given, bytes);
        }
    }

    /// Forgets what the client was to be given: it gets none of it.
    pub fn forget_given(&self) {
        if let Some(Reel { given, held, .. }) = &mut *self.lock() {
            held.give_back(given.held());
            *given = Payload::new(PayloadStage::ClientAnswer, 0);
        }
    }

    /// The request is over, with this status for its client: hands over what was taken down. What comes later is not.
    pub fn end(&self, id: &str, at: i64, status: u16) {
        let Some(reel) = self.lock().take() else { return };
        let Reel { asked, attempts, mut given, secrets, held, .. } = reel;
        given.status = Some(status);
        let payloads = [asked].into_iter().chain(attempts).chain([given]).collect();
        self.sink.captured(Captured { id: id.to_owned(), at, payloads, secrets, _held: held });
    }

    fn lock(&self) -> MutexGuard<'_, Option<Reel>> {
        self.reel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tape")
    }
}

/// Headers that carry credentials whoever sends them: providers do not mark what they answer.
const CREDENTIALS: [HeaderName; 4] =
    [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE, header::SET_COOKIE];
const KEYS: [&str; 3] = ["x-api-key", "x-goog-api-key", "api-key"];

fn is_secret(name: &HeaderName, value: &HeaderValue) -> bool {
    value.is_sensitive() || CREDENTIALS.contains(name) || KEYS.contains(&name.as_str())
}

/// Headers as they may be kept, as far as there is room. The credentials in them are noted, since messages may repeat them.
fn shown(headers: &HeaderMap, secrets: &mut Vec<Secret>, held: &mut Held) -> Vec<(String, String)> {
    let mut shown = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
        let secret = is_secret(name, value);
        if secret {
            let secret = Secret::new(text.strip_prefix("Bearer ").unwrap_or(&text));
            if !secrets.contains(&secret) {
                secrets.push(secret);
            }
        }
        let text = if secret { MASK.to_owned() } else { text };
        let wanted = name.as_str().len() + text.len();
        let granted = held.take(wanted);
        if granted < wanted {
            held.give_back(granted);
            continue;
        }
        shown.push((name.as_str().to_owned(), text));
    }
    shown
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Kept(Mutex<Vec<Captured>>);

    impl CaptureSink for Kept {
        fn captured(&self, captured: Captured) {
            self.0.lock().unwrap().push(captured);
        }
    }

    fn tape(room: &Arc<Room>, limit: usize) -> (Arc<Kept>, Tape) {
        let kept = Arc::new(Kept::default());
        let sink: Arc<dyn CaptureSink> = Arc::<Kept>::clone(&kept);
        (kept, Tape::new(sink, Arc::clone(room), limit, &HeaderMap::new(), b"asked"))
    }

    #[test]
    fn messages_are_cut_and_the_last_attempts_stay() {
        let room = Arc::new(Room::default());
        let (kept, tape) = tape(&room, 8);
        let mut headers = HeaderMap::new();
        let mut key = HeaderValue::from_static("Bearer sk-1");
        key.set_sensitive(true);
        headers.insert("authorization", key);
        for nth in 1..=6_u32 {
            let attempt = tape.sent("http://x".to_owned(), &headers, nth.to_string().as_bytes());
            tape.answered(attempt, 500, &HeaderMap::new());
            tape.heard(attempt, b"12345");
            tape.heard(attempt, b"67890");
            tape.heard(attempt, b"x");
        }
        tape.gave(b"wrong");
        tape.forget_given();
        tape.gave(b"given");
        let headers = "authorization".len() + MASK.len();
        assert_eq!(room.0.load(Relaxed), 5 + 4 * (headers + 1 + 8) + 5);
        tape.end("r", 7, 200);
        tape.end("r", 7, 200);
        tape.gave(b"late");
        let captured = kept.0.lock().unwrap().pop().unwrap();
        assert!(kept.0.lock().unwrap().is_empty(), "handed over once");
        let told: Vec<_> =
            captured.payloads.iter().map(|one| (one.stage.as_str(), one.attempt, &one.body[..])).collect();
        assert_eq!(told.len(), 10);
        assert_eq!(told[0], ("client_request", 0, &b"asked"[..]));
        assert_eq!(told[1], ("sent_request", 3, &b"3"[..]));
        assert_eq!(told[8], ("upstream_answer", 6, &b"12345678"[..]));
        assert_eq!(told[9], ("client_answer", 0, &b"given"[..]));
        assert_eq!(captured.payloads[8].size, 11);
        assert_eq!(captured.payloads[1].headers, [("authorization".to_owned(), MASK.to_owned())]);
        assert_eq!(captured.secrets, [Secret::new("sk-1")]);
        drop(captured);
        assert_eq!(room.0.load(Relaxed), 0, "all of it is given back");
    }

    #[test]
    fn credentials_of_answers_are_masked_though_nobody_marks_them() {
        let room = Arc::new(Room::default());
        let (kept, tape) = tape(&room, 8);
        let mut headers = HeaderMap::new();
        for name in ["set-cookie", "cookie", "authorization", "proxy-authorization", "x-api-key"] {
            headers.insert(name, HeaderValue::from_static("canary"));
        }
        headers.insert("x-request-id", HeaderValue::from_static("r-1"));
        let attempt = tape.sent("http://x".to_owned(), &HeaderMap::new(), b"");
        tape.answered(attempt, 200, &headers);
        tape.end("r", 7, 200);
        let captured = kept.0.lock().unwrap().pop().unwrap();
        let kept = &captured.payloads[2].headers;
        assert_eq!(kept.len(), 6);
        for (name, value) in kept {
            assert_eq!(value, if name == "x-request-id" { "r-1" } else { MASK }, "{name}");
        }
        assert_eq!(captured.secrets, [Secret::new("canary")]);
    }

    #[test]
    fn headers_are_in_the_room_too() {
        let room = Arc::new(Room(AtomicUsize::new(ROOM - 20)));
        let (kept, tape) = tape(&room, 100);
        let mut headers = HeaderMap::new();
        headers.insert("x-long", "y".repeat(100).parse().unwrap());
        headers.insert("x", HeaderValue::from_static("z"));
        tape.answered(1, 200, &headers);
        assert_eq!(room.0.load(Relaxed), ROOM - 20 + 5 + 2);
        tape.end("r", 0, 200);
        let captured = kept.0.lock().unwrap().pop().unwrap();
        assert_eq!(
            captured.payloads[1].headers,
            [("x".to_owned(), "z".to_owned())],
            "what found none is left out"
        );
        drop((captured, tape));
        assert_eq!(room.0.load(Relaxed), ROOM - 20);
    }

    #[test]
    fn what_finds_no_room_is_cut() {
        let room = Arc::new(Room(AtomicUsize::new(ROOM - 7)));
        let (kept, tape) = tape(&room, 100);
        tape.gave(b"abc");
        tape.gave(b"d");
        tape.end("r", 0, 200);
        let captured = kept.0.lock().unwrap().pop().unwrap();
        assert_eq!((&captured.payloads[1].body[..], captured.payloads[1].size), (&b"ab"[..], 4));
        drop((captured, tape));
        assert_eq!(room.0.load(Relaxed), ROOM - 7);
    }
}

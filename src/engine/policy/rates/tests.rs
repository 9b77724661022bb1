//! Counts that roll over, close and come back.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::sync::atomic::AtomicI64;

use operations::Scopes;

use super::*;
use crate::engine::caller::CallerKind;

/// 2026-01-01T00:00:00Z, a Thursday.
const START: i64 = 1_767_225_600_000;

struct Dial(AtomicI64);

impl Clock for Dial {
    fn now(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Default)]
struct Book(Mutex<HashMap<Arc<str>, WindowRecord>>, AtomicU64);

impl WindowSink for Book {
    fn window(&self, record: WindowRecord) {
        self.1.fetch_add(1, Ordering::Relaxed);
        lock(&self.0).insert(Arc::clone(&record.name), record);
    }
}

fn caller(id: &str) -> Caller {
    Caller {
        id: id.into(),
        name: id.into(),
        kind: CallerKind::Key,
        scopes: Scopes::client(),
        address: None,
        policy: None,
    }
}

fn rates() -> (Arc<Rates>, Arc<Dial>, Arc<Book>) {
    let (dial, book) = (Arc::new(Dial(AtomicI64::new(START))), Arc::new(Book::default()));
    (Arc::new(Rates::new(dial.clone(), book.clone(), &[])), dial, book)
}

fn limits(windows: [Option<u64>; KEY_WINDOWS]) -> KeyLimits {
    KeyLimits { windows, concurrent: None }
}

#[test]
fn a_window_holds_so_many_and_the_next_one_as_many_again() {
    let (rates, dial, _) = rates();
    let limits = limits([Some(2), None, Some(3), None, None, None, None]);
    let enter = |id: &str| rates.enter(&caller(id), limits);
    let told = enter("a").unwrap().told().requests.unwrap();
    assert_eq!((told.limit, told.remaining), (2, 1));
    drop(enter("a").unwrap());
    dial.0.store(START + 20_000, Ordering::Relaxed);
    let refusal = enter("a").err().unwrap();
    assert_eq!((refusal.code, refusal.retry_after), (Code::RateLimited, Some(Duration::from_secs(40))));
    assert_eq!(refusal.rate.unwrap().requests.unwrap().remaining, 0);
    assert!(enter("b").is_ok(), "each caller has its own");
    dial.0.store(START + 60_000, Ordering::Relaxed);
    assert!(enter("a").is_ok());
    let refusal = enter("a").err().unwrap();
    assert!(refusal.message.contains("3 requests of this day"), "{}", refusal.message);
    assert_eq!(refusal.retry_after, Some(Duration::from_secs(24 * 60 * 60 - 60)));
}

#[test]
fn tokens_close_the_door_when_they_are_used_up() {
    let (rates, dial, _) = rates();
    let limits = limits([None, None, None, None, None, Some(100), None]);
    let ticket = rates.enter(&caller("a"), limits).unwrap();
    ticket.took(99);
    let second = rates.enter(&caller("a"), limits).unwrap();
    second.took(50);
    assert!(rates.enter(&caller("a"), limits).is_err());
    dial.0.store(START + 60_000, Ordering::Relaxed);
    assert!(rates.enter(&caller("a"), limits).is_ok());
}

#[test]
fn places_come_back_when_their_requests_end() {
    let (rates, ..) = rates();
    let limits = KeyLimits { concurrent: Some(1), ..KeyLimits::default() };
    let first = rates.enter(&caller("a"), limits).unwrap();
    let refusal = rates.enter(&caller("a"), limits).err().unwrap();
    assert!(refusal.code == Code::RateLimited && refusal.rate.is_some(), "it is the caller's own limit");
    drop(first);
    assert!(rates.enter(&caller("a"), limits).is_ok());
}

#[test]
fn a_restart_forgets_nothing_and_writes_are_rare() {
    let (rates, dial, book) = rates();
    let limits = limits([Some(1000), None, Some(1000), None, None, None, None]);
    for _ in 0..500 {
        drop(rates.enter(&caller("a"), limits).unwrap());
    }
    assert!(book.1.load(Ordering::Relaxed) <= 30, "a fiftieth of the limit at a time");
    let kept: Vec<WindowRecord> = lock(&book.0).values().cloned().collect();
    assert_eq!(kept.len(), 1, "minutes are not kept");
    assert!((500..=520).contains(&kept[0].used), "never less than was used");
    rates.save();
    let kept: Vec<WindowRecord> = lock(&book.0).values().cloned().collect();
    assert_eq!(kept[0].used, 500);
    let next = Arc::new(Rates::new(dial.clone(), book, &kept));
    for _ in 0..500 {
        drop(next.enter(&caller("a"), limits).unwrap());
    }
    assert!(next.enter(&caller("a"), limits).is_err());
    dial.0.store(START + 24 * 60 * 60 * 1000, Ordering::Relaxed);
    assert!(next.enter(&caller("a"), limits).is_ok());
}

/// A clock at which somebody else comes in right after it was read for the first time, and the minute is over.
struct Overtaken {
    time: AtomicI64,
    meanwhile: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Clock for Overtaken {
    fn now(&self) -> i64 {
        let now = self.time.load(Ordering::Relaxed);
        let meanwhile = lock(&self.meanwhile).take();
        if let Some(meanwhile) = meanwhile {
            self.time.store(START + 60_000, Ordering::Relaxed);
            meanwhile();
        }
        now
    }
}

#[test]
fn who_read_the_time_before_the_end_of_a_window_does_not_roll_it_back() {
    let clock = Arc::new(Overtaken { time: AtomicI64::new(START + 59_999), meanwhile: Mutex::default() });
    let rates = Arc::new(Rates::volatile(clock.clone()));
    let limits = limits([Some(2), None, None, None, None, None, None]);
    drop(rates.enter(&caller("a"), limits).unwrap());
    let other = Arc::clone(&rates);
    let enters = move || drop(other.enter(&caller("a"), limits).unwrap());
    *lock(&clock.meanwhile) = Some(Box::new(enters));
    drop(rates.enter(&caller("a"), limits).unwrap());
    assert!(rates.enter(&caller("a"), limits).is_err(), "both of the new minute were counted");
}

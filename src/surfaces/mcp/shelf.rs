//! Results that are too large to be sent at once, kept for a while for who asked for them. In memory alone: what falls off can
//! be asked for again.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

/// How many are kept in all, and of one caller. One more, and the oldest goes.
const MOST: usize = 64;
const MOST_OF_ONE: usize = 8;

/// How many bytes are kept in sum. The oldest go until there is room.
const ROOM: usize = 32 * 1024 * 1024;

/// The largest that is kept at all.
pub(super) const LARGEST: usize = 16 * 1024 * 1024;

/// For how long.
const KEPT_FOR: Duration = Duration::from_secs(600);

/// A result.
struct Item {
    id: Arc<str>,
    owner: Arc<str>,
    text: Arc<str>,
    since: Instant,
}

/// All that are kept, the oldest first.
#[derive(Default)]
pub(super) struct Shelf {
    items: Mutex<VecDeque<Item>>,
}

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) text: String,
    /// Where it begins, in bytes.
    pub(super) from: usize,
    /// Where the next one begins; `None`: this is the last.
    pub(super) next: Option<usize>,
    /// How long the whole is, in bytes.
    pub(super) bytes: usize,
}

impl Shelf {
    /// Keeps a result for its owner. `None`: it is too large even for that.
    pub(super) fn put(&self, owner: &Arc<str>, text: impl Into<Arc<str>> + AsRef<str>) -> Option<Arc<str>> {
        if text.as_ref().len() > LARGEST {
            return None;
        }
        let (id, text): (Arc<str>, Arc<str>) = (Uuid::new_v4().simple().to_string().into(), text.into());
        let mut items = self.fresh();
        while items.iter().filter(|item| item.owner == *owner).count() >= MOST_OF_ONE {
            let oldest = items.iter().position(|item| item.owner == *owner).unwrap_or_default();
            items.remove(oldest);
        }
        while items.len() >= MOST || bytes(&items) + text.len() > ROOM {
            items.pop_front();
        }
        items.push_back(Item { id: Arc::clone(&id), owner: Arc::clone(owner), text, since: Instant::now() });
        Some(id)
    }

    /// A result of this owner.
    pub(super) fn get(&self, owner: &str, id: &str) -> Option<Arc<str>> {
        let items = self.fresh();
        let item = items.iter().find(|item| *item.id == *id && *item.owner == *owner)?;
        Some(Arc::clone(&item.text))
    }

    /// The ids of what is kept for this owner, the latest first.
    pub(super) fn of(&self, owner: &str) -> Vec<String> {
        let items = self.fresh();
        items.iter().rev().filter(|item| *item.owner == *owner).map(|item| item.id.to_string()).collect()
    }

    /// Without those whose time is over.
    fn fresh(&self) -> MutexGuard<'_, VecDeque<Item>> {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        while items.front().is_some_and(|item| item.since.elapsed() >= KEPT_FOR) {
            items.pop_front();
        }
        items
    }
}

fn bytes(items: &VecDeque<Item>) -> usize {
    items.iter().map(|item| item.text.len()).sum()
}

/// What begins at `from`, at most `most` bytes of it, in whole letters. `None`: nothing begins there.
pub(super) fn page(text: &str, from: usize, most: usize) -> Option<Page> {
    let rest = text.get(from..).filter(|rest| from == 0 || !rest.is_empty())?;
    // A letter has four bytes at most, so that there is always one to send.
    let end = rest.floor_char_boundary(most.max(4));
    let text_here = rest.get(..end).unwrap_or_default().to_owned();
    let next = (end < rest.len()).then_some(from + end);
    Some(Page { text: text_here, from, next, bytes: text.len() })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;

    fn owner(name: &str) -> Arc<str> {
        name.into()
    }

    #[tokio::test(start_paused = true)]
    async fn large_results_are_bounded_in_sum_and_the_oldest_go() {
        let shelf = Shelf::default();
        let large = "x".repeat(10 * 1024 * 1024);
        let ids: Vec<_> =
            (0..10).map(|nth| shelf.put(&owner(&format!("{nth}")), large.clone()).unwrap()).collect();
        assert!(bytes(&shelf.fresh()) <= ROOM);
        assert_eq!(shelf.get("0", &ids[0]), None);
        assert_eq!(shelf.get("9", &ids[9]).unwrap().len(), large.len());
        assert_eq!(shelf.put(&owner("9"), "x".repeat(LARGEST + 1)), None);
        assert!(shelf.get("9", &ids[9]).is_some(), "what cannot be kept drives nothing out");
    }

    #[tokio::test(start_paused = true)]
    async fn one_caller_drives_out_its_own_results_alone() {
        let shelf = Shelf::default();
        let other = shelf.put(&owner("other"), "hers").unwrap();
        let ids: Vec<_> = (0..20).map(|_| shelf.put(&owner("me"), "mine").unwrap()).collect();
        assert_eq!(shelf.of("me").len(), MOST_OF_ONE);
        assert_eq!(shelf.of("me")[0], *ids[19]);
        assert_eq!(shelf.get("other", &other).as_deref(), Some("hers"));
        assert_eq!(shelf.get("me", &other), None, "another's");
        for nth in 0..2 * MOST {
            shelf.put(&owner(&format!("k{nth}")), "more").unwrap();
        }
        assert_eq!(shelf.fresh().len(), MOST);
    }

    #[tokio::test(start_paused = true)]
    async fn what_nobody_reads_goes_after_ten_minutes() {
        let shelf = Shelf::default();
        let id = shelf.put(&owner("me"), "mine").unwrap();
        tokio::time::advance(KEPT_FOR - Duration::from_millis(1)).await;
        assert!(shelf.get("me", &id).is_some());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(shelf.get("me", &id).is_none());
    }

    #[test]
    fn pages_make_up_the_whole_in_whole_letters() {
        let text = "añ→🦀".repeat(50);
        for most in 1..40 {
            let (mut seen, mut from) = (String::new(), Some(0));
            while let Some(at) = from {
                let page = page(&text, at, most).unwrap();
                assert!(!page.text.is_empty() && page.text.len() <= most.max(4));
                seen.push_str(&page.text);
                from = page.next;
            }
            assert_eq!(seen, text);
        }
        assert_eq!(page(&text, 2, 10), None, "within a letter");
        assert_eq!(page("abc", 3, 10), None);
        assert_eq!(page("", 0, 10).unwrap().next, None);
    }
}

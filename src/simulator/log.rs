//! The record of what came in and how it was answered: the bounded log and the counts.
//!
//! Who writes it, and when, is the ticket's affair.

use std::collections::{BTreeMap, VecDeque};
use std::io::Write as _;

use serde::Serialize;

/// One request and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Number of the request, from 1, in order of arrival.
    pub seq: u64,
    /// Arrival, in ms since the simulator began.
    pub at_ms: u64,
    /// End of the answer, likewise; `None` while it runs.
    pub done_ms: Option<u64>,
    /// HTTP method.
    pub method: String,
    /// Path, and query if there is one.
    pub path: String,
    /// The key, wherever the vendor wants it.
    pub key: Option<String>,
    /// The `model` of the body, or of the path.
    pub model: Option<String>,
    /// Whether the body, or the path, asks for a stream.
    pub stream: bool,
    /// All headers, names in lower case; values of one name joined by `, `.
    pub headers: BTreeMap<String, String>,
    /// The body as it came (what is not UTF-8 is replaced).
    pub body: String,
    /// The status that was answered; `None` if there was none (yet).
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: Outcome,
    /// Content chunks that were sent.
    pub chunks: u64,
    /// The faults that were played.
    pub faults: Vec<&'static str>,
}

/// How an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has not ended.
    Running,
    /// All of it was sent.
    Complete,
    /// The script cut the connection.
    Cut,
    /// The client hung up before the end.
    ClientLeft,
}

/// Counts since the start, or since the log was last cleared.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests that arrived.
    pub requests: u64,
    /// Requests that are being answered now.
    pub in_flight: u64,
    /// Requests whose client hung up.
    pub client_left: u64,
    /// Answers per key and status; `none` stands for no key, or for no status.
    pub keys: BTreeMap<String, BTreeMap<String, u64>>,
    /// Lines that could not be written to the log file.
    pub log_file_errors: u64,
}

/// Keys that are counted one by one; all further ones are counted together, as `others`.
const COUNTED_KEYS: usize = 10_000;

/// The log and the counts.
#[derive(Debug, Default)]
pub(super) struct Journal {
    entries: VecDeque<Entry>,
    bytes: usize,
    last: u64,
    max_entries: usize,
    max_bytes: usize,
    stats: Stats,
    file: Option<std::fs::File>,
}

impl Journal {
    /// An empty log with these bounds, that also appends finished entries to `file`.
    pub(super) fn new(max_entries: usize, max_bytes: usize, file: Option<std::fs::File>) -> Self {
        Self { max_entries, max_bytes, file, ..Self::default() }
    }

    /// Takes a new entry in and gives it its number.
    pub(super) fn open(&mut self, entry: &mut Entry) {
        self.last += 1;
        entry.seq = self.last;
        self.stats.requests += 1;
        self.stats.in_flight += 1;
        self.bytes += entry.body.len();
        self.entries.push_back(entry.clone());
        while self.entries.len() > self.max_entries || self.bytes > self.max_bytes {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.body.len();
        }
    }

    /// Notes how an entry ended. If it was dropped from the log meanwhile, it still counts.
    pub(super) fn close(&mut self, entry: &Entry) {
        self.stats.in_flight = self.stats.in_flight.saturating_sub(1);
        self.stats.client_left += u64::from(entry.outcome == Outcome::ClientLeft);
        self.count(entry);
        let first = self.entries.front().map_or(u64::MAX, |first| first.seq);
        let at = entry.seq.checked_sub(first).and_then(|at| usize::try_from(at).ok());
        if let Some(kept) = at.and_then(|at| self.entries.get_mut(at)) {
            kept.clone_from(entry);
        }
        if let Some(file) = &mut self.file
            && append(file, entry).is_err()
        {
            self.stats.log_file_errors += 1;
        }
    }

    fn count(&mut self, entry: &Entry) {
        let mut key = entry.key.as_deref().unwrap_or("none");
        if !self.stats.keys.contains_key(key) && self.stats.keys.len() >= COUNTED_KEYS {
            key = "others";
        }
        let status = entry.status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        *self.stats.keys.entry(key.to_owned()).or_default().entry(status).or_default() += 1;
    }

    /// All entries that are kept, oldest first.
    pub(super) fn entries(&self) -> Vec<Entry> {
        self.entries.iter().cloned().collect()
    }

    /// The counts.
    pub(super) fn stats(&self) -> Stats {
        self.stats.clone()
    }

    /// Forgets the entries and the counts; what is in flight stays in flight.
    pub(super) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
        self.stats = Stats { in_flight: self.stats.in_flight, ..Stats::default() };
    }
}

fn append(file: &mut std::fs::File, entry: &Entry) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    file.write_all(&line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(body: &str) -> Entry {
        Entry {
            seq: 0,
            at_ms: 0,
            done_ms: None,
            method: "POST".to_owned(),
            path: "/v1/chat/completions".to_owned(),
            key: Some("k".to_owned()),
            model: None,
            stream: false,
            headers: BTreeMap::new(),
            body: body.to_owned(),
            status: None,
            outcome: Outcome::Running,
            chunks: 0,
            faults: Vec::new(),
        }
    }

    fn kept(journal: &Journal) -> Vec<u64> {
        journal.entries().iter().map(|entry| entry.seq).collect()
    }

    #[test]
    fn the_oldest_go_first() {
        let mut journal = Journal::new(3, 10, None);
        for body in ["12", "34", "56", "78"] {
            journal.open(&mut entry(body));
        }
        assert_eq!(kept(&journal), [2, 3, 4]);
        journal.open(&mut entry("123456"));
        assert_eq!(kept(&journal), [3, 4, 5]);
        journal.open(&mut entry("12345678901"));
        assert_eq!(kept(&journal), [] as [u64; 0]);
    }

    #[test]
    fn endings_find_their_entry() {
        let mut journal = Journal::new(2, 100, None);
        let mut all = [entry("a"), entry("b"), entry("c")];
        for one in &mut all {
            journal.open(one);
        }
        for one in &mut all {
            (one.status, one.outcome) = (Some(200), Outcome::ClientLeft);
            journal.close(one);
        }
        assert!(journal.entries().iter().all(|entry| entry.status == Some(200)));
        let stats = journal.stats();
        assert_eq!((stats.requests, stats.in_flight, stats.client_left), (3, 0, 3));
        assert_eq!(stats.keys["k"]["200"], 3);
        journal.clear();
        assert_eq!(journal.stats(), Stats::default());
        journal.open(&mut all[0]);
        assert_eq!(kept(&journal), [4]);
    }
}

//! Signs of life of processes that speak MCP over their standard input and output: a small file each in `runtime`, and
//! one of the latest for monitors that know only one. The fields are those of OmniRoute. Whose process it is, and what it
//! may do, is decided elsewhere.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

use super::data_dir::{private_dir, private_file};
use crate::{
    engine::ports::Clock,
    ops::ports::{McpProcess, McpProcesses},
};

/// The file of the latest writer.
const LATEST: &str = "mcp-heartbeat.json";

/// What the file of one process is called around its id.
const OWN: (&str, &str) = ("mcp-heartbeat-", ".json");

/// After how long the file of a process that was killed is deleted, in milliseconds. One that lives writes it anew.
const FORGOTTEN_MS: i64 = 3_600_000;

/// Files that are read. More processes than that on one data directory are an accident.
const MOST: usize = 1_000;

/// The largest file that is read.
const SIZE: u64 = 64 * 1024;

/// The text of a file. Times are in UTC, such as `2026-01-31T12:00:00.000Z`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    pid: u32,
    started_at: String,
    last_heartbeat_at: String,
    version: String,
    transport: String,
    scopes_enforced: bool,
    allowed_scopes: Vec<String>,
    tool_count: u32,
}

/// The signs of life of this process. Dropping it removes them.
#[derive(Debug)]
pub struct Heartbeat {
    folder: PathBuf,
    pid: u32,
    started_at: i64,
    scopes: Vec<String>,
    tools: u32,
}

impl Heartbeat {
    /// Of this process, which began at `started_at` (milliseconds since the Unix epoch) to serve a client that may do
    /// what `scopes` say, and sees `tools`.
    #[must_use]
    pub fn new(data_dir: &Path, started_at: i64, scopes: Vec<String>, tools: u32) -> Self {
        Self { folder: folder(data_dir), pid: std::process::id(), started_at, scopes, tools }
    }

    /// Says that the process lives. Readers see the file of before or the new one, never half of it.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn beat(&self, now: i64) -> io::Result<()> {
        let written = Written {
            pid: self.pid,
            started_at: text_of(self.started_at),
            last_heartbeat_at: text_of(now),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            transport: "stdio".to_owned(),
            scopes_enforced: true,
            allowed_scopes: self.scopes.clone(),
            tool_count: self.tools,
        };
        let text = serde_json::to_vec_pretty(&written)?;
        private_dir(&self.folder)?;
        self.replace(&self.own(), &text)?;
        self.replace(&self.folder.join(LATEST), &text)
    }

    fn own(&self) -> PathBuf {
        self.folder.join(format!("{}{}{}", OWN.0, self.pid, OWN.1))
    }

    fn replace(&self, path: &Path, text: &[u8]) -> io::Result<()> {
        // Others write the latest one too: each has a draft of its own.
        let draft = self.folder.join(format!("{}{}.new", OWN.0, self.pid));
        let mut file = private_file(&draft)?;
        file.set_len(0)?;
        file.write_all(text)?;
        drop(file);
        fs::rename(&draft, path)
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        drop(fs::remove_file(self.own()));
        let latest = self.folder.join(LATEST);
        if read(&latest).is_some_and(|written| written.pid == self.pid) {
            drop(fs::remove_file(latest));
        }
    }
}

/// The signs of life next to a data directory.
pub struct Heartbeats {
    folder: PathBuf,
    clock: Arc<dyn Clock>,
}

impl Heartbeats {
    /// Those next to `data_dir`.
    #[must_use]
    pub fn new(data_dir: &Path, clock: Arc<dyn Clock>) -> Self {
        Self { folder: folder(data_dir), clock }
    }
}

impl McpProcesses for Heartbeats {
    fn list(&self) -> Vec<McpProcess> {
        let now = self.clock.now();
        let Ok(entries) = fs::read_dir(&self.folder) else { return Vec::new() };
        let mut found = Vec::new();
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_own = name.to_str().is_some_and(|name| name.starts_with(OWN.0) && name.ends_with(OWN.1));
            if !is_own || found.len() >= MOST {
                continue;
            }
            let Some(process) = read(&entry.path()).and_then(|written| process(written, now)) else {
                continue;
            };
            if now - process.last_heartbeat_at > FORGOTTEN_MS {
                drop(fs::remove_file(entry.path()));
            } else {
                found.push(process);
            }
        }
        found.sort_by_key(|process| process.pid);
        found
    }
}

fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("runtime")
}

fn read(path: &Path) -> Option<Written> {
    let is_small = fs::metadata(path).is_ok_and(|about| about.len() <= SIZE);
    serde_json::from_slice(&fs::read(path).ok().filter(|_| is_small)?).ok()
}

fn process(written: Written, now: i64) -> Option<McpProcess> {
    let last_heartbeat_at = time_of(&written.last_heartbeat_at)?;
    Some(McpProcess {
        pid: written.pid,
        started_at: time_of(&written.started_at)?,
        last_heartbeat_at,
        version: written.version,
        transport: written.transport,
        scopes_enforced: written.scopes_enforced,
        allowed_scopes: written.allowed_scopes,
        tool_count: written.tool_count,
        is_alive: now - last_heartbeat_at <= McpProcess::STALE_MS,
    })
}

const DAY: i64 = 86_400_000;

/// A time in UTC, by the civil calendar whose years begin in March.
fn text_of(at: i64) -> String {
    let (days, rest) = (at.div_euclid(DAY) + 719_468, at.rem_euclid(DAY));
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    let year = era * 400 + year + next;
    let (seconds, fraction) = (rest / 1_000, rest % 1_000);
    let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{date:02}T{hour:02}:{minute:02}:{second:02}.{fraction:03}Z")
}

/// The milliseconds since the Unix epoch of a time as [`text_of`] writes it.
fn time_of(text: &str) -> Option<i64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut date = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 1
        - 719_468;
    Some(days * DAY + (hour * 3_600 + minute * 60 + second) * 1_000 + fraction.parse::<i64>().ok()?)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

    use super::*;
    use crate::auth::test_clock::{START, TestClock};

    #[test]
    fn times_are_written_and_read() {
        for (at, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_123, "2000-02-29T00:00:00.123Z"),
            (1_767_225_599_999, "2025-12-31T23:59:59.999Z"),
            (1_772_323_200_000, "2026-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(text_of(at), text);
            assert_eq!(time_of(text), Some(at));
        }
        assert_eq!(time_of("yesterday"), None);
    }

    #[test]
    fn a_process_that_is_silent_is_stale_and_in_the_end_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(TestClock::default());
        let all = Heartbeats::new(dir.path(), clock.clone());
        assert_eq!(all.list(), []);
        let heart = Heartbeat::new(dir.path(), START, vec!["read:health".to_owned()], 3);
        heart.beat(START).unwrap();
        clock.advance(5_000);
        heart.beat(START + 5_000).unwrap();
        let listed = all.list();
        assert_eq!(listed.len(), 1);
        let (one, expected) = (&listed[0], (std::process::id(), START, START + 5_000, 3, true));
        assert_eq!((one.pid, one.started_at, one.last_heartbeat_at, one.tool_count, one.is_alive), expected);
        // As by `kill -9`: nothing is removed.
        std::mem::forget(heart);
        clock.advance(15_000);
        assert!(all.list()[0].is_alive);
        clock.advance(1);
        assert!(!all.list()[0].is_alive);
        clock.advance(FORGOTTEN_MS);
        assert_eq!(all.list(), []);
        assert!(!folder(dir.path()).join(format!("mcp-heartbeat-{}.json", std::process::id())).exists());
    }

    #[test]
    fn the_files_go_with_the_process_and_those_of_others_stay() {
        let dir = tempfile::tempdir().unwrap();
        let latest = folder(dir.path()).join(LATEST);
        let heart = Heartbeat::new(dir.path(), START, Vec::new(), 0);
        let mut other = Heartbeat::new(dir.path(), START, Vec::new(), 0);
        other.pid = 1;
        heart.beat(START).unwrap();
        other.beat(START).unwrap();
        drop(heart);
        assert_eq!(read(&latest).unwrap().pid, 1);
        drop(other);
        assert!(!latest.exists());
        assert_eq!(fs::read_dir(folder(dir.path())).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_heartbeat_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(folder(dir.path())).unwrap();
        let odd = folder(dir.path()).join("mcp-heartbeat-7.json");
        fs::write(&odd, "{").unwrap();
        fs::write(folder(dir.path()).join("hub.json"), "{}").unwrap();
        assert_eq!(Heartbeats::new(dir.path(), Arc::new(TestClock::default())).list(), []);
        assert!(odd.exists());
    }
}

//! The task that writes: it lets receipts gather, writes them in one transaction, keeps what could not be written
//! for another try, and trims. Nothing that a request waits for happens here.

use std::{
    cmp::min,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use tokio::{
    select,
    sync::{mpsc, oneshot},
    time::{Instant, sleep},
};

use super::{Pending, WriterLimits};
use crate::{
    engine::{ports::Clock, receipt::Receipt},
    store::{
        StoreError,
        cooldowns::{self, Changes},
        events, locations, receipts,
        rollup::{self, Names},
        sql::{self, Connection, Pool},
        sqlite, usage, windows,
    },
};

/// Receipts in one transaction. All that has gathered is written, in as many of them as it takes.
const BATCH: usize = 512;
/// How long receipts gather while fewer than a batch are there. With the time that writing takes it stays below
/// the 100 ms that a `kill -9` may cost.
const GATHER: Duration = Duration::from_millis(50);
/// The pause after a first failure; doubles with each further one.
const RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// Failures in a row, about 90 s, after which everything is tried by itself and what is refused even so is dropped, in case
/// that is at fault: the database refuses it, and is there.
const GIVE_UP: u32 = 24;
/// Tries before an orderly stop gives up.
const CLOSING_TRIES: u32 = 3;
/// Receipts between two looks at how many are kept.
const TRIM_EVERY: usize = 1000;
/// Locations of responses between two looks at how many are kept.
const TRIM_LOCATIONS_EVERY: usize = 1000;
/// Rows deleted in one go: twice what came in, so that trimming always catches up, in a few milliseconds.
const TRIM_STEP: i64 = 2000;
/// Between two deletions of ended cooldowns, and between two reports of dropped receipts.
const CLEANUP_EVERY: Duration = Duration::from_secs(60);
const REPORT_EVERY: Duration = Duration::from_secs(10);

/// What one transaction writes, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Locations,
    /// And what they add to the figures of usage.
    Receipts,
    Cooldowns,
    Windows,
}

impl Part {
    const ALL: [Self; 4] = [Self::Locations, Self::Receipts, Self::Cooldowns, Self::Windows];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Locations => "locations of responses",
            Self::Receipts => "receipts",
            Self::Cooldowns => "cooldowns",
            Self::Windows => "windows of quotas",
        }
    }
}

type Located = [(locations::Place, locations::Change)];

/// What a handle can ask of the task.
pub(super) enum Ask {
    Flush(oneshot::Sender<Result<(), StoreError>>),
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// Why the task woke up.
enum Wake {
    Write,
    Asked(Ask),
    /// Every handle is gone.
    Gone,
}

pub(super) struct Task {
    pool: Pool,
    receipts: mpsc::Receiver<Receipt>,
    asks: mpsc::Receiver<Ask>,
    pending: Arc<Pending>,
    clock: Arc<dyn Clock>,
    keep_locations: u64,
    /// In hand: taken from the queue and not written yet.
    batch: Vec<Receipt>,
    changes: Changes,
    windows: windows::Changes,
    names: Names,
    failures: u32,
    untrimmed: usize,
    trim_more: bool,
    untrimmed_locations: usize,
    next_cleanup: Instant,
    next_report: Instant,
    reported: u64,
    reported_cooldowns: u64,
}

impl Task {
    pub(super) fn new(
        pool: Pool,
        receipts: mpsc::Receiver<Receipt>,
        asks: mpsc::Receiver<Ask>,
        pending: Arc<Pending>,
        clock: Arc<dyn Clock>,
        limits: WriterLimits,
    ) -> Self {
        Self {
            pool,
            receipts,
            asks,
            pending,
            clock,
            keep_locations: limits.keep_locations,
            batch: Vec::new(),
            changes: Changes::new(),
            windows: windows::Changes::new(),
            names: Names::default(),
            failures: 0,
            untrimmed: 0,
            // The bound may have been lowered since the last start.
            trim_more: true,
            untrimmed_locations: TRIM_LOCATIONS_EVERY,
            next_cleanup: Instant::now() + CLEANUP_EVERY,
            next_report: Instant::now(),
            reported: 0,
            reported_cooldowns: 0,
        }
    }

    pub(super) async fn run(mut self) {
        loop {
            match self.wait().await {
                // A failure was reported and leaves all in hand: the next wait is longer.
                Wake::Write => drop(self.drain(1).await),
                Wake::Asked(Ask::Flush(reply)) => {
                    // Whoever asked may have left; the work is done all the same.
                    drop(reply.send(self.drain(1).await));
                }
                Wake::Asked(Ask::Close(reply)) => {
                    drop(reply.send(self.close().await));
                    return;
                }
                Wake::Gone => {
                    drop(self.close().await);
                    return;
                }
            }
            self.report();
        }
    }

    /// Waits until there is something to write, and then until enough of it has gathered. While it gathers, the
    /// task sleeps on the timer alone: receipts that come in wake nobody.
    async fn wait(&mut self) -> Wake {
        let nothing_in_hand = self.batch.is_empty() && self.changes.is_empty() && self.windows.is_empty();
        if nothing_in_hand && self.pending.locations().len() == 0 && !self.trim_more {
            select! {
                biased;
                ask = self.asks.recv() => return ask.map_or(Wake::Gone, Wake::Asked),
                () = self.pending.changed.notified() => {}
                taken = self.receipts.recv_many(&mut self.batch, BATCH) => {
                    if taken == 0 {
                        return Wake::Gone;
                    }
                }
            }
        }
        let pause = self.pause();
        if pause.is_zero() {
            return Wake::Write;
        }
        select! {
            biased;
            ask = self.asks.recv() => ask.map_or(Wake::Gone, Wake::Asked),
            () = sleep(pause) => Wake::Write,
        }
    }

    fn pause(&self) -> Duration {
        if self.failures > 0 {
            return retry_pause(self.failures);
        }
        if self.batch.len() + self.receipts.len() >= BATCH { Duration::ZERO } else { GATHER }
    }

    /// Writes one batch and all changed cooldowns and locations; answers how many receipts that were. What could not be
    /// written stays in hand.
    async fn write(&mut self) -> Result<usize, sqlx::Error> {
        while self.batch.len() < BATCH
            && let Ok(receipt) = self.receipts.try_recv()
        {
            self.batch.push(receipt);
        }
        self.changes.append(&mut self.pending.take());
        self.windows.append(&mut self.pending.take_windows());
        let located = self.pending.locations().all();
        let changed = !(self.changes.is_empty() && self.windows.is_empty());
        if changed || !(self.batch.is_empty() && located.is_empty()) {
            if let Err(error) = self.transact(&located).await {
                if self.failed(&error) {
                    self.part(&located).await;
                }
                return Err(error);
            }
            if self.failures > 0 {
                events::write_recovered(self.failures);
            }
            self.pending.locations().written(&located);
        }
        let written = self.batch.len();
        self.failures = 0;
        self.batch.clear();
        self.changes.clear();
        self.windows.clear();
        self.untrimmed += written;
        if self.trim_more || self.untrimmed >= TRIM_EVERY {
            self.trim().await;
        }
        Ok(written)
    }

    async fn transact(&mut self, located: &Located) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for part in Part::ALL {
            self.put(part, located, &mut transaction).await?;
        }
        if !(self.changes.is_empty() && self.windows.is_empty()) && Instant::now() >= self.next_cleanup {
            cooldowns::delete_ended(&mut transaction, self.clock.now()).await?;
            windows::delete_ended(&mut transaction, self.clock.now()).await?;
            self.next_cleanup = Instant::now() + CLEANUP_EVERY;
        }
        transaction.commit().await
    }

    async fn put(
        &mut self,
        part: Part,
        located: &Located,
        connection: &mut Connection,
    ) -> Result<(), sqlx::Error> {
        match part {
            Part::Locations if located.is_empty() => Ok(()),
            Part::Locations => {
                locations::write(connection, located).await?;
                self.untrimmed_locations += located.len();
                if self.untrimmed_locations >= TRIM_LOCATIONS_EVERY {
                    locations::trim(connection, self.keep_locations).await?;
                    self.untrimmed_locations = 0;
                }
                Ok(())
            }
            Part::Receipts => {
                receipts::write(connection, &self.batch).await?;
                usage::write(connection, &rollup::gather(&self.batch, &mut self.names)).await
            }
            Part::Cooldowns if self.changes.is_empty() => Ok(()),
            Part::Cooldowns => cooldowns::write(connection, &self.changes).await,
            Part::Windows => windows::write(connection, &self.windows).await,
        }
    }

    /// Takes note of a failure. Whether it is time for the last resort: while the server is away it is nothing of what is in
    /// hand that is at fault.
    fn failed(&mut self, error: &sqlx::Error) -> bool {
        self.failures = self.failures.saturating_add(1);
        events::write_failed(error, self.failures, self.batch.len() + self.receipts.len());
        self.failures.is_multiple_of(GIVE_UP) && !sql::is_away(error)
    }

    /// The last resort: each part in a transaction of its own. What is refused even so is dropped and counted, so that it
    /// takes nothing else along, now or later.
    async fn part(&mut self, located: &Located) {
        for part in Part::ALL {
            let refused = match self.alone(part, located).await {
                Ok(()) => None,
                Err(error) if sql::is_away(&error) => return,
                Err(error) => Some(error),
            };
            let count = self.put_down(part, located);
            if let Some(error) = refused.filter(|_| count > 0) {
                events::given_up(part.as_str(), count, &error);
                let pending = &self.pending;
                let dropped = match part {
                    Part::Receipts => &pending.dropped,
                    Part::Cooldowns | Part::Windows => &pending.dropped_cooldowns,
                    Part::Locations => &pending.dropped_locations,
                };
                dropped.fetch_add(u64::try_from(count).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        }
    }

    async fn alone(&mut self, part: Part, located: &Located) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        self.put(part, located, &mut transaction).await?;
        transaction.commit().await
    }

    /// Has this part in hand no more; says how many there were.
    fn put_down(&mut self, part: Part, located: &Located) -> usize {
        match part {
            Part::Locations => {
                self.pending.locations().written(located);
                located.len()
            }
            Part::Receipts => {
                self.untrimmed += self.batch.len();
                std::mem::take(&mut self.batch).len()
            }
            Part::Cooldowns => std::mem::take(&mut self.changes).len(),
            Part::Windows => std::mem::take(&mut self.windows).len(),
        }
    }

    async fn trim(&mut self) {
        self.untrimmed = 0;
        self.trim_more = match self.pool.acquire().await {
            Ok(mut connection) => {
                receipts::trim(&mut connection, self.pending.keep.load(Ordering::Relaxed), TRIM_STEP).await
            }
            Err(error) => Err(error),
        }
        .unwrap_or_else(|error| {
            events::housekeeping_failed(&error);
            false
        });
    }

    /// Writes all that is there now; what comes in meanwhile may have to wait for the next time.
    async fn drain(&mut self, tries: u32) -> Result<(), StoreError> {
        let mut left = self.batch.len() + self.receipts.len();
        let mut failures = 0;
        loop {
            match self.write().await {
                Ok(written) => {
                    left = left.saturating_sub(written);
                    if left == 0 || written == 0 {
                        return Ok(());
                    }
                }
                Err(source) => {
                    failures += 1;
                    if failures >= tries {
                        let receipts = self.batch.len() + self.receipts.len();
                        let cooldowns = self.changes.len() + self.pending.waiting();
                        let locations = self.pending.locations().len();
                        let windows = self.windows.len();
                        return Err(StoreError::NotWritten {
                            receipts,
                            cooldowns,
                            windows,
                            locations,
                            source,
                        });
                    }
                    sleep(retry_pause(failures)).await;
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), StoreError> {
        self.receipts.close();
        self.asks.close();
        let drained = self.drain(CLOSING_TRIES).await;
        match &drained {
            Ok(()) => {
                if let Err(error) = sqlite::checkpoint(&self.pool).await {
                    // All is written: the next start finds it in the write-ahead log.
                    events::housekeeping_failed(&error);
                }
            }
            Err(error) => events::closed_unwritten(error),
        }
        self.report();
        drained
    }

    fn report(&mut self) {
        let dropped = self.pending.dropped.load(Ordering::Relaxed);
        let cooldowns = self.pending.dropped_cooldowns.load(Ordering::Relaxed);
        if Instant::now() < self.next_report
            || (dropped, cooldowns) == (self.reported, self.reported_cooldowns)
        {
            return;
        }
        if dropped > self.reported {
            events::receipts_dropped(dropped - self.reported, dropped);
        }
        if cooldowns > self.reported_cooldowns {
            events::cooldowns_dropped(cooldowns);
        }
        (self.reported, self.reported_cooldowns) = (dropped, cooldowns);
        self.next_report = Instant::now() + REPORT_EVERY;
    }
}

fn retry_pause(failures: u32) -> Duration {
    min(RETRY.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1))), LONGEST_RETRY)
}

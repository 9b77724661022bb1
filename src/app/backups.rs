//! Backups beside the operations on them: those that the hub makes by itself, and putting one back, which no hub may see.

use std::{sync::Arc, time::Duration};

use crate::{
    config::{BackupSchedule, Boot},
    engine::ports::Clock,
    observe::events,
    ops::{OpError, backups::Backups},
    store::{self, StoreError},
};

use super::SystemClock;

/// A hub that has just started has other things to do.
const SETTLING: Duration = Duration::from_secs(5 * 60);
/// Between two looks at the clock, which goes on while a machine sleeps, as tokio's may not.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// After a failure: a full disk does not empty itself within a minute.
const AFTER_FAILURE: Duration = Duration::from_secs(60 * 60);

/// Makes backups when it is time. Never returns, unless there is no schedule.
pub(super) async fn follow_schedule(backups: Arc<Backups>, clock: Arc<dyn Clock>, schedule: BackupSchedule) {
    let Some(every) = schedule.every else { return };
    tokio::time::sleep(SETTLING).await;
    loop {
        let pause = match make_if_due(&backups, &*clock, every, schedule.keep).await {
            Ok(()) => LOOK_EVERY,
            Err(error) => {
                events::backup_failed(&error);
                AFTER_FAILURE
            }
        };
        tokio::time::sleep(pause).await;
    }
}

async fn make_if_due(
    backups: &Backups,
    clock: &dyn Clock,
    every: Duration,
    keep: usize,
) -> Result<(), OpError> {
    if is_due(backups.last_scheduled(clock.now()).await?, clock.now(), every) {
        backups.make_scheduled(keep).await?;
    }
    Ok(())
}

/// A time in the future was written by a clock that was wrong, and is no reason to wait for it.
fn is_due(last: Option<i64>, now: i64, every: Duration) -> bool {
    let every = i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
    last.is_none_or(|last| last > now || now - last >= every)
}

/// Puts a backup back, the one of that name or the one in that folder, and says what was done and how to go back.
///
/// # Errors
/// [`StoreError`], worded for the operator. Nothing was changed unless the disk failed in between.
pub async fn restore_backup(boot: &Boot, backup: &str) -> Result<String, StoreError> {
    let now = SystemClock.now();
    let done = match &boot.store_url {
        None => store::restore(&boot.data_dir, backup, now).await?,
        Some(url) => store::restore_into(&boot.data_dir, url, backup, now).await?,
    };
    let view = &done.backup;
    let keys = view.rows.get("api_keys").copied().unwrap_or_default();
    let made = view.rows.get("documents").copied().unwrap_or_default();
    let mut said = format!(
        "Restored {}, made by version {}: {keys} keys, {made} definitions that were made over the API.",
        view.name, view.program
    );
    if !view.has_key {
        said.push_str("\nIt was made without the key; the `secret.key` that was in the data folder stays.");
    }
    let data_dir = boot.data_dir.display();
    said.push_str(&match &done.aside {
        Some(aside) if boot.store_url.is_some() => {
            format!("\nThe `secret.key` that was there before is in {}.", aside.display())
        }
        None if boot.store_url.is_some() => "\nIt is in the PostgreSQL database of `store.url`.".to_owned(),
        Some(aside) => format!(
            "\nWhat was there before is in {0}. To go back, move `trivium.db*` away and move what is in there to {data_dir}.",
            aside.display()
        ),
        None => "\nThere was nothing before.".to_owned(),
    });
    Ok(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_is_due_when_the_last_one_is_old_or_there_is_none() {
        let day = Duration::from_secs(86_400);
        assert!(is_due(None, 0, day));
        assert!(!is_due(Some(1000), 86_400_999, day));
        assert!(is_due(Some(1000), 86_401_000, day));
        assert!(is_due(Some(86_400_000), 1000, day), "made by a clock that was ahead");
    }
}

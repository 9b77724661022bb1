//! How many tasks are in which state, and how far their webhooks were told.

use sqlx::AssertSqlSafe;

use super::SqlTasks;
use crate::{
    ops::ports::tasks::TasksStanding,
    store::{
        StoreError,
        receipts::unsigned,
        sql::{self, Query},
    },
};

impl SqlTasks {
    pub(super) async fn read_standing(&self, owner: Option<&str>) -> Result<TasksStanding, StoreError> {
        let mut standing = TasksStanding::default();
        let states = "SELECT state, COUNT(*) AS tasks, MAX(status_at) AS last_at FROM tasks WHERE bare = 0";
        let states = format!("{} GROUP BY state ORDER BY state", only(states, "AND owner", owner));
        for row in of(&states, owner).fetch_all(&self.pool).await? {
            standing.counts.push((row.try_get("state")?, unsigned(row.try_get("tasks")?)));
            standing.last_at = standing.last_at.max(Some(row.try_get("last_at")?));
        }
        let waiting = "SELECT COUNT(*) FROM task_hooks JOIN tasks ON tasks.id = task_hooks.task \
                       WHERE task_hooks.told_seq < tasks.last_seq";
        standing.waiting = self.count(&only(waiting, "AND tasks.owner", owner), owner).await?;
        let dead = "SELECT COUNT(*) FROM task_dead_letters";
        standing.dead = self.count(&only(dead, "WHERE owner", owner), owner).await?;
        Ok(standing)
    }

    async fn count(&self, text: &str, owner: Option<&str>) -> Result<u64, StoreError> {
        let row = of(text, owner).fetch_one(&self.pool).await?;
        Ok(unsigned(row.try_get(0)?))
    }
}

/// A statement with a further condition, where it is about one owner.
fn only(text: &str, condition: &str, owner: Option<&str>) -> String {
    owner.map_or_else(|| text.to_owned(), |_| format!("{text} {condition} = $1"))
}

/// The statement with its owner, if it has one. Safe: its text is made of constants alone.
fn of<'q>(text: &str, owner: Option<&'q str>) -> Query<'q> {
    let query = sql::query(AssertSqlSafe(text.to_owned()));
    match owner {
        Some(owner) => query.bind(owner),
        None => query,
    }
}

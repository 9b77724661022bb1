//! Finding tasks, counting them, and forgetting the old ones.

use std::fmt::Write;

use sqlx::AssertSqlSafe;

use super::{SqlTasks, forget, row_of};
use crate::{
    ops::ports::tasks::{FoundTasks, TaskQuery, TaskRow},
    store::{
        StoreError,
        receipts::{signed, unsigned},
        sql::{self, Query},
    },
};

const COLUMNS: &str =
    "id, owner, context, state, skill, bare, created_at, status_at, last_seq, bytes, delivered";

/// Conditions with `$n` for values, and how to bind those.
struct Wanted<'q> {
    text: String,
    values: Vec<Value<'q>>,
}

enum Value<'q> {
    Text(&'q str),
    Whole(i64),
}

impl<'q> Wanted<'q> {
    /// Without what is answered by one message: that is nobody's to find.
    fn of(query: &'q TaskQuery) -> Self {
        let mut wanted = Self { text: "bare = 0".to_owned(), values: Vec::new() };
        let words = [
            ("owner", &query.owner),
            ("context", &query.context),
            ("state", &query.state),
            ("skill", &query.skill),
        ];
        for (column, value) in words {
            if let Some(value) = value {
                wanted.add(&format!("{column} ="), Value::Text(value));
            }
        }
        if let Some(since) = query.since {
            wanted.add("status_at >=", Value::Whole(since));
        }
        wanted
    }

    fn add(&mut self, condition: &str, value: Value<'q>) {
        self.values.push(value);
        // Writing to a text does not fail.
        let _ = write!(self.text, " AND {condition} ${}", self.values.len());
    }

    /// The tasks behind one, in the order in which they are found.
    fn behind(&mut self, at: i64, id: &'q str) {
        let first = self.values.len() + 1;
        self.values.extend([Value::Whole(at), Value::Whole(at), Value::Text(id)]);
        let (second, third) = (first + 1, first + 2);
        let _ = write!(self.text, " AND (status_at < ${first} OR (status_at = ${second} AND id < ${third}))");
    }

    fn bind(self, query: Query<'q>) -> Query<'q> {
        self.values.into_iter().fold(query, |query, value| match value {
            Value::Text(text) => query.bind(text),
            Value::Whole(number) => query.bind(number),
        })
    }
}

/// `$n, $n+1, …` for so many values.
fn marks(first: usize, count: usize) -> String {
    (first..first + count).map(|at| format!("${at}")).collect::<Vec<_>>().join(", ")
}

impl SqlTasks {
    pub(super) async fn find_task(&self, id: &str) -> Result<Option<TaskRow>, StoreError> {
        // Safe, here and below: the texts are made of constants alone.
        let query = sql::query(AssertSqlSafe(format!("SELECT {COLUMNS} FROM tasks WHERE id = $1")));
        let row = query.bind(id).fetch_optional(&self.pool).await?;
        Ok(row.map(|row| row_of(&row)).transpose()?)
    }

    pub(super) async fn find_tasks(&self, query: &TaskQuery) -> Result<FoundTasks, StoreError> {
        let wanted = Wanted::of(query);
        let count = format!("SELECT COUNT(*) FROM tasks WHERE {}", wanted.text);
        let count = wanted.bind(sql::query(AssertSqlSafe(count)));
        let total: i64 = count.fetch_one(&self.pool).await?.try_get(0)?;
        let mut wanted = Wanted::of(query);
        if let Some((at, id)) = &query.after {
            wanted.behind(*at, id);
        }
        let text = format!(
            "SELECT {COLUMNS} FROM tasks WHERE {} ORDER BY status_at DESC, id DESC LIMIT {}",
            wanted.text, query.limit
        );
        let rows = wanted.bind(sql::query(AssertSqlSafe(text))).fetch_all(&self.pool).await?;
        let rows = rows.iter().map(row_of).collect::<Result<_, _>>()?;
        Ok(FoundTasks { rows, total: unsigned(total) })
    }

    pub(super) async fn find_in_states(
        &self,
        states: &[&'static str],
        limit: u32,
    ) -> Result<Vec<TaskRow>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM tasks WHERE state IN ({}) ORDER BY status_at, id LIMIT {limit}",
            marks(1, states.len())
        );
        let query = states.iter().fold(sql::query(AssertSqlSafe(text)), |query, state| query.bind(*state));
        let rows = query.fetch_all(&self.pool).await?;
        Ok(rows.iter().map(row_of).collect::<Result<_, _>>()?)
    }

    pub(super) async fn count_states(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let query = "SELECT state, COUNT(*) AS tasks FROM tasks WHERE bare = 0 GROUP BY state ORDER BY state";
        let rows = sql::query(query).fetch_all(&self.pool).await?;
        let count = |row: &sql::Row| Ok((row.try_get("state")?, unsigned(row.try_get("tasks")?)));
        Ok(rows.iter().map(count).collect::<Result<_, sqlx::Error>>()?)
    }

    /// Forgets some of the tasks whose status is older than `before`: the oldest ones of those who have the most.
    pub(super) async fn sweep_some(
        &self,
        before: i64,
        except: &[&'static str],
        most: u32,
    ) -> Result<u64, StoreError> {
        let not_in = format!("status_at < $1 AND state NOT IN ({})", marks(2, except.len()));
        // First of who has the most: who keeps many pushes out nobody else's.
        let text = format!(
            "SELECT id FROM (SELECT id, status_at, ROW_NUMBER() OVER (PARTITION BY owner ORDER BY status_at DESC, id DESC) AS place \
             FROM tasks WHERE {not_in}) AS old ORDER BY place DESC, status_at, id LIMIT {most}"
        );
        let query = sql::query(AssertSqlSafe(text)).bind(before);
        let query = except.iter().fold(query, |query, state| query.bind(*state));
        let rows = query.fetch_all(&self.pool).await?;
        if rows.is_empty() {
            return Ok(0);
        }
        let mut transaction = self.pool.begin().await?;
        let mut gone = 0;
        for row in rows {
            let id: String = row.try_get("id")?;
            // Somebody may have gone on with it since.
            let text = format!("DELETE FROM tasks WHERE {not_in} AND id = ${}", except.len() + 2);
            let query = sql::query(AssertSqlSafe(text)).bind(before);
            let query = except.iter().fold(query, |query, state| query.bind(*state));
            if query.bind(&id).execute(&mut *transaction).await?.rows_affected() > 0 {
                forget(&mut transaction, &id).await?;
                gone += 1;
            }
        }
        transaction.commit().await?;
        Ok(gone)
    }

    /// Forgets tasks beyond so many, in the same order.
    pub(super) async fn sweep_beyond(&self, most: u64, except: &[&'static str]) -> Result<u64, StoreError> {
        let mut gone = 0;
        loop {
            let row = sql::query("SELECT COUNT(*) FROM tasks").fetch_one(&self.pool).await?;
            let surplus = unsigned(row.try_get(0)?).saturating_sub(most);
            let step = u32::try_from(surplus).unwrap_or(u32::MAX).min(super::STEP);
            if step == 0 {
                return Ok(gone);
            }
            match self.sweep_some(signed(u64::MAX), except, step).await? {
                0 => return Ok(gone),
                some => gone += some,
            }
        }
    }
}

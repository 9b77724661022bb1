//! Tasks of agents and dead letters as a store may have them, without anybody who began or works on them.

use serde_json::json;
use trivium::ops::ports::tasks::{DeadLetter, EntryKind, TaskEntry, TaskRow, TaskStore, TaskWrite};

use super::TestHub;

impl TestHub {
    /// A task that waits for its client since `at`: two events.
    pub(crate) async fn waiting_task(&self, id: &str, owner: &str, at: i64) {
        let row = TaskRow {
            id: id.to_owned(),
            owner: owner.to_owned(),
            context: format!("context-of-{id}"),
            state: "input-required".to_owned(),
            skill: Some("smart-routing".to_owned()),
            bare: false,
            created_at: at - 1,
            status_at: at,
            last_seq: 2,
            bytes: 100,
            delivered: false,
        };
        let message = json!({"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "which one?"}]});
        let events = [
            (
                EntryKind::Task,
                json!({"task": {
                    "id": id, "contextId": row.context, "status": {"state": "TASK_STATE_SUBMITTED"}, "history": [message]
                }}),
            ),
            (
                EntryKind::Status,
                json!({"statusUpdate": {
                    "taskId": id, "contextId": row.context, "status": {"state": "TASK_STATE_INPUT_REQUIRED"}
                }}),
            ),
        ];
        let writes = events.into_iter().zip(1..).map(|((kind, event), seq)| {
            let payload = json!({"seq": seq, "event": event}).to_string().into_bytes();
            let entry = TaskEntry { seq, at, kind, payload };
            TaskWrite { row: row.clone(), is_new: seq == 1, message: None, entry: Some(entry) }
        });
        self.store.write(writes.collect()).await.unwrap();
    }

    /// Something about a task that a webhook was not told.
    pub(crate) async fn dead_letter(&self, task: &str, owner: &str) {
        let letter = DeadLetter {
            number: 0,
            at: 7,
            owner: owner.to_owned(),
            task: task.to_owned(),
            hook: "on-call".to_owned(),
            seq: 2,
            host: "hooks.test".to_owned(),
            tries: 8,
            why: "it answered 500".to_owned(),
        };
        self.store.bury(letter, 100).await.unwrap();
    }
}

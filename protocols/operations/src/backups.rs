//! Operations on backups of the store. A backup holds all that the store holds, and with it, unless it is made without, the key
//! to what is encrypted in it. Putting one back is done with the hub stopped, by `trivium backups restore`, and is no operation.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Hints, Invalid, Method, Operation, Route, Scope};

/// Longest name of a backup, in bytes.
const MAX_NAME: usize = 64;

/// Makes a backup.
#[derive(Debug, Clone, Copy)]
pub struct Create;
/// Lists the backups.
#[derive(Debug, Clone, Copy)]
pub struct List;
/// Checks that a backup can be restored.
#[derive(Debug, Clone, Copy)]
pub struct Verify;
/// Deletes a backup.
#[derive(Debug, Clone, Copy)]
pub struct Delete;

/// What the backup is to hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateBackup {
    /// Leave the key to what is encrypted out. Such a backup shows no credentials, and credentials can be read again only
    /// where the key is kept otherwise.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_key: bool,
}

/// Nothing to say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListBackups {}

/// The one that is meant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NameBackup {
    /// Its name.
    pub backup: String,
}

/// Why a backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackupReason {
    /// Somebody asked for it. It stays until somebody deletes it.
    Asked,
    /// It was time. The oldest of these give way.
    Schedule,
    /// A newer program was about to change the schema. The oldest of these give way.
    Upgrade,
}

impl BackupReason {
    /// The reason as a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Schedule => "schedule",
            Self::Upgrade => "upgrade",
        }
    }
}

/// A backup, as it says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupView {
    /// Its name: the time in UTC at which it was made.
    pub name: String,
    /// When it was made, in milliseconds since the Unix epoch.
    pub made_at: i64,
    /// Why it was made.
    pub reason: BackupReason,
    /// The version of the program that made it.
    pub program: String,
    /// The last step of the schema that it has.
    pub schema: i64,
    /// Whether it holds the key to what is encrypted in it: it is as secret as the data folder then.
    pub has_key: bool,
    /// How large its database is, in bytes.
    pub bytes: u64,
    /// The SHA-256 of its database, in hexadecimal.
    pub sha256: String,
    /// How many rows it has, by table.
    pub rows: BTreeMap<String, u64>,
}

/// All of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Backups {
    /// The backups, newest first.
    pub backups: Vec<BackupView>,
}

/// Whether a backup can be restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupVerdict {
    /// Its name.
    pub name: String,
    /// Whether it can.
    pub whole: bool,
    /// What is wrong with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// The last step of the schema that was found.
    pub schema: i64,
    /// How many rows were found, by table.
    pub rows: BTreeMap<String, u64>,
    /// Rows whose encrypted part cannot be read. Where those are answers or captures of a key that was lost before, that is no reason
    /// against it.
    #[serde(default)]
    pub unreadable: u64,
}

/// What was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BackupDeleted {
    /// Its name.
    pub name: String,
}

/// A name is one part of a path, and cannot lead out of the folder of backups.
fn check_name(args: &NameBackup) -> Result<NameBackup, Invalid> {
    let name = args.backup.trim();
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if name.is_empty() || name.len() > MAX_NAME || !plain {
        return Err(Invalid::new("backup", "must be the name of a backup, such as 20300131T235959Z"));
    }
    Ok(NameBackup { backup: name.to_owned() })
}

impl Operation for Create {
    const NAME: &'static str = "create_backup";
    const TITLE: &'static str = "Make a backup";
    const SUMMARY: &'static str = "Copies the whole store, while requests go on, into the folder `backups` of the data \
         folder, together with the key to what is encrypted in it. Such a backup is as secret as the data folder. Copy it to \
         another machine: a backup on the same disk is lost with the disk.";
    const SCOPE: Scope = Scope::WriteBackups;
    const HINTS: Hints = Hints { read_only: false, destructive: false, idempotent: false };
    const ROUTE: Route = Route::new(Method::Post, "/api/backups").creates();
    const COMMAND: (&'static str, &'static str) = ("backups", "create");
    const EXAMPLE: &'static str = "{}";
    type Args = CreateBackup;
    type Result = BackupView;

    fn check(args: CreateBackup) -> Result<CreateBackup, Invalid> {
        Ok(args)
    }
}

impl Operation for List {
    const NAME: &'static str = "list_backups";
    const TITLE: &'static str = "List backups";
    const SUMMARY: &'static str =
        "Lists the backups in the data folder, newest first, with what each says of itself.";
    const SCOPE: Scope = Scope::ReadBackups;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/backups");
    const COMMAND: (&'static str, &'static str) = ("backups", "list");
    const EXAMPLE: &'static str = "{}";
    type Args = ListBackups;
    type Result = Backups;

    fn check(args: ListBackups) -> Result<ListBackups, Invalid> {
        Ok(args)
    }
}

impl Operation for Verify {
    const NAME: &'static str = "verify_backup";
    const TITLE: &'static str = "Verify a backup";
    const SUMMARY: &'static str = "Opens a backup without changing it, and checks that it is the file that was written, that \
         its database is sound, that this program knows its schema, that no row is missing, and that what is encrypted in it \
         can be read.";
    const SCOPE: Scope = Scope::ReadBackups;
    const HINTS: Hints = Hints { read_only: true, destructive: false, idempotent: true };
    const ROUTE: Route = Route::new(Method::Get, "/api/backups/{backup}/verify");
    const COMMAND: (&'static str, &'static str) = ("backups", "verify");
    const EXAMPLE: &'static str = r#"{"backup": "20300131T235959Z"}"#;
    type Args = NameBackup;
    type Result = BackupVerdict;

    fn check(args: NameBackup) -> Result<NameBackup, Invalid> {
        check_name(&args)
    }
}

impl Operation for Delete {
    const NAME: &'static str = "delete_backup";
    const TITLE: &'static str = "Delete a backup";
    const SUMMARY: &'static str = "Deletes a backup. It cannot be had back.";
    const SCOPE: Scope = Scope::WriteBackups;
    const HINTS: Hints = Hints { read_only: false, destructive: true, idempotent: true };
    const ROUTE: Route = Route::new(Method::Delete, "/api/backups/{backup}");
    const COMMAND: (&'static str, &'static str) = ("backups", "delete");
    const EXAMPLE: &'static str = r#"{"backup": "20300131T235959Z"}"#;
    type Args = NameBackup;
    type Result = BackupDeleted;

    fn check(args: NameBackup) -> Result<NameBackup, Invalid> {
        check_name(&args)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        let check = |name: &str| Delete::check(NameBackup { backup: name.to_owned() }).is_ok();
        assert!(check(" 20300131T235959Z-2 "));
        for name in ["", "..", "a/b", "a.b", "a\\b", "a\0", &"a".repeat(65)] {
            assert!(!check(name), "{name}");
        }
    }
}

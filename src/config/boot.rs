//! What is fixed when the hub starts. What may change while it runs is `engine::settings::Settings`.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use super::{
    backups::BackupSchedule,
    log::{LogFormat, LogLevel},
};
use crate::engine::settings::{Issuer, Oidc, Secret};

/// Settings that take effect at the next start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 takes a free one.
    pub port: u16,
    /// The folder of the store.
    pub data_dir: PathBuf,
    /// The PostgreSQL database that is the store; none: SQLite in that folder.
    pub store_url: Option<Secret>,
    /// When the store is copied.
    pub backups: BackupSchedule,
    /// How much is logged.
    pub log_level: LogLevel,
    /// How log lines look.
    pub log_format: LogFormat,
    /// A key with all scopes.
    pub api_key: Option<Secret>,
    /// A token with all scopes but that to ask models.
    pub admin_token: Option<Secret>,
    /// Whether callers need a key. Never false on an address that others can reach.
    pub auth_required: bool,
    /// Whose signed tokens let callers in.
    pub issuer: Option<Issuer>,
    /// Where operators may log in beside the password.
    pub oidc: Option<Oidc>,
    /// Names besides the loopback ones that a `Host` header may have, in lower case.
    pub allowed_hosts: Vec<String>,
    /// Where browsers reach the hub, where that is another address than it listens on.
    pub public_url: Option<String>,
    /// How long running requests may take after the hub was told to stop.
    pub shutdown_timeout: Duration,
    /// How long a stream may be silent before a keep-alive is sent, and how long the status line is
    /// held back for the first content.
    pub keep_alive: Duration,
}

impl Boot {
    /// The paths of the settings that differ.
    #[must_use]
    pub fn changes(&self, other: &Self) -> Vec<&'static str> {
        let pairs = [
            ("server.host", self.host != other.host),
            ("server.port", self.port != other.port),
            ("server.allowed_hosts", self.allowed_hosts != other.allowed_hosts),
            ("server.public_url", self.public_url != other.public_url),
            ("server.shutdown_timeout_seconds", self.shutdown_timeout != other.shutdown_timeout),
            ("server.keep_alive_seconds", self.keep_alive != other.keep_alive),
            ("auth.api_key", self.api_key != other.api_key),
            ("auth.admin_token", self.admin_token != other.admin_token),
            ("auth.required", self.auth_required != other.auth_required),
            ("auth.jwt_issuer", self.issuer != other.issuer),
            ("auth.oidc_issuer", self.oidc != other.oidc),
            ("log.level", self.log_level != other.log_level),
            ("log.format", self.log_format != other.log_format),
            ("store.data_dir", self.data_dir != other.data_dir),
            ("store.url", self.store_url != other.store_url),
            ("backups.every_hours", self.backups.every != other.backups.every),
            ("backups.keep", self.backups.keep != other.backups.keep),
        ];
        pairs.into_iter().filter(|(_, differs)| *differs).map(|(path, _)| path).collect()
    }
}

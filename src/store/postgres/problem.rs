//! What PostgreSQL's errors mean to an operator, and what to do about them.

use sqlx::migrate::MigrateError;

/// Why a PostgreSQL database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PostgresProblem {
    /// The address is none.
    #[error("the address cannot be read. Write it as postgres://user:password@host:5432/database")]
    Address(#[source] sqlx::Error),
    /// Nobody answers.
    #[error("cannot connect: {0}. Check that PostgreSQL runs there and that this machine can reach it")]
    Unreachable(#[source] sqlx::Error),
    /// Nobody answers in time.
    #[error(
        "nobody answers within {0} s. Check that PostgreSQL runs there and that this machine can reach it"
    )]
    Silent(u64),
    /// There is no encrypted connection.
    #[error(
        "no encrypted connection: {0}. With `sslmode=verify-full` or `verify-ca` the server needs a certificate of a public \
         authority, or of the one in the file that `sslrootcert` names; `sslmode=require` encrypts without looking who \
         is there"
    )]
    Tls(#[source] sqlx::Error),
    /// The user is not let in.
    #[error("the server does not let the user in: {}. Check user and password, and the server's pg_hba.conf", said(.0))]
    Refused(#[source] sqlx::Error),
    /// There is no such database.
    #[error("{}. Make it with CREATE DATABASE, or name another one", said(.0))]
    NoDatabase(#[source] sqlx::Error),
    /// No schema of the search path exists.
    #[error(
        "there is no schema to make tables in. Make the one that the user's search_path names with CREATE SCHEMA, \
         or give the user the right to use it"
    )]
    NoSchema,
    /// The user lacks a right.
    #[error(
        "{}. The hub makes and changes tables of its own: let its user own the database, or grant it \
         USAGE and CREATE on the schema",
        said(.0)
    )]
    Forbidden(#[source] sqlx::Error),
    /// The server has no place for another connection.
    #[error("{}. A hub needs six connections: raise the server's max_connections, or end others", said(.0))]
    Crowded(#[source] sqlx::Error),
    /// Another hub uses it.
    #[error(
        "another hub uses it ({hub}). One hub at a time: stop that one, or give this one a database or a schema of its own"
    )]
    InUse {
        /// What the server knows of the other hub.
        hub: String,
    },
    /// It was written by a newer program.
    #[error(
        "it was written by a newer Trivium (its schema has step {version}, which this program does not know). Start \
         that version or a newer one, or name another database"
    )]
    Newer {
        /// The unknown step.
        version: i64,
    },
    /// The schema could not be brought up to date.
    #[error(
        "its schema could not be brought up to date: {0}. It was left as it was; start the version that wrote \
         it, or report this with the cause"
    )]
    Migration(#[source] MigrateError),
    /// Something else.
    #[error("{}", said(.0))]
    Other(#[source] sqlx::Error),
}

/// By the classes and codes of <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
pub(super) fn explain(error: sqlx::Error) -> PostgresProblem {
    let code = error.as_database_error().and_then(|error| error.code()).unwrap_or_default().into_owned();
    match (&error, code.as_str()) {
        (sqlx::Error::Io(_) | sqlx::Error::PoolTimedOut, _) => PostgresProblem::Unreachable(error),
        (sqlx::Error::Tls(_), _) => PostgresProblem::Tls(error),
        (sqlx::Error::Configuration(_), _) => PostgresProblem::Address(error),
        (_, "3D000") => PostgresProblem::NoDatabase(error),
        (_, "3F000") => PostgresProblem::NoSchema,
        (_, "42501") => PostgresProblem::Forbidden(error),
        (_, "53300") => PostgresProblem::Crowded(error),
        (_, code) if code.starts_with("28") => PostgresProblem::Refused(error),
        _ => PostgresProblem::Other(error),
    }
}

pub(super) fn explain_migration(error: MigrateError) -> PostgresProblem {
    match error {
        MigrateError::VersionMissing(version) => PostgresProblem::Newer { version },
        MigrateError::Execute(error) => explain(error),
        MigrateError::ExecuteMigration(error, version) => match explain(error) {
            PostgresProblem::Other(error) => {
                PostgresProblem::Migration(MigrateError::ExecuteMigration(error, version))
            }
            known => known,
        },
        error => PostgresProblem::Migration(error),
    }
}

/// The server's own words, where it was the server that spoke.
fn said(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

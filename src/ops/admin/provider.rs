//! Logging in at an OpenID provider instead of with the password: who is admitted there gets the same session. What the
//! provider proves is `auth`'s; here is who is let in, how often it may go wrong, and what the audit log says of it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use operations::audit::AuditOutcome;
use serde_json::json;

use super::{Admin, LoggedIn, LoginError, Origin};
use crate::{
    auth::{Begun, Oidc, OidcError, Person},
    observe::events,
    ops::ports::{AuditLog, EntryDetail, NewEntry},
};

/// How the audit log calls it.
const OPERATION: &str = "log_in";

/// Logs operators in at a provider.
pub struct ProviderLogin {
    admin: Arc<Admin>,
    oidc: Oidc,
    log: Arc<dyn AuditLog>,
}

impl ProviderLogin {
    /// Logins at the provider of `oidc`, which begin sessions of `admin`.
    #[must_use]
    pub fn new(admin: Arc<Admin>, oidc: Oidc, log: Arc<dyn AuditLog>) -> Self {
        Self { admin, oidc, log }
    }

    /// Begins a login.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn begin(&self, origin: &Origin) -> Result<Begun, LoginError> {
        self.admitted(origin)?;
        self.oidc.begin().await.map_err(|error| self.told(error))
    }

    /// Ends a login with what the browser brings, and begins a session.
    ///
    /// # Errors
    /// [`LoginError`].
    pub async fn come_back(
        &self,
        ticket: Option<&str>,
        query: &str,
        origin: Origin,
        request: Arc<str>,
    ) -> Result<LoggedIn, LoginError> {
        let address = self.admitted(&origin)?;
        let inner = &self.admin.inner;
        // Counted before it is looked at, as a password is.
        inner.throttle.failed(address, inner.clock.now());
        let person = self.oidc.come_back(ticket, query).await.map_err(|error| self.told(error))?;
        if !person.admitted {
            self.note(&person, &origin, request, AuditOutcome::Denied).await;
            return Err(LoginError::NotAdmitted(person.name));
        }
        inner.throttle.succeeded(address);
        let session = self.admin.open(Arc::clone(&person.name), origin.clone(), false).await?;
        self.note(&person, &origin, request, AuditOutcome::Done).await;
        Ok(session)
    }

    fn admitted(&self, origin: &Origin) -> Result<IpAddr, LoginError> {
        let inner = &self.admin.inner;
        let address = origin.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        match inner.throttle.refused(address, inner.clock.now()) {
            Some(wait) => Err(LoginError::Throttled(wait)),
            None => Ok(address),
        }
    }

    fn told(&self, error: OidcError) -> LoginError {
        match error {
            OidcError::Busy => LoginError::Busy,
            error => {
                events::provider_login_failed(self.oidc.issuer(), &error);
                LoginError::Provider(error)
            }
        }
    }

    async fn note(&self, person: &Person, origin: &Origin, request: Arc<str>, outcome: AuditOutcome) {
        let caller: Arc<str> = format!("oidc:{}", person.subject).into();
        let denied = outcome == AuditOutcome::Denied;
        let entry = NewEntry {
            at: self.admin.inner.clock.now(),
            caller: Arc::clone(&caller),
            caller_name: Arc::clone(&person.name),
            operation: OPERATION,
            outcome,
            target: None,
            detail: EntryDetail {
                address: origin.address.map(|address| address.to_string()),
                surface: "rest".to_owned(),
                request_id: Some(request.as_ref().to_owned()),
                error: denied.then(|| "not_admitted".to_owned()),
                arguments: Some(json!({"issuer": self.oidc.issuer()})),
                ..EntryDetail::default()
            },
        };
        if self.log.append(entry).await.is_err() {
            events::audit_failed(OPERATION, &caller);
        }
    }
}

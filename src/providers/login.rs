//! Calls to connections that people log in to: with a token that holds, and with a newer one where the provider refuses it.

use std::sync::Arc;

use http::StatusCode;

use super::{Providers, credentials::Credentials};
use crate::engine::{
    fault::{Fault, FaultKind},
    ports::{Answer, Call, Target},
    settings::Connection,
};

/// Sends a call. A token that is refused is renewed once; if that does not help either, somebody must log in.
pub(super) async fn send(providers: &Providers, call: Call) -> Result<Answer, Fault> {
    let credentials = credentials(providers)?;
    let plain = Arc::clone(&call.target.connection);
    let used = credentials.armed(&plain).await?;
    match providers.dispatch(with(&call, &used)).await {
        Err(fault) if is_refused(&fault) => again(providers, credentials, call, (&plain, &used)).await,
        sent => sent,
    }
}

/// Who holds the tokens.
pub(super) fn credentials(providers: &Providers) -> Result<&Credentials, Fault> {
    let nobody = || Fault::new(FaultKind::NoToken, "nobody holds tokens here");
    providers.credentials.as_ref().ok_or_else(nobody)
}

async fn again(
    providers: &Providers,
    credentials: &Credentials,
    call: Call,
    (plain, refused): (&Arc<Connection>, &Arc<Connection>),
) -> Result<Answer, Fault> {
    let fresh = match credentials.rearmed(plain, refused).await {
        Ok(fresh) => fresh,
        Err(fault) => {
            if fault.retry_after.is_none() {
                credentials.refused(plain, refused).await;
            }
            return Err(fault);
        }
    };
    match providers.dispatch(with(&call, &fresh)).await {
        Err(fault) if is_refused(&fault) => {
            credentials.refused(plain, &fresh).await;
            Err(Fault { kind: FaultKind::NoToken, ..fault })
        }
        sent => sent,
    }
}

fn with(call: &Call, connection: &Arc<Connection>) -> Call {
    let target = Target { connection: Arc::clone(connection), ..call.target.clone() };
    Call { target, ..call.clone() }
}

/// Whether a token was refused.
pub(super) fn is_refused(fault: &Fault) -> bool {
    fault.status == Some(StatusCode::UNAUTHORIZED.as_u16())
}

//! Asking for lists of models, and for single ones, with whatever the connection has: a key or a token. A token that is refused is
//! renewed once, as for requests; what is refused then is held against nobody.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{
    HeaderMap, Request, StatusCode,
    header::{ACCEPT, LOCATION},
};
use http_body_util::{BodyExt, Limited};

use super::{
    super::{Providers, login, refusal, request},
    listing,
};
use crate::{
    engine::{
        fault::{Fault, FaultKind},
        ports::Target,
        settings::{Connection, Provider},
    },
    ops::ports::{Missed, Way},
};

/// The largest list of models that is read, in bytes: thousands of models with long descriptions.
const LIST_BYTES: usize = 16 * 1024 * 1024;

/// The longest address that is believed, in bytes.
const LOCATION_BYTES: usize = 2048;

/// The list of models at the end of a way.
pub(super) async fn list(
    providers: &Providers,
    connection: &Arc<Connection>,
    way: &Way,
    connect: Duration,
) -> Result<Vec<String>, Missed> {
    let path = format!("/models{}", listing::query(way.dialect));
    let body = get(providers, connection, way, &path, connect).await?;
    let malformed = || Fault::new(FaultKind::Malformed, "the list of models was not one in JSON").into();
    listing::read(&body).ok_or_else(malformed)
}

/// Whether there is something at the place of one model.
pub(super) async fn has(
    providers: &Providers,
    connection: &Arc<Connection>,
    model: &str,
    connect: Duration,
) -> Result<bool, Missed> {
    let way = Way::of(connection).ok_or_else(unusable)?;
    get(providers, connection, &way, &format!("/models/{model}"), connect).await.map(|_| true)
}

/// A connection that cannot be asked.
pub(super) fn unusable() -> Fault {
    Fault::new(FaultKind::Unreachable, "the connection's base URL cannot be used")
}

/// The body of a good answer.
async fn get(
    providers: &Providers,
    connection: &Arc<Connection>,
    way: &Way,
    path: &str,
    connect: Duration,
) -> Result<Bytes, Missed> {
    if connection.oauth.is_none() {
        return once(providers, connection, way, path, connect).await;
    }
    let credentials = login::credentials(providers)?;
    let used = credentials.armed(connection).await?;
    match once(providers, &used, way, path, connect).await {
        Err(missed) if login::is_refused(&missed.fault) => {
            let fresh = credentials.rearmed(connection, &used).await?;
            once(providers, &fresh, way, path, connect).await
        }
        asked => asked,
    }
}

async fn once(
    providers: &Providers,
    connection: &Arc<Connection>,
    way: &Way,
    path: &str,
    connect: Duration,
) -> Result<Bytes, Missed> {
    let mut asked = Request::get(format!("{}{path}", way.base))
        .header(ACCEPT, "application/json")
        .body(Bytes::new())
        .map_err(|_| unusable())?;
    let connection = along(connection, way);
    request::sign(&connection, way.dialect, &mut asked)?;
    let answer = providers.transport.call(asked, connect).await;
    let answer = answer.map_err(|error| request::unreachable_fault(&error))?;
    let (parts, body) = answer.into_parts();
    if !parts.status.is_success() {
        let location = location(parts.status, &parts.headers);
        let target = Target { connection, model: "".into(), dialect: way.dialect, facts: Arc::default() };
        let fault = refusal::read(&target, &parts, body, providers.clock.now()).await;
        return Err(Missed { fault, location });
    }
    let broken = |_| Fault::new(FaultKind::Malformed, "the list of models was too long or broke off");
    Ok(Limited::new(body, LIST_BYTES).collect().await.map_err(broken)?.to_bytes())
}

/// The connection as it would be, if it said this way.
fn along(connection: &Arc<Connection>, way: &Way) -> Arc<Connection> {
    if connection.provider.auth == way.auth {
        return Arc::clone(connection);
    }
    let provider = Provider { auth: way.auth.clone(), ..Provider::clone(&connection.provider) };
    Arc::new(Connection { provider: Arc::new(provider), ..Connection::clone(connection) })
}

fn location(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    let moved = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let place = headers.get(LOCATION).filter(|_| moved)?.to_str().ok()?;
    (place.len() <= LOCATION_BYTES).then(|| place.to_owned())
}

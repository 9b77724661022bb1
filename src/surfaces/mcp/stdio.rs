//! Processes that speak MCP over their standard input and output (`trivium --mcp`): each relays to the hub over a
//! connection that leaves HTTP for lines of JSON. Only commands on the hub's own machine know the secret that opens it.

use std::sync::Arc;

use axum::{body::Body, extract::Request, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use operations::Scopes;
use rmcp::{RoleServer, transport::async_rw::AsyncRwTransport};
use tokio_util::sync::CancellationToken;

use super::{
    super::stay::Stays, door::switched_off, handler::Handler, line, offer::Offer, profile, visitor::Visitor,
};
use crate::engine::{
    Engine,
    caller::{Caller, CallerKind},
    code::Code,
    refusal::Refusal,
};

/// Where they come in.
pub(super) const PATH: &str = "/mcp/stdio";

/// What the connection is to become.
const PROTOCOL: HeaderValue = HeaderValue::from_static("trivium-mcp");

/// What the process may do, as `Scopes::matching` reads it.
const SCOPES: HeaderName = HeaderName::from_static("trivium-mcp-scopes");

/// The profile of tools that is listed.
const PROFILE: HeaderName = HeaderName::from_static("trivium-mcp-profile");

/// The process.
const PID: HeaderName = HeaderName::from_static("trivium-mcp-pid");

/// In the answer: how many tools its client is shown.
const TOOLS: HeaderName = HeaderName::from_static("trivium-mcp-tools");

/// What a process may do that does not say: look, and change nothing.
const READING: &str = "read:*";

/// Every process is the same caller: what it may do is said at its start, and who started it may read the hub's data
/// anyway.
const CALLER: &str = "stdio";

/// Lets a process in.
///
/// # Errors
/// When it is none of this machine, or does not say what it wants as it should.
pub(super) fn attach(
    offer: &Arc<dyn Offer>,
    engine: &Arc<Engine>,
    caller: &Caller,
    mut request: Request,
) -> Result<Response, Refusal> {
    if caller.kind != CallerKind::Local {
        let text = "Only `trivium --mcp` on the hub's own machine comes in here; others use `/mcp`.";
        return Err(Refusal::new(Code::NotFound, text));
    }
    let headers = request.headers();
    let asks = request.method() == Method::GET
        && headers.get(header::UPGRADE) == Some(&PROTOCOL)
        && request.extensions().get::<OnUpgrade>().is_some();
    if !asks {
        return Err(Refusal::new(
            Code::MalformedRequest,
            "Only connections that leave HTTP are served here.",
        ));
    }
    let visitor = visitor(caller, headers)?;
    let tools = offer.tools(&visitor).len();
    let stay = request.extensions().get::<Stays>().cloned().unwrap_or_default().enter();
    let upgrade = hyper::upgrade::on(&mut request);
    let (offer, engine) = (Arc::clone(offer), Arc::clone(engine));
    tokio::spawn(async move {
        // A process that left meanwhile has no connection.
        if let Ok(upgraded) = upgrade.await {
            let (read, write) = tokio::io::split(TokioIo::new(upgraded));
            let transport = AsyncRwTransport::<RoleServer, _, _>::new_server(read, write);
            let ending = CancellationToken::new();
            let serving = line::serve(Handler::of(offer, visitor), transport, stay, ending.clone());
            let ended_by_switch = async {
                switched_off(&engine).await;
                ending.cancel();
                std::future::pending::<()>().await;
            };
            tokio::select! {
                () = serving => {}
                () = ended_by_switch => {}
            }
        }
    });
    Ok(switching(tools))
}

fn visitor(caller: &Caller, headers: &HeaderMap) -> Result<Visitor, Refusal> {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let scopes = Scopes::matching(text(&SCOPES).unwrap_or(READING))
        .map_err(|error| Refusal::new(Code::InvalidParameter, format!("{error}.")))?;
    let pid: u32 = text(&PID).and_then(|pid| pid.parse().ok()).unwrap_or_default();
    Ok(Visitor {
        caller: Caller {
            id: CALLER.into(),
            name: "stdio process".into(),
            kind: CallerKind::Local,
            scopes: scopes.and(caller.scopes),
            address: caller.address,
            policy: None,
        },
        transport: "stdio",
        session: Some(format!("stdio-{pid}").into()),
        request: None,
        profile: text(&PROFILE).and_then(profile::named),
    })
}

fn switching(tools: usize) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, PROTOCOL);
    headers.insert(TOOLS, HeaderValue::from(tools));
    response
}

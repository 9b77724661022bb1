//! The hub as an agent that other agents talk to. `door` lets requests in; `rpc` and `rest` are the two ways to say the same,
//! in either version of the protocol; `agent` answers, by the tasks and skills of `ops`; `card` says what there is. The
//! wire itself is `protocols/a2a`.

mod agent;
mod card;
mod cards;
mod door;
mod methods;
mod parts;
mod rest;
mod rpc;
mod stream;
mod visitor;

use std::sync::Arc;

use axum::{
    Router,
    routing::{any, get},
};

use self::{agent::Agent, cards::Cards, door::Door};
use super::{Handles, identify::Identify};
use crate::ops::agent::ENDPOINT;

/// Where JSON-RPC is spoken.
const PATHS: [&str; 2] = [ENDPOINT, "/a2a/"];

/// Where HTTP+JSON is, and the card of 1.0 alone.
const REST: &str = "/a2a/v1";

/// The largest request of a client. Files come within it, in base64.
const BODY_LIMIT: usize = 8 * 1024 * 1024;

pub(super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    let cards = Arc::new(Cards::new(handles));
    let agent = Arc::new(Agent::new(handles.tasks.clone(), Arc::clone(&cards)));
    let door = Door::new(handles, identify, agent);
    let spoken = PATHS.iter().fold(Router::new(), |router, path| router.route(path, any(rpc::enter)));
    let spoken = spoken.route(&format!("{REST}/{{*path}}"), any(rest::enter)).with_state(door);
    let shown = cards::PATHS.iter().fold(Router::new(), |router, path| router.route(path, get(cards::both)));
    let shown = shown.route(cards::PURE, get(cards::pure)).route(cards::KEYS, get(cards::keys));
    spoken.merge(shown.with_state(cards))
}

//! `/metrics`: the text that Prometheus reads, for callers who may see how the hub stands.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Request, State},
    response::{IntoResponse, Response},
    routing::get,
};
use http::header::CONTENT_TYPE;
use operations::Scope;

use super::{
    Handles,
    front::{Ids, Peer},
    identify::Identify,
    render,
};
use crate::{
    engine::{Engine, code::Code, policy, refusal::Refusal},
    observe::exposition,
    ops::metrics::Metrics,
};

#[derive(Clone)]
struct Shown {
    engine: Arc<Engine>,
    metrics: Arc<Metrics>,
    identify: Identify,
}

pub(super) fn routes(handles: &Handles, identify: &Identify) -> Router {
    let state = Shown {
        engine: Arc::clone(&handles.engine),
        metrics: Arc::clone(&handles.metrics),
        identify: identify.clone(),
    };
    Router::new().route("/metrics", get(metrics)).with_state(state)
}

async fn metrics(State(shown): State<Shown>, Extension(ids): Extension<Ids>, request: Request) -> Response {
    match shown.allowed(&request) {
        Ok(()) => {
            let text = shown.metrics.render(&shown.engine);
            ([(CONTENT_TYPE, exposition::CONTENT_TYPE)], text).into_response()
        }
        Err(refusal) => render::refusal(&refusal, &ids, false),
    }
}

impl Shown {
    fn allowed(&self, request: &Request) -> Result<(), Refusal> {
        let settings = self.engine.snapshot().settings.metrics;
        if !settings.enabled {
            return Err(Refusal::new(Code::NotFound, "Metrics are switched off (`metrics.enabled`)."));
        }
        let peer = request.extensions().get::<Peer>();
        if settings.open_on_loopback && peer.is_some_and(|peer| peer.0.is_loopback()) {
            return Ok(());
        }
        policy::require(&self.identify.caller(request)?, Scope::ReadHealth)
    }
}

//! Takes connections and serves them until the hub is asked to stop; then lets running requests finish.

use std::{future::Future, io, time::Duration};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tower::ServiceExt;

use super::{front::Peer, malformed::Connection, stay::Stays};
use crate::observe::events;

/// How long a client may take to send the head of a request, and how long an idle connection is kept.
const HEAD: Duration = Duration::from_secs(75);

/// When the system has no file descriptor left, trying again at once would only burn the processor.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What is served, and how it ends.
pub struct Server {
    /// Where connections come in.
    pub listener: TcpListener,
    /// What answers them.
    pub router: Router,
    /// How long running requests may take to finish.
    pub drain: Duration,
}

/// Serves until `stop` is done, and then until every request has finished or the patience is over.
/// Answers whether all of them finished.
pub async fn serve(server: Server, stop: impl Future<Output = ()>) -> bool {
    let stays = Stays::default();
    let mut stop = std::pin::pin!(stop);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            Some(_) = connections.join_next() => {}
            accepted = server.listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    drop(connections.spawn(serve_connection(tcp, &server.router, &stays)));
                }
                Err(error) => pause_after(&error).await,
            },
            () = &mut stop => break,
        }
    }
    drop(server.listener);
    stays.drain();
    let drained = tokio::time::timeout(server.drain, stays.left()).await.is_ok();
    // What is cut now still writes its receipts, while there is somebody to take them.
    connections.shutdown().await;
    stays.cut().await;
    drained
}

async fn pause_after(error: &io::Error) {
    events::accept_failed(error);
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

fn serve_connection(
    tcp: TcpStream,
    router: &Router,
    stays: &Stays,
) -> impl Future<Output = ()> + Send + use<> {
    // Without this, small answers wait for the acknowledgement of the ones before them: 40 ms each.
    drop(tcp.set_nodelay(true));
    let peer = tcp.peer_addr().ok().map(|address| Peer(address.ip().to_canonical()));
    let mut stay = stays.enter();
    let stays = stays.clone();
    let service = router.clone().map_request(move |mut request: http::Request<hyper::body::Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        request.extensions_mut().insert(stays.clone());
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(Connection::new(tcp)), TowerToHyperService::new(service))
        .with_upgrades();
    async move {
        let mut connection = std::pin::pin!(connection);
        let ended = tokio::select! {
            biased;
            () = stay.draining() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
            ended = connection.as_mut() => ended,
        };
        if let Err(error) = ended {
            events::client_connection_broke(&error);
        }
    }
}

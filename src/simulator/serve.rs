//! Serves a simulator over sockets, where a cut is a real one: the connection closes without an end.

use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;

use axum::body::Body;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Simulator;

/// How long answers may go on after the shutdown was asked for. What hangs by script would hang for ever.
const GRACE: Duration = Duration::from_secs(5);

impl Simulator {
    /// Serves connections until `shutdown` is done, then lets running answers end for at most five seconds.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()> + Send) {
        let graceful = GracefulShutdown::new();
        let mut connections = JoinSet::new();
        let mut shutdown = std::pin::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(self.clone().connection(stream, &graceful));
                    }
                    // Most likely out of file descriptors: others have to end first.
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                },
            }
        }
        drop(listener);
        tokio::select! {
            () = graceful.shutdown() => {}
            () = tokio::time::sleep(GRACE) => {}
        }
        connections.shutdown().await;
    }

    fn connection(
        self,
        stream: TcpStream,
        graceful: &GracefulShutdown,
    ) -> impl Future<Output = ()> + Send + use<> {
        // Without it, small chunks wait for one another. A socket that cannot is served all the same.
        let _ = stream.set_nodelay(true);
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
            let simulator = self.clone();
            async move { simulator.call(request.map(Body::new)).await }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
        let watched = graceful.watch(connection);
        async move {
            // A failed connection is a client that left or a cut by script: both stand in the log.
            let _ = watched.await;
        }
    }

    /// A router with everything the simulator answers, to mount in a server of one's own. Such a server can cut a body,
    /// but not a connection before the status line (see [`Simulator::handle`]).
    pub fn router(&self) -> axum::Router {
        let simulator = self.clone();
        axum::Router::new().fallback(move |request: axum::extract::Request| {
            let simulator = simulator.clone();
            async move { Ok::<_, Infallible>(simulator.handle(request).await) }
        })
    }
}

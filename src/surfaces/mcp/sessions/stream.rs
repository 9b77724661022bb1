//! Streams to clients that read slowly or not at all, and the way between a session and who serves it.

use std::sync::{Arc, Weak};

use futures_util::{Stream, StreamExt, stream};
use rmcp::{
    RoleServer,
    service::{RxJsonRpcMessage, TxJsonRpcMessage},
    transport::{
        Transport, WorkerTransport, common::server_side_http::ServerSseMessage,
        streamable_http_server::session::local::LocalSessionWorker,
    },
};
use tokio::sync::mpsc;

/// Events that wait for a client to read them. When there are so many, its stream ends: the session goes on, and the
/// client can take the stream up again where it was.
const WAITING: usize = 64;

/// Takes events from the library as they come, so that one stream that is not read holds up nothing else of its
/// session. `open` is held for as long.
pub(super) fn read_ahead(
    events: impl Stream<Item = ServerSseMessage> + Send + 'static,
    open: Arc<()>,
) -> impl Stream<Item = ServerSseMessage> + Send + Sync + 'static {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    tokio::spawn(async move {
        let mut events = std::pin::pin!(events);
        loop {
            let event = tokio::select! {
                () = sender.closed() => break,
                event = events.next() => event,
            };
            let sent = event.map(|event| sender.try_send(event));
            if !matches!(sent, Some(Ok(()))) {
                break;
            }
        }
        drop(open);
    });
    stream::poll_fn(move |cx| receiver.poll_recv(cx))
}

/// The library's transport. It is known whether somebody still serves it.
pub(in super::super) struct Served {
    inner: WorkerTransport<LocalSessionWorker>,
    served: Arc<()>,
}

impl Served {
    pub(super) fn new(inner: WorkerTransport<LocalSessionWorker>) -> (Self, Weak<()>) {
        let served = Arc::new(());
        let known = Arc::downgrade(&served);
        (Self { inner, served }, known)
    }
}

impl Transport<RoleServer> for Served {
    type Error = <WorkerTransport<LocalSessionWorker> as Transport<RoleServer>>::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let served = Arc::clone(&self.served);
        let sent = self.inner.send(item);
        async move {
            let done = sent.await;
            drop(served);
            done
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        self.inner.receive().await
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}

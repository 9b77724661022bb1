//! A connection that carries one client's messages from its beginning to its end: how it is served, how much may wait on
//! it, and how it ends with the hub. What the bytes look like is the transports' business.

use std::{collections::HashSet, sync::Arc};

use rmcp::{
    RoleServer,
    model::{ClientNotification, ClientRequest, JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, TxJsonRpcMessage, serve_server_with_ct},
    transport::{Transport, TransportAdapterIdentity},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{super::stay::Stay, handler::Handler};

/// Requests of one client that may be worked on at a time. What is beyond is not read yet.
const AT_ONCE: usize = 256;

/// Serves a client until it leaves, `ending` says so, or the hub stops and what the client asked has been answered.
pub(super) async fn serve<T>(handler: Handler, transport: T, stay: Stay, ending: CancellationToken)
where
    T: Transport<RoleServer> + 'static,
{
    let mut server = stay.clone();
    let attended = Attended::new(transport, stay);
    let served = async {
        let service =
            serve_server_with_ct::<_, _, _, TransportAdapterIdentity>(handler, attended, ending.clone());
        // One that does not open the conversation as it should is not talked to.
        if let Ok(service) = service.await {
            drop(service.waiting().await);
        }
    };
    tokio::select! {
        biased;
        () = server.cut() => ending.cancel(),
        () = served => {}
    }
}

/// A transport that is read no further when the hub stops, and over when everything has been answered.
struct Attended<T> {
    inner: T,
    stay: Stay,
    draining: bool,
    /// What is being worked on. Subscriptions are not: they have no end of their own.
    open: Arc<watch::Sender<HashSet<RequestId>>>,
}

impl<T> Attended<T> {
    fn new(inner: T, stay: Stay) -> Self {
        Self { inner, stay, draining: false, open: Arc::new(watch::Sender::default()) }
    }

    fn note(&self, message: &RxJsonRpcMessage<RoleServer>) {
        match message {
            JsonRpcMessage::Request(request) if !is_endless(&request.request) => {
                self.open.send_modify(|open| {
                    open.insert(request.id.clone());
                });
            }
            JsonRpcMessage::Notification(one) => {
                // What a client does not wait for any more may stay without an answer.
                if let ClientNotification::CancelledNotification(cancelled) = &one.notification
                    && let Some(id) = &cancelled.params.request_id
                {
                    self.open.send_modify(|open| {
                        open.remove(id);
                    });
                }
            }
            _ => {}
        }
    }
}

fn is_endless(request: &ClientRequest) -> bool {
    matches!(request, ClientRequest::SubscriptionsListenRequest(_))
}

impl<T: Transport<RoleServer>> Transport<RoleServer> for Attended<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleServer>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let answers = match &item {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            _ => None,
        };
        let open = Arc::clone(&self.open);
        let sent = self.inner.send(item);
        async move {
            let done = sent.await;
            if let Some(id) = answers {
                open.send_modify(|open| {
                    open.remove(&id);
                });
            }
            done
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleServer>> {
        let mut open = self.open.subscribe();
        loop {
            if self.draining {
                tokio::select! {
                    () = async { drop(open.wait_for(HashSet::is_empty).await) } => {}
                    () = self.stay.cut() => {}
                }
                return None;
            }
            let full = open.borrow().len() >= AT_ONCE;
            tokio::select! {
                biased;
                () = self.stay.draining() => self.draining = true,
                () = async { drop(open.wait_for(|open| open.len() < AT_ONCE).await) }, if full => {}
                message = self.inner.receive(), if !full => {
                    let message = message?;
                    self.note(&message);
                    return Some(message);
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}

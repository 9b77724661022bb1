//! A request's body, lent to the handler: what the handler leaves of it is read before its answer goes out.
//!
//! A handler that refuses a request (a wrong key, say) does not read the body. The HTTP library would then close
//! the connection behind the answer without a word, and a client that reuses it would see its next request fail.

use std::{
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Body;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt;

/// How much of a refused body is read and thrown away; above the usual limit for bodies, so that
/// a client that sends too much reads the answer instead of a reset connection.
const LIMIT: usize = 16 * 1024 * 1024;

/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The lender's side.
pub(super) struct Lender(Arc<Mutex<Option<Body>>>);

/// The handler's side.
struct Lent(Arc<Mutex<Option<Body>>>);

/// Splits a body into what the handler reads and what stays with the lender.
pub(super) fn lend(body: Body) -> (Lender, Body) {
    let shared = Arc::new(Mutex::new(Some(body)));
    (Lender(Arc::clone(&shared)), Body::new(Lent(shared)))
}

impl Lender {
    /// Reads what the handler left. Answers whether the body is over, so that the connection can be used again.
    pub(super) async fn finish(self) -> bool {
        let Some(mut body) = lock(&self.0).take() else { return true };
        let drain = async {
            let mut read = 0;
            loop {
                match body.frame().await {
                    None => return true,
                    Some(Err(_)) => return false,
                    Some(Ok(frame)) => read += frame.data_ref().map_or(0, Bytes::len),
                }
                if read > LIMIT {
                    return false;
                }
            }
        };
        tokio::time::timeout(PATIENCE, drain).await.unwrap_or(false)
    }
}

impl http_body::Body for Lent {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut shared = lock(&self.0);
        let Some(body) = shared.as_mut() else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(cx);
        if matches!(polled, Poll::Ready(None)) {
            *shared = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        lock(&self.0).as_ref().is_none_or(http_body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        lock(&self.0).as_ref().map_or_else(|| SizeHint::with_exact(0), http_body::Body::size_hint)
    }
}

fn lock(shared: &Mutex<Option<Body>>) -> MutexGuard<'_, Option<Body>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

//! A stand-in for the programs that the hub tells things: it takes everything and keeps it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_core::future::BoxFuture;
use trivium::ops::ports::{Post, PostError};

/// One message.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

#[derive(Clone, Default)]
pub(crate) struct Posted {
    messages: Arc<Mutex<Vec<Message>>>,
    answers: Arc<Mutex<VecDeque<u16>>>,
}

impl Posted {
    /// Statuses of the next answers; 200 afterwards.
    pub(crate) fn answer(&self, statuses: &[u16]) {
        self.answers.lock().unwrap().extend(statuses);
    }

    pub(crate) fn messages(&self) -> Vec<Message> {
        self.messages.lock().unwrap().clone()
    }
}

impl Message {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }
}

impl Post for Posted {
    fn post(
        &self,
        url: &str,
        headers: &[(String, String)],
        body: Bytes,
        _limit: Duration,
    ) -> BoxFuture<'static, Result<u16, PostError>> {
        self.messages.lock().unwrap().push(Message { url: url.to_owned(), headers: headers.to_vec(), body });
        let status = self.answers.lock().unwrap().pop_front().unwrap_or(200);
        Box::pin(async move { Ok(status) })
    }
}

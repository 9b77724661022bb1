//! Answers that were made once and given again. Here are the receipts of those that are given by a surface.

use canon::Dialect;

use super::{
    caller::Caller,
    pipeline::Engine,
    receipt::Reuse,
    refusal::Refusal,
    settle::{Opening, Settlement},
};

/// What a receipt says of a request that is answered with an answer made for another.
#[derive(Debug, Clone)]
pub struct Reused {
    /// The hub's request id.
    pub id: String,
    /// The client's own request id.
    pub client_request_id: Option<String>,
    /// The dialect in which the client spoke.
    pub dialect: Dialect,
    /// The model as the client named it.
    pub model: String,
    /// Whether a stream was asked for.
    pub stream: bool,
}

/// The receipt of such a request in the making. Dropped before its end, it says that the client left.
pub struct Tab {
    settlement: Settlement,
    status: u16,
}

impl Engine {
    /// Opens the receipt of a request that is answered with an answer made for another.
    #[must_use]
    pub fn reuse(&self, asked: Reused, caller: &Caller, how: Reuse) -> Tab {
        let Reused { id, client_request_id, dialect, model, stream } = asked;
        let opening = Opening { id, at: self.clock().now(), client_request_id, dialect, model, stream };
        let mut settlement = self.settlement(opening, caller);
        settlement.reused(how);
        Tab { settlement, status: 200 }
    }
}

impl Tab {
    /// Notes the status that the client is given.
    pub fn status(&mut self, status: u16) {
        self.status = status;
    }

    /// Counts bytes of answer.
    pub fn gave(&mut self, bytes: usize) {
        self.settlement.meter.gave(bytes);
    }

    /// The client got the whole answer.
    pub fn complete(mut self) {
        self.settlement.complete_with(self.status);
    }

    /// The client got an error instead.
    pub fn refuse(mut self, refusal: &Refusal) {
        self.settlement.refuse(refusal);
    }
}

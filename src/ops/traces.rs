//! The operations on single requests: pages of receipts, and one receipt whole.

use std::sync::Arc;

use operations::{
    Invalid, Operation,
    routing::{Attempt, LeftOut},
    traces::{
        DEFAULT_PAGE, Ending, Get, GetTrace, List, ListTraces, StatusClass, Trace, TracePage, TraceView,
    },
};

use super::{
    OpError, capture,
    error::require,
    own,
    ports::{
        AttemptRow, CaptureStore, LogError, ReceiptLog, ReceiptRow, SkipRow,
        usage::{TraceLog, TracePlace, TraceQuery},
    },
};
use crate::engine::{caller::Caller, receipt::Outcome, settings::Usd};

/// Executes the operations on single requests.
#[derive(Clone)]
pub struct Traces {
    receipts: Arc<dyn ReceiptLog>,
    pages: Arc<dyn TraceLog>,
    captures: Arc<dyn CaptureStore>,
}

impl Traces {
    /// Operations on the receipts of a store.
    #[must_use]
    pub fn new(
        receipts: Arc<dyn ReceiptLog>,
        pages: Arc<dyn TraceLog>,
        captures: Arc<dyn CaptureStore>,
    ) -> Self {
        Self { receipts, pages, captures }
    }

    /// Lists requests, the latest first.
    ///
    /// # Errors
    /// [`OpError`].
    pub async fn list(&self, caller: &Caller, args: ListTraces) -> Result<TracePage, OpError> {
        require(caller, List::SCOPE)?;
        let args = List::check(args)?;
        let query = query(ListTraces { key: own::only(caller, args.key)?, ..args })?;
        let page = self.pages.page(query).await.map_err(failed)?;
        Ok(TracePage {
            traces: page.rows.into_iter().map(|row| view(&row)).collect(),
            next_cursor: page.next.map(|place| format!("{}.{}", place.at, place.seq)),
        })
    }

    /// Tells everything of a request.
    ///
    /// # Errors
    /// [`OpError`]; not found when there is no receipt of it that the caller sees.
    pub async fn get(&self, caller: &Caller, args: GetTrace) -> Result<Trace, OpError> {
        require(caller, Get::SCOPE)?;
        let GetTrace { request_id } = Get::check(args)?;
        let row = self.receipts.by_id(request_id.clone()).await.map_err(failed)?;
        let Some(row) = row.filter(|row| own::sees(caller, &row.caller)) else {
            return Err(OpError::NotFound { noun: "receipt of the request", name: request_id });
        };
        let said = self.captures.of_request(request_id).await;
        let said = said.map_err(|error| OpError::Store(Box::new(error)))?;
        let payloads = said.map(|bytes| capture::read(&bytes)).unwrap_or_default();
        Ok(Trace { payloads, ..trace(row) })
    }
}

fn query(args: ListTraces) -> Result<TraceQuery, Invalid> {
    let status = args.status.map(|class| match class {
        StatusClass::Good => (200, 399),
        StatusClass::Caller => (400, 499),
        StatusClass::Server => (500, 999),
    });
    let outcome = args.outcome.map(|ending| match ending {
        Ending::Completed => Outcome::Completed,
        Ending::Failed => Outcome::Failed,
        Ending::Interrupted => Outcome::Interrupted,
        Ending::ClientLeft => Outcome::ClientLeft,
    });
    // Whole answers have a good status and no error.
    let failed = matches!(args.status, Some(StatusClass::Caller | StatusClass::Server))
        || outcome.is_some_and(|outcome| outcome != Outcome::Completed)
        || args.error.is_some();
    Ok(TraceQuery {
        after: args.cursor.as_deref().map(place).transpose()?,
        since: args.since_at,
        until: args.until_at,
        caller: args.key,
        failed,
        model: args.model,
        connection: args.connection,
        session: args.session,
        status,
        outcome: outcome.map(Outcome::as_str),
        error: args.error,
        limit: args.limit.unwrap_or(DEFAULT_PAGE),
    })
}

fn place(cursor: &str) -> Result<TracePlace, Invalid> {
    let parts = cursor.split_once('.').and_then(|(at, seq)| Some((at.parse().ok()?, seq.parse().ok()?)));
    let (at, seq) = parts.ok_or_else(|| Invalid::new("cursor", "must be `next_cursor` of a page"))?;
    Ok(TracePlace { at, seq })
}

fn view(row: &ReceiptRow) -> TraceView {
    TraceView {
        request_id: row.id.clone(),
        arrived_at: row.at,
        key: row.caller.clone(),
        route: row.detail.dialect.clone(),
        model: row.model.clone(),
        stream: row.detail.stream,
        session: row.session.clone(),
        connection: row.connection.clone(),
        attempts: row.detail.attempts.len() as u64,
        status: row.status,
        outcome: row.outcome.clone(),
        error: row.detail.error.clone(),
        input_tokens: row.input_tokens,
        output_tokens: row.output_tokens,
        cost_usd: row.cost.map(Usd::dollars),
        cost_estimated: row.cost_estimated,
        first_content_ms: row.detail.first_content_ms,
        total_ms: row.total_ms,
    }
}

fn trace(row: ReceiptRow) -> Trace {
    let summary = view(&row);
    let detail = row.detail;
    Trace {
        summary,
        client_request_id: detail.client_request_id,
        trace_id: detail.trace,
        strategy: detail.strategy,
        tried: detail.attempts.into_iter().map(attempt).collect(),
        left_out: detail.skipped.into_iter().map(left_out).collect(),
        omitted: detail.omitted as u64,
        reused: detail.reused,
        shaped: detail.shaped,
        cached_tokens: detail.cached_input,
        reasoning_tokens: detail.reasoning,
        edits: detail.edits,
        losses: detail.losses,
        bytes_out: detail.bytes_out,
        payloads: Vec::new(),
    }
}

/// An attempt as operations show it.
pub(super) fn attempt(row: AttemptRow) -> Attempt {
    Attempt {
        connection: row.connection,
        provider: row.provider,
        model: row.model,
        started_ms: row.started_ms,
        took_ms: row.took_ms,
        fault: row.fault,
        status: row.status,
        message: row.message,
    }
}

/// A target that was left out, likewise.
pub(super) fn left_out(row: SkipRow) -> LeftOut {
    LeftOut { connection: row.connection, model: row.model, reason: row.reason, until_at: row.until }
}

fn failed(error: LogError) -> OpError {
    OpError::Store(Box::new(error))
}

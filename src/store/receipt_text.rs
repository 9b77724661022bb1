//! The part of a receipt that is kept as text: what is written of it, how much at most, and how it is read. The
//! columns beside it are in `receipts`.

use serde::{Serialize, Serializer};

use crate::{
    engine::receipt::{AttemptRecord, Receipt, Reuse, SkipRecord},
    ops::ports::{ReceiptDetail, ReceiptRow},
};

/// Longest text that a client or a provider can put into a receipt, in bytes. A client may name a model
/// as long as its body, and a queue of those would be gigabytes.
const MAX_TEXT: usize = 256;
/// Attempts and skipped targets, each, that are written down.
const MAX_ITEMS: usize = 64;

/// Bytes that the text of a request with one attempt takes, and some more.
const USUAL_TEXT: usize = 384;

/// Written as [`ReceiptDetail`] reads it; what is usual or empty is left out.
#[derive(Serialize)]
struct Detail<'a> {
    dialect: &'static str,
    #[serde(skip_serializing_if = "is_default")]
    stream: bool,
    #[serde(skip_serializing_if = "is_default")]
    trace: Option<String>,
    #[serde(skip_serializing_if = "is_default")]
    strategy: &'a str,
    #[serde(skip_serializing_if = "is_default")]
    client_request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "is_default")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "is_default")]
    reused: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    shaped: Vec<&'static str>,
    #[serde(skip_serializing_if = "is_default")]
    cached_input: u64,
    #[serde(skip_serializing_if = "is_default")]
    reasoning: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    edits: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    losses: Vec<String>,
    #[serde(skip_serializing_if = "is_default")]
    first_content_ms: Option<u32>,
    #[serde(skip_serializing_if = "is_default")]
    bytes_out: u64,
    #[serde(skip_serializing_if = "<[AttemptRecord]>::is_empty", serialize_with = "attempts")]
    attempts: &'a [AttemptRecord],
    #[serde(skip_serializing_if = "<[SkipRecord]>::is_empty", serialize_with = "skips")]
    skipped: &'a [SkipRecord],
    #[serde(skip_serializing_if = "is_default")]
    omitted: usize,
}

#[derive(Serialize)]
struct Attempt<'a> {
    connection: &'a str,
    provider: &'a str,
    model: &'a str,
    started_ms: u32,
    took_ms: u32,
    #[serde(skip_serializing_if = "is_default")]
    fault: Option<&'static str>,
    #[serde(skip_serializing_if = "is_default")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "is_default")]
    message: Option<&'a str>,
}

#[derive(Serialize)]
struct Skip<'a> {
    connection: &'a str,
    model: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "is_default")]
    until: Option<i64>,
}

/// Shortens the texts that others chose, before the receipt waits in the queue, and takes the character NUL out of the one
/// that is a column: PostgreSQL has no place for it.
pub(super) fn clip(receipt: &mut Receipt) {
    shorten(&mut receipt.model);
    if receipt.model.contains('\0') {
        receipt.model = receipt.model.replace('\0', "\u{fffd}");
    }
    receipt.client_request_id.iter_mut().for_each(shorten);
    receipt.session.iter_mut().for_each(shorten);
    for attempt in &mut receipt.attempts {
        attempt.message.iter_mut().for_each(shorten);
    }
}

/// The text of a receipt's detail.
pub(super) fn write(receipt: &Receipt) -> Result<String, serde_json::Error> {
    let usage = receipt.usage.unwrap_or_default();
    let (attempts, attempts_over) = first(&receipt.attempts);
    let (skipped, skipped_over) = first(&receipt.skipped);
    let detail = Detail {
        dialect: receipt.dialect.as_str(),
        stream: receipt.stream,
        trace: receipt.trace.map(|context| format!("{:032x}", context.trace)),
        strategy: receipt.strategy,
        client_request_id: receipt.client_request_id.as_deref(),
        error: receipt.error,
        reused: receipt.reused.map(Reuse::as_str),
        shaped: receipt.shaped.iter().map(|shape| shape.as_str()).collect(),
        cached_input: usage.cached_input,
        reasoning: usage.reasoning,
        edits: receipt.edits.iter().map(|edit| edit.as_str()).collect(),
        losses: receipt.losses.iter().map(ToString::to_string).collect(),
        first_content_ms: receipt.first_content_ms,
        bytes_out: receipt.bytes_out,
        attempts,
        skipped,
        omitted: attempts_over + skipped_over,
    };
    let mut text = Vec::with_capacity(USUAL_TEXT);
    serde_json::to_writer(&mut text, &detail)?;
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

/// What the plan followed from, as text; nothing where there was nothing to decide.
pub(super) fn plan(receipt: &Receipt) -> Result<Option<String>, serde_json::Error> {
    receipt.plan.as_deref().map(serde_json::to_string).transpose()
}

/// What [`write`] wrote.
pub(super) fn read(text: &str) -> Result<ReceiptDetail, serde_json::Error> {
    serde_json::from_str(text)
}

/// The connection that served the answer: the last attempt, if it had no fault.
pub(super) fn served_by(receipt: &Receipt) -> Option<&AttemptRecord> {
    receipt.attempts.last().filter(|attempt| attempt.fault.is_none())
}

/// The receipt as it would be read after it was written.
pub(super) fn row(receipt: &Receipt) -> Result<ReceiptRow, serde_json::Error> {
    Ok(ReceiptRow {
        id: receipt.id.clone(),
        at: receipt.at,
        caller: receipt.caller.to_string(),
        model: receipt.model.clone(),
        connection: served_by(receipt).map(|attempt| attempt.connection.to_string()),
        status: receipt.status,
        outcome: receipt.outcome.as_str().to_owned(),
        input_tokens: receipt.usage.map(|usage| usage.input),
        output_tokens: receipt.usage.map(|usage| usage.output),
        total_ms: receipt.total_ms,
        cost: receipt.cost,
        cost_estimated: receipt.cost_estimated,
        session: receipt.session.clone(),
        detail: read(&write(receipt)?)?,
    })
}

fn shorten(text: &mut String) {
    if text.len() > MAX_TEXT {
        text.truncate(text.floor_char_boundary(MAX_TEXT));
        text.push('…');
        text.shrink_to_fit();
    }
}

fn first<T>(items: &[T]) -> (&[T], usize) {
    let kept = items.get(..MAX_ITEMS).unwrap_or(items);
    (kept, items.len() - kept.len())
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

fn attempts<S: Serializer>(attempts: &&[AttemptRecord], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(attempts.iter().map(|attempt| Attempt {
        connection: &attempt.connection,
        provider: &attempt.provider,
        model: &attempt.model,
        started_ms: attempt.started_ms,
        took_ms: attempt.took_ms,
        fault: attempt.fault.map(|fault| fault.as_str()),
        status: attempt.status,
        message: attempt.message.as_deref(),
    }))
}

fn skips<S: Serializer>(skips: &&[SkipRecord], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(skips.iter().map(|skip| Skip {
        connection: &skip.connection,
        model: &skip.model,
        reason: &skip.reason,
        until: skip.until,
    }))
}

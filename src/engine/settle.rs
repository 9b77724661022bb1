//! Writes the one receipt of a request, however it ends: answered, refused, broken, or left by its client. The
//! last one is what remains when nobody said otherwise before the settlement was dropped.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use canon::{Dialect, Edit, How, Losses};

use super::{
    caller::Caller,
    code::Code,
    fault::Fault,
    meter::Meter,
    plan::{Plan, Skip},
    policy::Ticket,
    ports::{ReceiptSink, Tape},
    receipt::{AttemptRecord, Outcome, Receipt, Reuse, SkipRecord},
    refusal::Refusal,
    settings::Usd,
    shaping::Shape,
    tab::{Bill, Tab},
    trace::{self, TraceContext},
    traffic::Hold,
};
use crate::observe::events;

/// A receipt in the making.
pub(super) struct Settlement {
    /// What is counted.
    pub(super) meter: Meter,
    /// What it costs.
    pub(super) tab: Tab,
    receipt: Option<Receipt>,
    committed: Arc<AtomicBool>,
    /// What the attempt that serves the answer holds at its account.
    hold: Option<Hold>,
    /// The caller's place among its own requests.
    ticket: Option<Arc<Ticket>>,
    /// Whether nothing that was said may be written down.
    unlogged: bool,
    sink: Arc<dyn ReceiptSink>,
    /// Takes the request down, where the operator wants that.
    tape: Option<Arc<Tape>>,
}

/// What is known of a request when it arrives.
pub(super) struct Opening {
    /// The hub's request id.
    pub(super) id: String,
    /// Milliseconds since the Unix epoch.
    pub(super) at: i64,
    /// The client's own request id.
    pub(super) client_request_id: Option<String>,
    /// The dialect in which the client spoke.
    pub(super) dialect: Dialect,
    /// The model as the client named it.
    pub(super) model: String,
    /// What the client calls the session.
    pub(super) session: Option<String>,
    /// The trace that the request belongs to.
    pub(super) trace: Option<TraceContext>,
    /// Whether a stream was asked for.
    pub(super) stream: bool,
}

impl Settlement {
    /// Opens a receipt.
    #[must_use]
    pub(super) fn open(opening: Opening, caller: &Caller, tab: Tab, sink: Arc<dyn ReceiptSink>) -> Self {
        let receipt = Receipt {
            id: opening.id,
            at: opening.at,
            caller: Arc::clone(&caller.id),
            client_request_id: opening.client_request_id,
            dialect: opening.dialect,
            model: opening.model,
            session: opening.session,
            trace: opening.trace,
            stream: opening.stream,
            strategy: "",
            attempts: Vec::new(),
            skipped: Vec::new(),
            plan: None,
            // What stands here when the client leaves before anything else is known.
            status: Code::ClientClosed.status(),
            outcome: Outcome::ClientLeft,
            error: Some(Code::ClientClosed.as_str()),
            reused: None,
            shaped: Vec::new(),
            usage: None,
            billed: tab.is_billed(),
            cost: None,
            cost_estimated: false,
            edits: Vec::new(),
            losses: Losses::default(),
            first_content_ms: None,
            total_ms: 0,
            bytes_out: 0,
        };
        Self {
            meter: Meter::start(),
            tab,
            receipt: Some(receipt),
            committed: Arc::default(),
            hold: None,
            ticket: None,
            unlogged: caller.is_unlogged(),
            sink,
            tape: None,
        }
    }

    /// Has the request taken down.
    pub(super) fn take_down(&mut self, tape: Option<Arc<Tape>>) {
        self.meter.take_down(tape.clone());
        self.tape = tape;
    }

    /// What takes it down.
    #[must_use]
    pub(super) const fn tape(&self) -> Option<&Arc<Tape>> {
        self.tape.as_ref()
    }

    /// Notes that the answer was made for another request.
    pub(super) fn reused(&mut self, how: Reuse) {
        if let Some(receipt) = &mut self.receipt {
            receipt.reused = Some(how);
        }
    }

    /// Notes what was done to the request before.
    pub(super) fn shaped(&mut self, shapes: &[Shape]) {
        if let Some(receipt) = &mut self.receipt {
            receipt.shaped.extend_from_slice(shapes);
        }
    }

    /// What was done to the body of the last attempt.
    #[must_use]
    pub(super) fn edits(&self) -> &[Edit] {
        self.receipt.as_ref().map_or(&[], |receipt| &receipt.edits)
    }

    /// Holds the caller's place until the end.
    pub(super) fn admitted(&mut self, ticket: Option<Arc<Ticket>>) {
        self.ticket = ticket;
    }

    /// Writes no receipt after all.
    pub(super) fn cancel(mut self) {
        self.receipt = None;
    }

    /// Notes what was planned, and takes what it follows from.
    pub(super) fn planned(&mut self, plan: &mut Plan) {
        if let Some(receipt) = &mut self.receipt {
            receipt.strategy = plan.strategy.as_str();
            receipt.skipped = plan.skipped.iter().map(Skip::record).collect();
            receipt.plan = plan.made.take();
        }
    }

    /// Notes a target that was left out after planning.
    pub(super) fn skipped(&mut self, skip: SkipRecord) {
        if let Some(receipt) = &mut self.receipt {
            receipt.skipped.push(skip);
        }
    }

    /// Notes an attempt, what was edited for it, and what translation lost.
    pub(super) fn attempted(&mut self, attempt: AttemptRecord, edits: Vec<Edit>, losses: Losses) {
        if let Some(receipt) = &mut self.receipt {
            receipt.attempts.push(attempt);
            receipt.edits = edits;
            receipt.losses = losses;
        }
    }

    /// Takes what the attempt that serves the answer holds, until the end.
    pub(super) fn hold(&mut self, hold: Hold) {
        self.hold = Some(hold);
    }

    /// A flag for whoever gives the client its 200: from then on this is the status that it got.
    pub(super) fn commitment(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.committed)
    }

    /// Notes that the client is given a 200.
    pub(super) fn commit(&self) {
        self.committed.store(true, Ordering::Relaxed);
    }

    /// The attempts so far.
    #[must_use]
    pub(super) fn attempts(&self) -> &[AttemptRecord] {
        self.receipt.as_ref().map_or(&[], |receipt| &receipt.attempts)
    }

    /// The trace that the request belongs to.
    #[must_use]
    pub(super) fn trace(&self) -> Option<TraceContext> {
        self.receipt.as_ref()?.trace
    }

    /// What was left out so far.
    #[must_use]
    pub(super) fn skips(&self) -> &[SkipRecord] {
        self.receipt.as_ref().map_or(&[], |receipt| &receipt.skipped)
    }

    /// What an answer costs that is there as a whole; `None` where that is not certain.
    #[must_use]
    pub(super) fn certain_cost(&self) -> Option<Usd> {
        let receipt = self.receipt.as_ref()?;
        let Bill { cost, estimated } = self.tab.bill(&self.meter, true)?;
        (!estimated && !is_usage_estimated(&receipt.losses)).then_some(cost)
    }

    /// The client got the whole answer.
    pub(super) fn complete(&mut self) {
        self.meter.keep();
        self.finish(Outcome::Completed, Some(200), None);
    }

    /// The client got the whole of an answer with this status, which may be an error made for another request.
    pub(super) fn complete_with(&mut self, status: u16) {
        let outcome = if status < 400 { Outcome::Completed } else { Outcome::Failed };
        self.finish(outcome, Some(status), None);
    }

    /// The client got an error instead of an answer.
    pub(super) fn refuse(&mut self, refusal: &Refusal) {
        if let Some(tape) = &self.tape {
            // The provider's own words, or the hub's reason without the form that its dialect gives it.
            let body = refusal.passed_on.as_ref().map(|answer| &answer.body[..]);
            tape.gave(body.unwrap_or(refusal.message.as_bytes()));
        }
        self.finish(Outcome::Failed, Some(refusal.status()), Some(refusal.code));
    }

    /// The client had got a good status, and then an error because of `fault`.
    pub(super) fn interrupt(&mut self, refusal: &Refusal, fault: &Fault) {
        let now = self.meter.elapsed_ms();
        if let Some(last) = self.receipt.as_mut().and_then(|receipt| receipt.attempts.last_mut()) {
            last.fault = Some(fault.kind);
            last.message = Some(fault.message.clone());
            last.took_ms = now.saturating_sub(last.started_ms);
        }
        self.finish(Outcome::Interrupted, Some(200), Some(refusal.code));
    }

    fn finish(&mut self, outcome: Outcome, status: Option<u16>, error: Option<Code>) {
        let ticket = self.ticket.take();
        let Some(mut receipt) = self.receipt.take() else { return };
        receipt.outcome = outcome;
        receipt.status = match self.committed.load(Ordering::Relaxed) {
            true => 200,
            false => status.unwrap_or(receipt.status),
        };
        receipt.error = error.map(Code::as_str);
        receipt.usage = self.meter.usage();
        if let (Some(ticket), None) = (ticket, receipt.reused) {
            let told = |usage: canon::Usage| usage.input.saturating_add(usage.output);
            ticket.took(receipt.usage.map_or_else(|| self.meter.estimated_output(), told));
        }
        if let Some(hold) = self.hold.take() {
            hold.settle(self.meter.taken(outcome == Outcome::Completed));
        }
        receipt.losses.extend(self.meter.losses().clone());
        let bill = self.tab.close(&self.meter, outcome == Outcome::Completed);
        // What was made for another request was paid for by that one.
        let free = receipt.reused.map(|_| Usd::ZERO);
        receipt.cost = free.or_else(|| bill.map(|bill| bill.cost));
        receipt.cost_estimated =
            bill.is_some_and(|bill| bill.estimated || is_usage_estimated(&receipt.losses));
        receipt.first_content_ms = self.meter.first_content_ms();
        receipt.total_ms = self.meter.elapsed_ms();
        receipt.bytes_out = self.meter.bytes();
        if let Some(last) = receipt.attempts.last_mut()
            && last.fault.is_none()
        {
            last.took_ms = receipt.total_ms.saturating_sub(last.started_ms);
        }
        if self.unlogged {
            receipt.forget_words();
        }
        if let Some(tape) = self.tape.take() {
            tape.end(&receipt.id, receipt.at, receipt.status);
        }
        log(&receipt);
        self.sink.record(receipt);
    }
}

/// Whether the hub counted the tokens itself, which a translation says when its provider did not.
fn is_usage_estimated(losses: &Losses) -> bool {
    losses.iter().any(|loss| loss.how == How::Changed && loss.what == "usage")
}

impl Drop for Settlement {
    fn drop(&mut self) {
        self.finish(Outcome::ClientLeft, None, Some(Code::ClientClosed));
    }
}

fn log(receipt: &Receipt) {
    if !events::wants_finished() {
        return;
    }
    let why: Vec<String> = receipt
        .attempts
        .iter()
        .filter_map(|attempt| {
            let kind = attempt.fault?;
            Some(format!(
                "{} {kind} ({})",
                attempt.connection,
                attempt.message.as_deref().unwrap_or_default()
            ))
        })
        .chain(receipt.skipped.iter().map(|skip| {
            // The whole reason was logged when the cooldown began.
            let kind = skip.reason.split(':').next().unwrap_or_default();
            format!("{} left out ({kind})", skip.connection)
        }))
        .collect();
    events::finished(&events::Finished {
        request: &receipt.id,
        trace: receipt.trace.map(|context| trace::shown(context.trace)).as_deref(),
        caller: &receipt.caller,
        model: &receipt.model,
        outcome: receipt.error.unwrap_or(receipt.outcome.as_str()),
        status: receipt.status,
        connection: receipt
            .attempts
            .last()
            .filter(|attempt| attempt.fault.is_none())
            .map(|attempt| &*attempt.connection),
        attempts: receipt.attempts.len(),
        why: &why.join("; "),
        took_ms: receipt.total_ms,
    });
}

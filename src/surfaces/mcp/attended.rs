//! Work that a client waits for: it is told how far it has come, and the work stops when the client does not wait any more.

use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use rmcp::{
    ErrorData, RoleServer,
    model::{ProgressNotificationParam, ProgressToken},
    service::RequestContext,
};
use tokio::{
    select,
    sync::mpsc,
    time::{Instant, interval_at, timeout},
};

use crate::ops::ports::Progress;

/// How often a client is told that a call is still being worked on: many give up after a minute without a word.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// How long a client may take to hear that.
const HEARING: Duration = Duration::from_secs(5);

/// Reports that wait for a client that reads slowly. More are dropped.
const WAITING: usize = 64;

/// What counts as a step where nothing better is known: progress has to grow with every notice.
const STEP: f64 = 0.01;

/// How far something is.
struct Report {
    done: f64,
    total: Option<f64>,
    message: String,
}

/// Passes on what the work reports.
struct Pipe(mpsc::Sender<Report>);

impl Progress for Pipe {
    fn report(&self, done: f64, total: Option<f64>, message: String) {
        // Whoever does not read misses some.
        drop(self.0.try_send(Report { done, total, message }));
    }
}

/// Does the work that `begin` begins with somebody to report to, if the client wants to know.
pub(super) async fn attended<T, W>(
    context: &RequestContext<RoleServer>,
    begin: impl FnOnce(Option<Arc<dyn Progress>>) -> W,
) -> Result<T, ErrorData>
where
    W: Future<Output = T>,
{
    let cancelled = || ErrorData::internal_error("the call was cancelled", None);
    let Some(token) = context.meta.get_progress_token() else {
        return select! {
            done = begin(None) => Ok(done),
            () = context.ct.cancelled() => Err(cancelled()),
        };
    };
    let (pipe, reports) = mpsc::channel(WAITING);
    let work = begin(Some(Arc::new(Pipe(pipe))));
    select! {
        done = work => Ok(done),
        () = context.ct.cancelled() => Err(cancelled()),
        never = tell(context, token, reports) => match never {},
    }
}

/// Tells the client what is reported, and that the work goes on when nothing is.
async fn tell(
    context: &RequestContext<RoleServer>,
    token: ProgressToken,
    mut reports: mpsc::Receiver<Report>,
) -> Infallible {
    let begun = Instant::now();
    let mut signs = interval_at(begun + SIGN_OF_LIFE, SIGN_OF_LIFE);
    let mut last = 0.0;
    loop {
        let report = select! {
            Some(report) = reports.recv() => {
                signs.reset();
                report
            }
            _ = signs.tick() => {
                let seconds = begun.elapsed().as_secs();
                Report { done: seconds as f64, total: None, message: format!("at work for {seconds} s") }
            }
        };
        let grows = report.done > last;
        last = if grows { report.done } else { last + STEP };
        let mut notice = ProgressNotificationParam::new(token.clone(), last).with_message(report.message);
        notice.total = report.total.filter(|total| grows && *total >= last);
        // The work goes on beside this: a client that does not read does not hold it up.
        drop(timeout(HEARING, context.peer.notify_progress(notice)).await);
    }
}

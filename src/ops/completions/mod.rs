//! Operations that ask models: requests of the hub's own making, which go the way of every request (policy, budgets, plan,
//! attempts, receipt) and are answered with what became of them.

mod routed;
mod search;
mod test;
mod witness;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use canon::{Dialect, sse};
use futures_util::StreamExt;
use http::HeaderMap;
use operations::completions::{ChatMessage, RouteRequestArgs, RoutedAnswer, Speaker, WorkKind};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    OpError,
    ports::{Progress, Said, Speech, Uttered},
    registry::Asked,
};
use crate::engine::{
    Engine,
    need::Wishes,
    pipeline::{Inbound, Piece, Pieces},
    ports::{Request, Task},
    receipt::Receipt,
    refusal::Refusal,
    reuse::Freshness,
    settings::Usd,
    task::TaskKind,
};

pub use witness::Witness;

/// How long the answer of a stream may hold its status back; nobody waits for a status here.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// In front of a combo's name, so that nothing else is meant.
const COMBO: &str = "combo/";

/// Executes the operations that ask models.
pub struct Completions {
    engine: Arc<Engine>,
    speech: Arc<dyn Speech>,
    witness: Arc<Witness>,
}

/// A request that an operation makes.
struct Question {
    body: Map<String, Value>,
    wishes: Wishes,
    /// Whether the web must be searched for it.
    searches: Option<&'static str>,
    /// What it says of answers that were made before.
    freshness: Freshness,
    /// Who is told of each piece of the answer.
    progress: Option<Arc<dyn Progress>>,
}

/// What became of it.
struct Outcome {
    id: String,
    /// What was said, or why nothing was.
    said: Result<Said, Box<Refusal>>,
    /// The receipt; absent only where the hub is about to stop.
    receipt: Option<Receipt>,
}

impl Completions {
    /// Operations on an engine whose receipts go past `witness`.
    #[must_use]
    pub fn new(engine: Arc<Engine>, speech: Arc<dyn Speech>, witness: Arc<Witness>) -> Self {
        Self { engine, speech, witness }
    }

    /// Has a conversation answered.
    ///
    /// # Errors
    /// What the model API would refuse it with.
    pub async fn route(&self, asked: &Asked, args: RouteRequestArgs) -> Result<RoutedAnswer, OpError> {
        let combo = args.combo.as_deref().map(|combo| combo.strip_prefix(COMBO).unwrap_or(combo).to_owned());
        let model = match (&combo, args.model) {
            (Some(combo), _) => format!("{COMBO}{combo}"),
            (None, model) => model.unwrap_or_default(),
        };
        let mut body = conversation(&model, &args.messages);
        if let Some(most) = args.max_tokens {
            body.insert("max_tokens".to_owned(), most.into());
        }
        let streams = args.stream;
        if streams {
            body.insert("stream".to_owned(), true.into());
            body.insert("stream_options".to_owned(), json!({"include_usage": true}));
        }
        let wishes = Wishes {
            max_cost: args.budget.and_then(Usd::from_dollars).map(Usd::pico),
            task: args.role.map(task),
            ..Wishes::default()
        };
        let progress = asked.progress.clone().filter(|_| streams);
        let done = self
            .ask(asked, Question { body, wishes, searches: None, freshness: Freshness::default(), progress })
            .await?;
        routed::answer(done, combo.or_else(|| self.combo_of(&model)), &asked.caller)
    }

    /// The combo that a name means, if it does.
    fn combo_of(&self, name: &str) -> Option<String> {
        let snapshot = self.engine.snapshot();
        let name = snapshot.meaning(name);
        let name = name.strip_prefix(COMBO).unwrap_or(name);
        let mut combos = snapshot.settings.combos.iter();
        combos.find(|combo| *combo.id == *name).map(|combo| combo.id.to_string())
    }

    /// Makes a request and follows it to its end. Dropping this is how its client leaves.
    async fn ask(&self, asked: &Asked, question: Question) -> Result<Outcome, OpError> {
        let id = format!("req_{}", Uuid::now_v7().simple());
        let snapshot = self.engine.snapshot();
        let Uttered { body, facts, shaped } = self
            .speech
            .utter(&snapshot, question.body)
            .map_err(|refusal| OpError::Denied(Box::new(refusal)))?;
        drop(snapshot);
        let stream = facts.stream;
        let inbound = Inbound {
            id: id.clone(),
            client_request_id: asked.request_id.as_deref().map(str::to_owned),
            caller: asked.caller.clone(),
            request: Request {
                dialect: Dialect::Chat,
                task: Task::Generate,
                body,
                facts: Arc::new(facts),
                headers: HeaderMap::new(),
                searches: question.searches.is_some(),
                keeps: false,
                shaping: None,
            },
            pin: None,
            tag: question.searches,
            session: None,
            trace: None,
            wishes: (question.wishes != Wishes::default()).then(|| Box::new(question.wishes)),
            keep_alive: KEEP_ALIVE,
            freshness: question.freshness,
            shaped,
            ticket: None,
        };
        let awaited = self.witness.await_receipt(&id);
        // On the heap: the way of a request is a large future, and this one waits within others.
        let said = match Box::pin(self.engine.generate(inbound)).await {
            Ok(reply) if stream => self.listen(reply.pieces, question.progress.as_deref()).await,
            Ok(reply) => whole(reply.pieces).await.map(|body| self.speech.read(&body)),
            Err(refusal) => Err(Box::new(refusal)),
        };
        Ok(Outcome { id, said, receipt: awaited.receipt().await })
    }

    /// Puts the pieces of a stream together, and tells of each.
    async fn listen(
        &self,
        mut pieces: Pieces,
        progress: Option<&dyn Progress>,
    ) -> Result<Said, Box<Refusal>> {
        let (mut all, mut splitter, mut heard) = (Said::default(), sse::Splitter::default(), 0.0);
        while let Some(piece) = pieces.next().await {
            match piece {
                Piece::Bytes(bytes) => splitter.push(bytes),
                Piece::KeepAlive => continue,
                Piece::Broke(refusal) => return Err(refusal),
            }
            while let Some(event) = splitter.next_event() {
                let Some(data) = sse::data(&event) else { continue };
                let said = self.speech.read(&data);
                if let Some(progress) = progress.filter(|_| !said.text.is_empty()) {
                    heard += 1.0;
                    progress.report(heard, None, said.text.clone());
                }
                all.text.push_str(&said.text);
                all.model = all.model.or(said.model);
                all.finish = said.finish.or(all.finish);
                all.cited.extend(said.cited);
            }
        }
        Ok(all)
    }
}

/// The body of a request for an answer to a conversation.
fn conversation(model: &str, messages: &[ChatMessage]) -> Map<String, Value> {
    let messages: Vec<Value> = messages
        .iter()
        .map(|message| {
            let role = match message.role {
                Speaker::System => "system",
                Speaker::User => "user",
                Speaker::Assistant => "assistant",
            };
            json!({"role": role, "content": message.content})
        })
        .collect();
    [("model".to_owned(), model.into()), ("messages".to_owned(), messages.into())].into_iter().collect()
}

/// The kind of task that a kind of work comes closest to.
pub(in crate::ops) const fn task(work: WorkKind) -> TaskKind {
    match work {
        WorkKind::Coding | WorkKind::Debugging => TaskKind::Coding,
        WorkKind::Review | WorkKind::Analysis => TaskKind::Analysis,
        WorkKind::Planning => TaskKind::Reasoning,
        WorkKind::Documentation => TaskKind::Summary,
    }
}

/// An answer in one piece.
async fn whole(mut pieces: Pieces) -> Result<Bytes, Box<Refusal>> {
    let mut body = Vec::new();
    while let Some(piece) = pieces.next().await {
        match piece {
            Piece::Bytes(bytes) => body.extend_from_slice(&bytes),
            Piece::KeepAlive => {}
            Piece::Broke(refusal) => return Err(refusal),
        }
    }
    Ok(body.into())
}

//! What A2A's public conformance suites want an agent to do, in place of the hub's skills: each message names a script by the
//! beginning of its id, or of its text. In builds for tests alone (the feature `conformance`).

use std::{sync::Arc, time::Duration};

use a2a::model::{Artifact, Content, Message, Part, Role, SendMessage, TaskState};
use futures_core::future::BoxFuture;
use serde_json::json;
use tokio::time::sleep;

use crate::ops::tasks::{Sink, SinkError, TaskExecutor, Work};

/// One thing that happens.
#[derive(Clone, Copy)]
enum Step {
    Status(TaskState),
    /// A last status with a word.
    Say(TaskState, &'static str),
    Text(&'static str),
    Piece(&'static str, bool),
    File,
    Url,
    Data,
    Wait(Duration),
}

use Step::{Data, File, Piece, Say, Status, Text, Url, Wait};

const WORKING: Step = Status(TaskState::Working);
const DONE: Step = Status(TaskState::Completed);

/// The scripts of the suite of 1.0. Of several that fit the first one counts.
const SCRIPTS: &[(&str, &[Step])] = &[
    ("tck-complete-task", &[Say(TaskState::Completed, "Hello from TCK")]),
    ("tck-artifact-text", &[Text("Generated text content"), DONE]),
    ("tck-artifact-file-url", &[Url, DONE]),
    ("tck-artifact-file", &[File, DONE]),
    ("tck-artifact-data", &[Data, DONE]),
    ("tck-input-required", &[Status(TaskState::InputRequired)]),
    ("tck-reject-task", &[Say(TaskState::Rejected, "rejected")]),
    ("tck-stream-001", &[WORKING, Text("Stream hello from TCK"), DONE]),
    ("tck-stream-002", &[DONE]),
    ("tck-stream-003", &[WORKING, Text("Stream task lifecycle"), DONE]),
    ("tck-stream-ordering-001", &[WORKING, Text("Ordered output"), DONE]),
    ("tck-stream-artifact-text", &[WORKING, Text("Streamed text content"), DONE]),
    ("tck-stream-artifact-file", &[WORKING, File, DONE]),
    ("tck-stream-artifact-chunked", &[WORKING, Piece("chunk-1 ", false), Piece("chunk-2", true), DONE]),
    ("test-resubscribe-message-id", &[WORKING, Wait(Duration::from_secs(6)), DONE]),
];

/// What the suite of 0.3 wants of any other message: a task that can be cancelled, and gone on with.
const ORDINARY: &[Step] = &[WORKING, Wait(Duration::from_secs(3)), Status(TaskState::InputRequired)];

/// One message is the whole answer to these.
const BARE: &str = "tck-message-response";

/// Who plays the scripts.
struct Player;

pub(super) fn in_place_of(_own: Arc<dyn TaskExecutor>) -> Arc<dyn TaskExecutor> {
    Arc::new(Player)
}

/// Whether a message names a script.
fn names(request: &SendMessage, script: &str) -> bool {
    let text = request.message.parts.iter().find_map(Part::as_text).unwrap_or_default();
    request.message.id.starts_with(script) || text.starts_with(script)
}

impl TaskExecutor for Player {
    fn run(&self, work: Work) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            if names(&work.request, BARE) {
                let message = said("Direct message response");
                // Nobody is there to be told that it did not go well.
                drop(work.sink.message(message).await);
                return;
            }
            let script = SCRIPTS.iter().find(|(name, _)| names(&work.request, name));
            let steps = script.map_or(ORDINARY, |(_, steps)| steps);
            for step in steps {
                if play(&work.sink, *step).await.is_err() {
                    return;
                }
            }
        })
    }

    fn answers_bare(&self, request: &SendMessage) -> bool {
        names(request, BARE)
    }

    /// The suites use the same ids again and again, for other things.
    fn knows_repeats(&self) -> bool {
        false
    }
}

async fn play(sink: &Sink, step: Step) -> Result<(), SinkError> {
    match step {
        Status(state) => drop(sink.status(state, None, None).await?),
        Say(state, text) => drop(sink.status(state, Some(said(text)), None).await?),
        Text(text) => tell(sink, Part::text(text), false, true).await?,
        Piece(text, last) => tell(sink, Part::text(text), last, last).await?,
        File => tell(sink, file(Content::Raw("T3V0cHV0IGZpbGU=".to_owned())), false, true).await?,
        Url => {
            tell(sink, file(Content::Url("https://example.com/output.txt".to_owned())), false, true).await?;
        }
        Data => tell(sink, Part::data(json!({"key": "value", "count": 42})), false, true).await?,
        Wait(time) => sleep(time).await,
    }
    Ok(())
}

async fn tell(sink: &Sink, part: Part, append: bool, last: bool) -> Result<(), SinkError> {
    let artifact = Artifact {
        id: "output".to_owned(),
        name: Some("output".to_owned()),
        description: None,
        parts: vec![part],
        metadata: None,
        extensions: Vec::new(),
    };
    sink.artifact(artifact, append, last, None).await.map(drop)
}

fn file(content: Content) -> Part {
    Part {
        filename: Some("output.txt".to_owned()),
        media_type: Some("text/plain".to_owned()),
        ..Part::of(content)
    }
}

fn said(text: &str) -> Message {
    Message::new(String::new(), Role::Agent, vec![Part::text(text)])
}

//! What is asked, whatever dialect it was asked in: all that an answer depends on.
//!
//! Each dialect reads its own requests into this, after it has refused what its vendor refuses.

use serde_json::Value;

/// One request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ask {
    /// The model, as it was named.
    pub(super) model: String,
    /// Whether the answer is to come in pieces.
    pub(super) stream: bool,
    /// The conversation.
    pub(super) lines: Vec<Line>,
    /// How many answers.
    pub(super) n: usize,
    /// The most tokens that an answer may have.
    pub(super) max_tokens: Option<usize>,
    /// Texts before which an answer ends.
    pub(super) stop: Vec<String>,
    /// The tools on offer that the client runs.
    pub(super) tools: Vec<Tool>,
    /// Which of them is wanted.
    pub(super) choice: Choice,
    /// Whether several tools may be called at once.
    pub(super) parallel: bool,
    /// What form the text is to have.
    pub(super) format: Format,
    /// Whether the model is to think first.
    pub(super) thinks: bool,
    /// Whether the vendor's own web search is on offer.
    pub(super) search: Search,
    /// How ids of calls begin, and how many letters follow.
    pub(super) call_id: (&'static str, usize),
    /// The tokens up to each cache mark, and a hash of what stands before it.
    pub(super) cache: Vec<CacheMark>,
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Who speaks.
    pub(super) speaker: Speaker,
    /// The text parts, joined.
    pub(super) text: String,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speaker {
    /// Whoever set the conversation up.
    System,
    /// The user.
    User,
    /// The model.
    Model,
    /// A tool that was called.
    Tool,
}

/// A tool that the model may call and the client runs.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tool {
    /// Its name.
    pub(super) name: String,
    /// The group it is in, where the dialect has such.
    pub(super) namespace: Option<String>,
    /// The JSON Schema of its arguments.
    pub(super) parameters: Value,
    /// Whether it takes free text instead of JSON.
    pub(super) custom: bool,
}

impl Tool {
    /// A function.
    pub(super) fn function(name: &str, parameters: Option<&Value>) -> Self {
        let parameters = parameters.cloned().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
        Self { name: name.to_owned(), namespace: None, parameters, custom: false }
    }
}

/// Whether a tool is to be called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Choice {
    /// As the model likes.
    #[default]
    Auto,
    /// No.
    None,
    /// One of them.
    Required,
    /// This one.
    Named(String),
}

/// The form of the answer's text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Format {
    /// Free.
    #[default]
    Text,
    /// Any JSON object.
    Object,
    /// JSON after this schema.
    Schema(Value),
}

/// Whether the vendor's web search may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Search {
    /// It is not on offer.
    #[default]
    No,
    /// If the model likes.
    Offered,
    /// It has to be.
    Forced,
}

/// A place up to which the prompt is to be cached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CacheMark {
    /// Tokens before it.
    pub(super) tokens: u64,
    /// Hash of what stands before it.
    pub(super) hash: u64,
}

impl Ask {
    /// The last thing that was said by anyone but the system; an instruction at the very end does not change the topic.
    pub(super) fn last(&self) -> Option<&Line> {
        self.lines.iter().rfind(|line| line.speaker != Speaker::System).or(self.lines.last())
    }

    /// The text of the last thing said, if the user said it.
    pub(super) fn user(&self) -> Option<&str> {
        self.last().filter(|last| last.speaker == Speaker::User).map(|last| last.text.as_str())
    }

    /// Whether the user's last words contain one of these, in whatever case.
    pub(super) fn mentions(&self, words: &[&str]) -> bool {
        let Some(text) = self.user().map(str::to_lowercase) else { return false };
        words.iter().any(|word| text.contains(word))
    }

    /// Adds what was said.
    pub(super) fn say(&mut self, speaker: Speaker, text: impl Into<String>) {
        self.lines.push(Line { speaker, text: text.into() });
    }

    /// Adds what the model said; what it said just before belongs to the same message.
    pub(super) fn model_says(&mut self, text: &str) {
        match self.lines.last_mut() {
            Some(last) if last.speaker == Speaker::Model => last.text.push_str(text),
            _ => self.say(Speaker::Model, text),
        }
    }

    /// A fair guess at the tokens of the prompt, the same in all dialects: four bytes each, and a few around every
    /// message.
    pub(super) fn prompt_tokens(&self) -> u64 {
        let text: u64 = self.lines.iter().map(|line| message_tokens(&line.text)).sum();
        let tools: u64 = self.tools.iter().map(Tool::tokens).sum();
        3 + text + tools
    }
}

impl Tool {
    /// The tokens that its definition costs.
    pub(super) fn tokens(&self) -> u64 {
        self.parameters.to_string().len().div_ceil(4) as u64
    }
}

/// The tokens of one message.
pub(super) fn message_tokens(text: &str) -> u64 {
    4 + text.len().div_ceil(4) as u64
}

//! Decides what is said: a text or a tool call, made from the seed and the request alone.

use serde_json::Value;

use super::super::dice::Dice;
use super::request::{ChatRequest, Format};
use super::schema;
use super::tools::ToolChoice;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Reply {
    /// What is said.
    pub(in super::super) said: Said,
    /// Why it ends.
    pub(in super::super) finish: &'static str,
    /// Tokens that it cost.
    pub(in super::super) tokens: u64,
}

/// What is said, in the pieces in which a stream says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Said {
    /// A text.
    Text(Vec<String>),
    /// A call of a tool.
    Call {
        /// The call's id.
        id: String,
        /// The tool's name.
        name: String,
        /// Its arguments, JSON when put together.
        arguments: Vec<String>,
    },
}

impl Reply {
    /// Content chunks in which a stream says it.
    pub(in super::super) fn pieces(&self) -> usize {
        match &self.said {
            Said::Text(pieces) => pieces.len(),
            Said::Call { arguments, .. } => arguments.len() + 1,
        }
    }
}

/// The most content chunks of one answer.
const MOST_CHUNKS: usize = 10_000;

const WORDS: [&str; 24] = [
    "roads",
    "meet",
    "where",
    "the",
    "river",
    "turns",
    "and",
    "every",
    "traveller",
    "finds",
    "a",
    "way",
    "to",
    "carry",
    "good",
    "news",
    "over",
    "quiet",
    "hills",
    "before",
    "evening",
    "comes",
    "with",
    "light",
];

/// The `index`th answer to a request, in `chunks` pieces if that is set.
pub(in super::super) fn compose(
    request: &ChatRequest,
    seed: u64,
    index: usize,
    chunks: Option<usize>,
) -> Reply {
    let last = request.messages.last().map_or("", |last| last.text.as_str());
    let mut dice =
        Dice::new(seed, &[request.model.as_bytes(), last.as_bytes(), &(index as u64).to_le_bytes()]);
    let chunks = chunks.map(|chunks| chunks.min(MOST_CHUNKS));
    if let Some(call) = call(request, &mut dice, chunks) {
        return call;
    }
    let (mut pieces, enough) = match text(request, &mut dice) {
        Some(text) => (words(&text), false),
        None => (drawn(chunks, &mut dice), true),
    };
    let stopped = cut_at_stop(&mut pieces, &request.stop);
    let mut finish = "stop";
    if let Some(most) = request.max_tokens.filter(|most| *most < pieces.len()) {
        pieces.truncate(most);
        finish = "length";
    }
    let tokens = pieces.len() as u64;
    let whole = enough && !stopped && finish == "stop";
    if let Some(chunks) = chunks.filter(|_| !whole) {
        pieces = split(&pieces.concat(), chunks);
    }
    Reply { said: Said::Text(pieces), finish, tokens }
}

/// The call of a tool, if the request offers one and asks for it.
fn call(request: &ChatRequest, dice: &mut Dice, chunks: Option<usize>) -> Option<Reply> {
    let asked = request.last("user")?;
    let (tool, finish) = match &request.tool_choice {
        ToolChoice::None => return None,
        ToolChoice::Required => (request.tools.first()?, "tool_calls"),
        // A call that the client itself named is no decision of the model, and ends as a text does.
        ToolChoice::Named(name) => (request.tools.iter().find(|tool| tool.name == *name)?, "stop"),
        ToolChoice::Auto => {
            let asked = asked.to_lowercase();
            let wants = asked.contains("tool") || asked.contains("weather");
            (request.tools.first().filter(|_| wants)?, "tool_calls")
        }
    };
    let arguments = schema::sample(&tool.parameters, dice).to_string();
    let tokens = arguments.len().div_ceil(4) as u64 + 4;
    let pieces = chunks.unwrap_or_else(|| arguments.len().div_ceil(6));
    let said = Said::Call {
        id: dice.id("call_", 24),
        name: tool.name.clone(),
        arguments: split(&arguments, pieces),
    };
    Some(Reply { said, finish, tokens })
}

/// The text that the request determines; otherwise one is drawn.
fn text(request: &ChatRequest, dice: &mut Dice) -> Option<String> {
    let last = request.messages.last()?;
    if last.role == "tool" {
        return Some(format!("The tool answered: {}", last.text));
    }
    if let Some((_, echo)) = last.text.split_once("echo: ") {
        return Some(echo.trim().to_owned());
    }
    match &request.format {
        Format::Text => None,
        Format::Object => Some(Value::from_iter([("answer", drawn(None, dice).concat())]).to_string()),
        Format::Schema(schema) => Some(schema::sample(schema, dice).to_string()),
    }
}

/// Words with the space that follows the one before.
fn drawn(count: Option<usize>, dice: &mut Dice) -> Vec<String> {
    let count = count.unwrap_or_else(|| 8 + dice.below(9));
    (0..count)
        .map(|at| {
            let word = dice.pick(&WORDS);
            if at == 0 { word.to_owned() } else { format!(" {word}") }
        })
        .collect()
}

/// A text in words, each with the white space before it, as tokens are.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut spaces = true;
    for letter in text.chars() {
        let space = letter.is_whitespace();
        match words.last_mut() {
            Some(word) if spaces || !space => word.push(letter),
            _ => words.push(letter.to_string()),
        }
        spaces = space;
    }
    words
}

/// A text in `count` pieces of about the same length, or in letters if there are fewer.
fn split(text: &str, count: usize) -> Vec<String> {
    let letters: Vec<char> = text.chars().collect();
    let count = count.min(letters.len());
    (0..count)
        .map(|at| letters[at * letters.len() / count..(at + 1) * letters.len() / count].iter().collect())
        .collect()
}

/// Ends the text before the first stop text; says whether there was one.
fn cut_at_stop(pieces: &mut Vec<String>, stops: &[String]) -> bool {
    let text = pieces.concat();
    let first =
        stops.iter().filter(|stop| !stop.is_empty()).filter_map(|stop| text.find(stop.as_str())).min();
    if let Some(at) = first {
        *pieces = words(&text[..at]);
    }
    first.is_some()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn reply(extra: &Value, content: &str, chunks: Option<usize>) -> Reply {
        let mut body = json!({"model": "m", "messages": [{"role": "user", "content": content}]});
        for (name, value) in extra.as_object().unwrap() {
            body[name] = value.clone();
        }
        compose(&ChatRequest::read(body.to_string().as_bytes()).unwrap(), 1, 0, chunks)
    }

    fn pieces(reply: Reply) -> Vec<String> {
        match reply.said {
            Said::Text(pieces) => pieces,
            Said::Call { arguments, .. } => arguments,
        }
    }

    #[test]
    fn texts_repeat_and_differ() {
        let none = json!({});
        assert_eq!(reply(&none, "hi", None), reply(&none, "hi", None));
        assert_ne!(reply(&none, "hi", None), reply(&none, "ho", None));
        assert_eq!(pieces(reply(&none, "hi", Some(100))).len(), 100);
        assert_eq!(pieces(reply(&none, "please echo: one  two", None)), ["one", "  two"]);
        assert_eq!(pieces(reply(&none, "echo: abcdef", Some(3))), ["ab", "cd", "ef"]);
    }

    #[test]
    fn max_tokens_and_stop_shorten() {
        let short = reply(&json!({"max_tokens": 2}), "echo: one two three", None);
        assert_eq!((short.finish, short.tokens), ("length", 2));
        assert_eq!(pieces(short), ["one", " two"]);
        let newer = reply(&json!({"max_tokens": 2, "max_completion_tokens": 1}), "echo: one two three", None);
        assert_eq!(pieces(newer), ["one"]);
        let stopped = reply(&json!({"stop": ["three", " two"]}), "echo: one two three", None);
        assert_eq!(stopped.finish, "stop");
        assert_eq!(pieces(stopped), ["one"]);
    }

    #[test]
    fn tools_are_called_when_asked_for() {
        let tools = json!([
            {"type": "function", "function": {"name": "sun", "parameters": {"type": "object", "properties": {"city": {"const": "Rome"}}}}},
            {"type": "function", "function": {"name": "rain"}}]);
        let name = |extra: Value, content| match reply(&extra, content, None) {
            Reply { said: Said::Call { name, arguments, .. }, finish, .. } => {
                Some((name, arguments.concat(), finish))
            }
            _ => None,
        };
        let sun = Some(("sun".to_owned(), r#"{"city":"Rome"}"#.to_owned(), "tool_calls"));
        assert_eq!(name(json!({"tools": tools}), "What is the Weather like?"), sun);
        assert_eq!(name(json!({"tools": tools}), "hello"), None);
        assert_eq!(name(json!({"tools": tools, "tool_choice": "required"}), "hello"), sun);
        assert_eq!(name(json!({"tools": tools, "tool_choice": "none"}), "use a tool"), None);
        let named =
            json!({"tools": tools, "tool_choice": {"type": "function", "function": {"name": "rain"}}});
        assert_eq!(name(named, "hello"), Some(("rain".to_owned(), "{}".to_owned(), "stop")));
    }

    #[test]
    fn formats_are_kept() {
        let object = pieces(reply(&json!({"response_format": {"type": "json_object"}}), "hi", None)).concat();
        assert!(serde_json::from_str::<Value>(&object).unwrap()["answer"].is_string());
        let schema = json!({"type": "object", "properties": {"a": {"const": 1}}});
        let format = json!({"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}});
        assert_eq!(pieces(reply(&format, "hi", None)).concat(), r#"{"a":1}"#);
    }
}

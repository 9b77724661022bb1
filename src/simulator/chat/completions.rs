//! The older completions: a prompt instead of a conversation, one text instead of a message.

use serde_json::{Map, Value, json};

use super::super::ask::{Ask, Speaker};
use super::super::dice::Dice;
use super::super::player::Kind;
use super::super::problem::{Problem, Voice};
use super::super::reply::{End, Reply};
use super::super::speech::{Answer, Mark, Speech};
use super::request::{
    flag, include_usage, max_tokens, missing, model, object, ranges, stop, whole, wrong_type,
};
use super::wire::Usage;

/// A request for completions.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct CompletionRequest {
    ask: Ask,
    include_usage: bool,
    echo: bool,
}

/// The tokens that a completion has if the request does not say.
const USUAL_TOKENS: usize = 16;

impl CompletionRequest {
    /// Reads a body.
    pub(in super::super) fn read(body: &[u8]) -> Result<Self, Problem> {
        let body = object(body)?;
        let model = model(&body)?;
        let stream = flag(&body, "stream")?;
        ranges(&body)?;
        let mut ask = Ask {
            model,
            stream,
            n: whole(&body, "n", 1, 128)?.unwrap_or(1),
            max_tokens: Some(max_tokens(&body)?.unwrap_or(USUAL_TOKENS)),
            stop: stop(&body)?,
            ..Ask::default()
        };
        ask.say(Speaker::User, prompt(&body)?);
        Ok(Self { ask, include_usage: include_usage(&body, stream)?, echo: flag(&body, "echo")? })
    }

    fn object(&self, answer: &Answer<'_>, choices: &[Value], usage: Option<Option<Usage>>) -> Value {
        let mut object = json!({
            "id": answer.dice.clone().id("cmpl-", 29),
            "object": "text_completion",
            "created": answer.now,
            "model": self.ask.model,
            "choices": choices,
            "system_fingerprint": Dice::new(answer.seed, &[b"fingerprint"]).id("fp_", 10),
        });
        if let Some(usage) = usage {
            object["usage"] = serde_json::to_value(usage).unwrap_or_default();
        }
        object
    }

    fn text(&self, reply: &Reply) -> String {
        let prompt = self.ask.user().filter(|_| self.echo).unwrap_or("");
        format!("{prompt}{}", reply.text.concat())
    }
}

fn prompt(body: &Map<String, Value>) -> Result<String, Problem> {
    match body.get("prompt") {
        None | Some(Value::Null) => Err(missing("prompt")),
        Some(Value::String(prompt)) => Ok(prompt.clone()),
        Some(Value::Array(prompts)) if prompts.len() == 1 && prompts.iter().all(Value::is_string) => {
            Ok(prompts.iter().filter_map(Value::as_str).collect())
        }
        Some(other) => Err(wrong_type("prompt", "one of a string or array of one string", other)),
    }
}

fn choice(index: usize, text: &str, end: Option<&End>) -> Value {
    let reason = end.map(|end| if *end == End::Length { "length" } else { "stop" });
    json!({"text": text, "index": index, "logprobs": null, "finish_reason": reason})
}

impl Speech for CompletionRequest {
    fn ask(&self) -> &Ask {
        &self.ask
    }

    fn whole(&self, answer: &Answer<'_>) -> String {
        let replies = answer.replies.iter().enumerate();
        let choices = replies.map(|(index, reply)| choice(index, &self.text(reply), Some(&reply.end)));
        let choices: Vec<Value> = choices.collect();
        self.object(answer, &choices, answer.usage.map(|usage| Some(usage.into()))).to_string()
    }

    fn stream(&self, answer: &Answer<'_>) -> Vec<Mark> {
        let usage = answer.usage.filter(|_| self.include_usage);
        let none = usage.map(|_| None);
        let chunk = |choice| self.object(answer, &[choice], none).to_string();
        let mut marks = Vec::new();
        for (index, reply) in answer.replies.iter().enumerate() {
            if self.echo {
                let prompt = self.ask.user().unwrap_or("");
                marks.push(Mark::data(Kind::Other, &chunk(choice(index, prompt, None))));
            }
            for (at, piece) in reply.text.iter().enumerate() {
                if at > 0 {
                    marks.push(Mark::Pause);
                }
                marks.push(Mark::data(Kind::Content, &chunk(choice(index, piece, None))));
            }
            marks.push(Mark::data(Kind::Finish, &chunk(choice(index, "", Some(&reply.end)))));
        }
        if let Some(usage) = usage {
            let object = self.object(answer, &[], Some(Some(usage.into())));
            marks.push(Mark::data(Kind::Usage, &object.to_string()));
        }
        marks.push(Mark::data(Kind::Done, "[DONE]"));
        marks
    }

    fn failure(&self, _answer: &Answer<'_>, problem: &Problem, _begun: bool) -> String {
        format!("data: {}\n\n", problem.json(Voice::Openai))
    }
}

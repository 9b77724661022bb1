//! Answers to generateContent requests: whole, as events, or as one array that grows.

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::dice::Dice;
use super::super::player::Kind;
use super::super::problem::{Problem, Voice};
use super::super::reply::{Call, End, Reply, SOURCE, SOURCE_TITLE};
use super::super::speech::{Answer, Mark, Speech, Usage};
use super::request::GenerateRequest;
use super::signature::sign;

impl GenerateRequest {
    /// An object with these candidates.
    fn object(&self, answer: &Answer<'_>, candidates: &[Value], usage: Option<Usage>) -> Value {
        let mut object = json!({"candidates": candidates});
        if let Some(usage) = usage {
            object["usageMetadata"] = metadata(usage);
        }
        object["modelVersion"] = json!(self.ask.model);
        object["responseId"] = json!(answer.dice.clone().id("", 24));
        object
    }

    /// The parts that calls are; the first carries the signature of what was thought.
    fn calls(&self, reply: &Reply, dice: &mut Dice) -> Vec<Value> {
        let mut parts: Vec<Value> = reply.calls.iter().map(|call| self.call(call)).collect();
        if let Some(first) = parts.first_mut().filter(|_| self.signs) {
            first["thoughtSignature"] = json!(sign(&self.maker, first, dice.next()));
        }
        parts
    }

    fn call(&self, call: &Call) -> Value {
        let args: Value = serde_json::from_str(&call.arguments.concat()).unwrap_or_else(|_| json!({}));
        let mut function = json!({"name": call.name, "args": args});
        if self.has_ids {
            function["id"] = json!(call.id);
        }
        json!({"functionCall": function})
    }

    fn thoughts<'a>(&self, reply: &'a Reply) -> &'a [String] {
        if self.shows_thoughts { &reply.thinking } else { &[] }
    }

    /// The text, with the signature that belongs to it if there is one.
    fn last_text(&self, reply: &Reply, text: &str, dice: &mut Dice) -> Value {
        let mut part = json!({"text": text});
        if !reply.thinking.is_empty() {
            part["thoughtSignature"] = json!(sign(&self.maker, &part, dice.next()));
        }
        part
    }

    fn parts(&self, reply: &Reply, dice: &mut Dice) -> Vec<Value> {
        let thought = self.thoughts(reply).concat();
        let mut parts = Vec::new();
        if !thought.is_empty() {
            parts.push(json!({"text": thought, "thought": true}));
        }
        if reply.calls.is_empty() {
            parts.push(self.last_text(reply, &reply.text.concat(), dice));
        }
        parts.extend(self.calls(reply, dice));
        parts
    }
}

fn candidate(index: usize, parts: &[Value]) -> Value {
    json!({"content": {"parts": parts, "role": "model"}, "index": index})
}

/// Adds why a candidate ends, and what it rests on.
fn ended(mut candidate: Value, reply: &Reply) -> Value {
    candidate["finishReason"] = json!(match reply.end {
        End::Length => "MAX_TOKENS",
        End::Refused => "SAFETY",
        _ => "STOP",
    });
    let words = reply.text.concat();
    if let Some(query) = &reply.search {
        candidate["groundingMetadata"] = json!({
            "webSearchQueries": [query],
            "searchEntryPoint": {"renderedContent": "<div>Search</div>"},
            "groundingChunks": [{"web": {"uri": SOURCE, "title": SOURCE_TITLE}}],
            "groundingSupports": [{
                "segment": {"startIndex": 0, "endIndex": words.len(), "text": words},
                "groundingChunkIndices": [0],
            }],
        });
    } else if reply.cited {
        let source = json!({"startIndex": 0, "endIndex": words.len(), "uri": SOURCE});
        candidate["citationMetadata"] = json!({"citationSources": [source]});
    }
    candidate
}

/// A candidate that was withheld.
fn withheld(index: usize, reply: &Reply) -> Value {
    let rating =
        json!({"category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true});
    ended(json!({"index": index, "safetyRatings": [rating]}), reply)
}

fn metadata(usage: Usage) -> Value {
    let mut object = json!({
        "promptTokenCount": usage.input,
        "candidatesTokenCount": usage.output - usage.thinking,
        "totalTokenCount": usage.input + usage.output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.input}],
    });
    if usage.thinking > 0 {
        object["thoughtsTokenCount"] = json!(usage.thinking);
    }
    object
}

/// Puts objects on the wire, as events or as the elements of an array.
struct Wire {
    events: bool,
    begun: bool,
}

impl Wire {
    fn put(&mut self, object: &Value) -> String {
        if self.events {
            return format!("data: {object}\r\n\r\n");
        }
        let before = if std::mem::replace(&mut self.begun, true) { ",\r\n" } else { "[" };
        format!("{before}{object}")
    }
}

impl Speech for GenerateRequest {
    fn ask(&self) -> &Ask {
        &self.ask
    }

    fn stream_type(&self) -> &'static str {
        if self.events { "text/event-stream" } else { "application/json; charset=UTF-8" }
    }

    fn whole(&self, answer: &Answer<'_>) -> String {
        let mut dice = answer.dice.clone();
        let replies = answer.replies.iter().enumerate();
        let candidates: Vec<Value> = replies
            .map(|(index, reply)| match reply.end {
                End::Refused => withheld(index, reply),
                _ => ended(candidate(index, &self.parts(reply, &mut dice)), reply),
            })
            .collect();
        self.object(answer, &candidates, answer.usage).to_string()
    }

    fn stream(&self, answer: &Answer<'_>) -> Vec<Mark> {
        let mut dice = answer.dice.clone();
        let mut wire = Wire { events: self.events, begun: false };
        let mut marks = Vec::new();
        let prompt = answer.usage.map(|usage| Usage { output: 0, thinking: 0, ..usage });
        let last = answer.replies.len().saturating_sub(1);
        for (index, reply) in answer.replies.iter().enumerate() {
            let mut said: Vec<Value> = Vec::new();
            let mut end = withheld(index, reply);
            if reply.end != End::Refused {
                let thoughts = self.thoughts(reply).iter();
                said.extend(thoughts.map(|piece| json!({"text": piece, "thought": true})));
                said.extend(reply.text.iter().map(|piece| json!({"text": piece})));
                said.extend(self.calls(reply, &mut dice));
                let part = if reply.calls.is_empty() {
                    self.last_text(reply, "", &mut dice)
                } else {
                    json!({"text": ""})
                };
                end = ended(candidate(index, &[part]), reply);
            }
            for (at, part) in said.into_iter().enumerate() {
                if at > 0 {
                    marks.push(Mark::Pause);
                }
                let object = self.object(answer, &[candidate(index, &[part])], prompt);
                marks.push(Mark::Send(Kind::Content, wire.put(&object)));
            }
            let usage = if index == last { answer.usage } else { prompt };
            marks.push(Mark::Send(Kind::Done, wire.put(&self.object(answer, &[end], usage))));
        }
        if !self.events {
            marks.push(Mark::Send(Kind::Other, "]".to_owned()));
        }
        marks
    }

    fn failure(&self, _answer: &Answer<'_>, problem: &Problem, begun: bool) -> String {
        let mut wire = Wire { events: self.events, begun };
        let written = wire.put(&problem.value(Voice::Gemini));
        if self.events { written } else { format!("{written}]") }
    }
}

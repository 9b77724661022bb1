//! Answers to Messages requests, in the order of the wire.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use super::super::ask::Ask;
use super::super::player::Kind;
use super::super::problem::{Problem, Voice};
use super::super::speech::{Answer, Mark, Speech, named_event};
use super::super::store::Memory;
use super::request::MessagesRequest;
use super::wire::{blocks, details, stop, usage};

impl MessagesRequest {
    /// The message without content.
    fn message(&self, answer: &Answer<'_>) -> Value {
        json!({
            "id": answer.dice.clone().id("msg_", 24),
            "type": "message",
            "role": "assistant",
            "model": self.ask.model,
            "content": [],
            "stop_reason": null,
            "stop_sequence": null,
        })
    }
}

fn event(kind: Kind, name: &str, data: &Value) -> Mark {
    Mark::Send(kind, named_event(name, &data.to_string()))
}

impl Speech for MessagesRequest {
    fn ask(&self) -> &Ask {
        &self.ask
    }

    fn whole(&self, answer: &Answer<'_>) -> String {
        let mut message = self.message(answer);
        if let Some(reply) = answer.reply() {
            let blocks = blocks(self, reply, &mut answer.dice.clone());
            message["content"] = blocks.into_iter().map(|block| block.whole).collect();
            let (reason, sequence) = stop(&reply.end);
            message["stop_reason"] = json!(reason);
            message["stop_sequence"] = json!(sequence);
            if let Some(details) = details(&reply.end) {
                message["stop_details"] = details;
            }
            if let Some(counted) = answer.usage {
                message["usage"] = usage(self, counted, counted.output, reply.search.is_some());
            }
        }
        message.to_string()
    }

    fn stream(&self, answer: &Answer<'_>) -> Vec<Mark> {
        let Some(reply) = answer.reply() else { return Vec::new() };
        let mut message = self.message(answer);
        if let Some(counted) = answer.usage {
            message["usage"] = usage(self, counted, 1, false);
        }
        let start = json!({"type": "message_start", "message": message});
        let mut marks = vec![event(Kind::Role, "message_start", &start)];
        let mut first = true;
        let mut content = |marks: &mut Vec<Mark>, counts: bool| {
            if counts && !std::mem::replace(&mut first, false) {
                marks.push(Mark::Pause);
            }
            if counts { Kind::Content } else { Kind::Other }
        };
        for (index, block) in blocks(self, reply, &mut answer.dice.clone()).into_iter().enumerate() {
            let start = json!({"type": "content_block_start", "index": index, "content_block": block.start});
            let kind = content(&mut marks, block.speaks);
            marks.push(event(kind, "content_block_start", &start));
            if index == 0 {
                marks.push(event(Kind::Other, "ping", &json!({"type": "ping"})));
            }
            for (counts, delta) in block.deltas {
                let kind = content(&mut marks, counts);
                let delta = json!({"type": "content_block_delta", "index": index, "delta": delta});
                marks.push(event(kind, "content_block_delta", &delta));
            }
            let stop = json!({"type": "content_block_stop", "index": index});
            marks.push(event(Kind::Other, "content_block_stop", &stop));
        }
        let (reason, sequence) = stop(&reply.end);
        let mut end =
            json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": sequence}});
        if let Some(details) = details(&reply.end) {
            end["delta"]["stop_details"] = details;
        }
        if let Some(counted) = answer.usage {
            end["usage"] = usage(self, counted, counted.output, reply.search.is_some());
        }
        marks.push(event(Kind::Finish, "message_delta", &end));
        marks.push(event(Kind::Done, "message_stop", &json!({"type": "message_stop"})));
        marks
    }

    fn keep(&self, answer: &Answer<'_>, memory: &Mutex<Memory>) {
        let (Some((key, held)), Some(reply)) = (&self.thread, answer.reply()) else { return };
        let blocks = blocks(self, reply, &mut answer.dice.clone());
        let content: Value = blocks.into_iter().map(|block| block.whole).collect();
        let mut held = held.clone();
        if let Some(messages) = held["messages"].as_array_mut() {
            messages.push(json!({"role": "assistant", "content": content}));
        }
        if let Some(id) = self.message(answer)["id"].as_str() {
            memory.lock().unwrap_or_else(PoisonError::into_inner).hold(key, id, held);
        }
    }

    fn failure(&self, _answer: &Answer<'_>, problem: &Problem, _begun: bool) -> String {
        named_event("error", &problem.json(Voice::Anthropic))
    }
}

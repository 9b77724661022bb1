//! Answers to chat requests, in the order of the wire.

use super::super::ask::Ask;
use super::super::dice::Dice;
use super::super::player::Kind;
use super::super::problem::{Problem, Voice};
use super::super::speech::{Answer, Mark, Speech};
use super::request::ChatRequest;
use super::wire::{Chunks, Head, completion};

impl ChatRequest {
    fn head(&self, answer: &Answer<'_>) -> Head {
        Head {
            id: answer.dice.clone().id("chatcmpl-", 29),
            created: answer.now,
            model: self.ask.model.clone(),
            fingerprint: Dice::new(answer.seed, &[b"fingerprint"]).id("fp_", 10),
        }
    }
}

impl Speech for ChatRequest {
    fn ask(&self) -> &Ask {
        &self.ask
    }

    fn whole(&self, answer: &Answer<'_>) -> String {
        completion(&self.head(answer), answer.replies, answer.usage.map(Into::into))
    }

    fn stream(&self, answer: &Answer<'_>) -> Vec<Mark> {
        let usage = answer.usage.filter(|_| self.include_usage);
        let head = self.head(answer);
        let chunks = Chunks::new(&head, usage.is_some());
        let replies = || answer.replies.iter().enumerate();
        let mut marks: Vec<Mark> =
            replies().map(|(index, reply)| Mark::data(Kind::Role, &chunks.role(index, reply))).collect();
        let mut contents: Vec<_> =
            replies().map(|(index, reply)| chunks.contents(index, reply).into_iter()).collect();
        // Several answers come side by side, as they do from a real provider.
        let longest = contents.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        for at in 0..longest {
            if at > 0 {
                marks.push(Mark::Pause);
            }
            let next = contents.iter_mut().filter_map(Iterator::next);
            marks.extend(next.map(|chunk| Mark::data(Kind::Content, &chunk)));
        }
        let sources = replies().filter_map(|(index, reply)| chunks.sources(index, reply));
        marks.extend(sources.map(|chunk| Mark::data(Kind::Other, &chunk)));
        marks.extend(replies().map(|(index, reply)| Mark::data(Kind::Finish, &chunks.finish(index, reply))));
        if let Some(usage) = usage {
            marks.push(Mark::data(Kind::Usage, &chunks.usage(usage.into())));
        }
        marks.push(Mark::data(Kind::Done, "[DONE]"));
        marks
    }

    fn failure(&self, _answer: &Answer<'_>, problem: &Problem, _begun: bool) -> String {
        format!("data: {}\n\n", problem.json(Voice::Openai))
    }
}

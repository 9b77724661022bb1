//! Thoughts of another maker, put together again. They reach a client in pieces, as any text does, with the signature
//! behind them; SDKs keep each piece, some as a content of its own, and some clients keep none. Their maker wants them back
//! as one: as they came within the signature, else put together of the pieces.

use canon::{Block, Kind, Message, Role, Thinking};

use crate::generate::{hints, part::CARRIED};

/// Joins the pieces before each signature with a maker's name. Thoughts of the target's own are left as they stood.
pub(super) fn join(messages: &mut [Message]) {
    let named = |block: &Block| matches!(&block.kind, Kind::Thinking(thinking) if is_named(thinking));
    if !messages.iter().any(|message| message.blocks.iter().any(named)) {
        return;
    }
    let mut pieces: Vec<String> = Vec::new();
    let mut taken: Vec<(usize, usize)> = Vec::new();
    let mut places: Vec<(usize, usize)> = Vec::new();
    for (at, message) in messages.iter_mut().enumerate() {
        for (number, block) in message.blocks.iter_mut().enumerate() {
            let Kind::Thinking(thinking) = &mut block.kind else {
                forget(&mut pieces, &mut places);
                continue;
            };
            if message.role != Role::Assistant {
                continue;
            }
            match &thinking.signature {
                None => {
                    places.push((at, number));
                    pieces.push(thinking.text.clone());
                }
                Some(_) if is_named(thinking) && !thinking.redacted => {
                    if hints::hint(&block.rest, CARRIED).is_none() {
                        thinking.text.insert_str(0, &pieces.concat());
                    }
                    taken.append(&mut places);
                    pieces.clear();
                }
                Some(_) => forget(&mut pieces, &mut places),
            }
        }
        if message.role != Role::Assistant {
            forget(&mut pieces, &mut places);
        }
    }
    remove(messages, &taken);
}

fn forget(pieces: &mut Vec<String>, places: &mut Vec<(usize, usize)>) {
    pieces.clear();
    places.clear();
}

/// Removes the blocks at `places`, which are in order.
fn remove(messages: &mut [Message], places: &[(usize, usize)]) {
    let mut places = places.iter().copied().peekable();
    for (at, message) in messages.iter_mut().enumerate() {
        let mut number = 0;
        message.blocks.retain(|_| {
            let goes = places.next_if_eq(&(at, number)).is_some();
            number += 1;
            !goes
        });
    }
}

fn is_named(thinking: &Thinking) -> bool {
    thinking.signature.as_ref().is_some_and(|signature| signature.maker.is_some())
}

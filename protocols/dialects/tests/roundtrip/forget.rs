//! A turn without what a list of losses names, as the target must have understood it. Nothing is forgotten that is not
//! declared: a loss that an encoder keeps to itself makes the comparison fail.

mod media;
mod settings;

use canon::{Block, Dialect, Kind, Losses, Message, Role, Signature, ToolCall, ToolResult, Turn, names};
use serde_json::{Value, json};

use crate::alike::{Way, changed, lost};

/// What the target understands of `turn`, if it understands all but these losses.
pub(crate) fn forget(turn: &Turn, way: Way, losses: &Losses) -> Turn {
    let mut turn = turn.clone();
    let mut forgetting = Forgetting { way, losses };
    settings::forget(&mut turn, way, losses);
    if way.from == way.to {
        forgetting.foreign_thoughts(&mut turn);
        return turn;
    }
    forgetting.hoist(&mut turn);
    turn.instructions = forgetting.blocks(std::mem::take(&mut turn.instructions), Role::System);
    for message in &mut turn.messages {
        message.blocks = forgetting.blocks(std::mem::take(&mut message.blocks), message.role);
    }
    turn.messages.retain(|message| !message.blocks.is_empty());
    forgetting.roles(&mut turn);
    turn
}

/// Whether the tool loop at the end begins without a thought. Messages takes the thoughts out of all of such a loop where
/// it would have to think by a budget.
pub(crate) fn lacks_thought(turn: &Turn) -> bool {
    let first = turn.messages.get(loop_start(turn)).and_then(|message| message.blocks.first());
    first.is_some_and(|block| !matches!(block.kind, Kind::Thinking(_)))
}

/// Takes the thoughts out of the loop at the end.
pub(crate) fn strip_loop(turn: &mut Turn) {
    let start = loop_start(turn);
    for message in turn.messages.iter_mut().skip(start) {
        message.blocks.retain(|block| !matches!(block.kind, Kind::Thinking(_)));
    }
    turn.messages.retain(|message| !message.blocks.is_empty());
}

/// Where the loop at the end begins; behind the end if there is none.
fn loop_start(turn: &Turn) -> usize {
    let mut start = turn.messages.len();
    for (at, message) in turn.messages.iter().enumerate().rev() {
        match message.role {
            Role::Assistant if start == turn.messages.len() && at + 1 == start => return start,
            Role::Assistant => start = at,
            Role::User if !message.blocks.iter().any(|it| matches!(it.kind, Kind::ToolResult(_))) => break,
            _ => {}
        }
    }
    start
}

struct Forgetting<'a> {
    way: Way,
    losses: &'a Losses,
}

impl Forgetting<'_> {
    fn lost(&self, what: &str) -> bool {
        lost(self.losses, what)
    }

    fn changed(&self, what: &str) -> bool {
        changed(self.losses, what)
    }

    /// Whether the target takes a signature.
    fn is_own(&self, signature: &Signature) -> bool {
        signature.is_of("m", self.way.from == self.way.to)
    }

    /// Within one dialect only the thoughts of other makers go.
    fn foreign_thoughts(&mut self, turn: &mut Turn) {
        for message in &mut turn.messages {
            let blocks = std::mem::take(&mut message.blocks);
            message.blocks = blocks.into_iter().filter_map(|block| self.signed(block)).collect();
        }
        turn.messages.retain(|message| !message.blocks.is_empty());
    }

    /// A block with its signature as the target gets it; `None` where it is a thought of another maker.
    fn signed(&self, mut block: Block) -> Option<Block> {
        let native = self.way.from == self.way.to;
        match &mut block.kind {
            Kind::Thinking(thinking) => {
                // Chat has no place for a signed thought but its own.
                let possible = native || self.way.to != Dialect::Chat;
                let own = thinking.signature.as_ref().map_or(native, |signature| self.is_own(signature));
                if !(own && possible) && self.lost("thinking") {
                    return None;
                }
                let bare = |signature: Signature| Signature { maker: None, ..signature };
                thinking.signature = thinking.signature.take().map(bare);
            }
            Kind::ToolCall(call) => {
                let possible = matches!(self.way.to, Dialect::Chat | Dialect::Gemini);
                if let Some(signature) = call.signature.take() {
                    let kept = (possible && self.is_own(&signature)) || !self.lost("thinking.signature");
                    call.signature = kept.then_some(Signature { maker: None, ..signature });
                }
            }
            _ => {}
        }
        Some(block)
    }

    /// Where the system prompt stands apart, the leading system messages go there.
    fn hoist(&self, turn: &mut Turn) {
        if !matches!(self.way.to, Dialect::Messages | Dialect::Gemini) {
            return;
        }
        let used = turn.hoisted().1;
        let leading: Vec<Message> = turn.messages.drain(..used).collect();
        turn.instructions.extend(leading.into_iter().flat_map(|message| message.blocks));
    }

    fn blocks(&self, blocks: Vec<Block>, role: Role) -> Vec<Block> {
        let mut said: Vec<Block> = blocks
            .into_iter()
            .filter_map(|block| self.signed(block))
            .filter_map(|block| self.block(block, role))
            .collect();
        let mut hoisted = Vec::new();
        for block in &mut said {
            if let Kind::ToolResult(result) = &mut block.kind {
                self.hoisted(result, &mut hoisted);
            }
        }
        if role == Role::User {
            // Results come first, then what cannot stand in them, then what else is said.
            let (mut first, others): (Vec<_>, Vec<_>) =
                said.into_iter().partition(|block| matches!(block.kind, Kind::ToolResult(_)));
            first.append(&mut hoisted);
            first.extend(others);
            said = first;
        }
        self.joined(said, role)
    }

    fn block(&self, mut block: Block, role: Role) -> Option<Block> {
        if self.lost("cache_control") && self.way.to != Dialect::Messages {
            block.cache = None;
        }
        block.kind = match block.kind {
            Kind::Text { text, mut citations } => {
                if self.lost("citations") {
                    citations.clear();
                }
                let letters = text.chars().count() as u64;
                for citation in citations.iter_mut().filter(|_| self.changed("citations")) {
                    (citation.quote, citation.span) = (None, Some(citation.span.unwrap_or((0, letters))));
                }
                if self.way.to == Dialect::Messages && text.trim().is_empty() {
                    // It says nothing.
                    return None;
                }
                Kind::Text { text, citations }
            }
            Kind::Refusal(text) if self.refuses_in_text() && self.changed("refusal") => {
                Kind::Text { text, citations: Vec::new() }
            }
            Kind::ToolCall(call) => Kind::ToolCall(self.call(call)),
            Kind::ToolResult(result) => Kind::ToolResult(self.result(result)),
            Kind::Opaque { value, .. } => {
                let kind = canon::names::kind_of(&value);
                if self.lost(&format!("content.{kind}")) {
                    return None;
                }
                Kind::Opaque { dialect: self.way.from, value }
            }
            Kind::Image(_) | Kind::File(_) | Kind::Audio(_) | Kind::Video(_) => {
                return media::seen(block, role, self.way, self.losses);
            }
            other => other,
        };
        Some(block)
    }

    fn refuses_in_text(&self) -> bool {
        matches!(self.way.to, Dialect::Messages | Dialect::Gemini)
    }

    fn call(&self, mut call: ToolCall) -> ToolCall {
        let own_namespaces = self.way.to == Dialect::Responses;
        let namespace = call.namespace.take_if(|_| !own_namespaces);
        call.name = names::flat(namespace.as_deref(), &call.name).into_owned();
        if call.custom && !own_namespaces {
            call.custom = false;
            call.arguments = json!({names::CUSTOM_INPUT: call.arguments}).to_string();
        }
        let broken = !call.custom
            && !call.arguments.is_empty()
            && !serde_json::from_str::<Value>(&call.arguments).is_ok_and(|value| value.is_object());
        if broken && self.changed("arguments") {
            let field = if self.way.to == Dialect::Messages { "_raw" } else { names::CUSTOM_INPUT };
            call.arguments = json!({field: call.arguments}).to_string();
        }
        call
    }

    fn result(&self, mut result: ToolResult) -> ToolResult {
        if self.lost("is_error") {
            result.failed = false;
        }
        result.custom &= self.way.to == Dialect::Responses;
        let content = std::mem::take(&mut result.content);
        result.content = content.into_iter().filter_map(|block| self.block(block, Role::User)).collect();
        let texts = result.content.iter().all(|block| block.as_text().is_some());
        match self.way.to {
            Dialect::Chat if texts || self.changed("content.tool_result") => {
                join(&mut result.content, "\n\n");
            }
            Dialect::Gemini => {
                join(&mut result.content, "\n");
                // The response stands before its media.
                result.content.sort_by_key(|block| block.as_text().is_none());
            }
            _ => {}
        }
        result
    }

    /// Takes out of a result what the target has no place for in one.
    fn hoisted(&self, result: &mut ToolResult, hoisted: &mut Vec<Block>) {
        let may_stay = match self.way.to {
            Dialect::Chat => false,
            Dialect::Gemini => self.way.model.contains("gemini-3"),
            Dialect::Messages | Dialect::Responses => true,
        };
        if may_stay || !self.changed("content.tool_result") {
            return;
        }
        let (texts, media) = std::mem::take(&mut result.content)
            .into_iter()
            .partition::<Vec<_>, _>(|block| block.as_text().is_some());
        result.content = texts;
        hoisted.extend(media);
    }

    /// Blocks in the order and the number in which the target has them.
    fn joined(&self, mut blocks: Vec<Block>, role: Role) -> Vec<Block> {
        match (self.way.to, role) {
            (Dialect::Chat, Role::Assistant) => {
                blocks.sort_by_key(|block| match block.kind {
                    Kind::Refusal(_) => 1,
                    Kind::ToolCall(_) => 2,
                    _ => 0,
                });
                join(&mut blocks, "");
                let refusals = blocks.iter().filter(|block| matches!(block.kind, Kind::Refusal(_))).count();
                if refusals > 1 {
                    join_refusals(&mut blocks);
                }
            }
            (Dialect::Chat, Role::System | Role::Developer) => join(&mut blocks, "\n\n"),
            _ => {}
        }
        blocks
    }

    fn roles(&self, turn: &mut Turn) {
        if self.way.to == Dialect::Responses {
            join(&mut turn.instructions, "\n\n");
        }
        if !matches!(self.way.to, Dialect::Messages | Dialect::Gemini) {
            return;
        }
        if self.changed("role") {
            let later = turn.messages.iter_mut();
            later
                .filter(|message| matches!(message.role, Role::System | Role::Developer))
                .for_each(|message| message.role = Role::User);
        }
        if self.way.to == Dialect::Messages {
            *turn = std::mem::take(turn).normalised();
            self.go_on(turn);
            turn.messages.retain(|message| !message.blocks.is_empty());
        } else if turn.messages.is_empty() && self.changed("role") {
            turn.messages.push(Message::new(Role::User, std::mem::take(&mut turn.instructions)));
        }
    }

    /// What Messages makes of a beginning and an end that are the model's.
    fn go_on(&self, turn: &mut Turn) {
        if turn.messages.first().is_none_or(|first| first.role != Role::User) && self.changed("messages") {
            turn.messages.insert(0, Message::new(Role::User, vec![Block::text("Continue.")]));
        }
        let Some(last) = turn.messages.last_mut().filter(|last| last.role == Role::Assistant) else { return };
        while self.lost("thinking") && last.blocks.pop_if(|it| matches!(it.kind, Kind::Thinking(_))).is_some()
        {
        }
        if let Some(Block { kind: Kind::Text { text, .. }, .. }) = last.blocks.last_mut()
            && self.changed("messages")
        {
            text.truncate(text.trim_end().len());
        }
    }
}

/// Makes one text of all.
fn join(blocks: &mut Vec<Block>, between: &str) {
    let texts: Vec<String> = blocks.iter().filter_map(|block| block.as_text().map(str::to_owned)).collect();
    if texts.len() < 2 {
        return;
    }
    let place = blocks.iter().position(|block| block.as_text().is_some()).unwrap_or(0);
    blocks.retain(|block| block.as_text().is_none());
    blocks.insert(place, Block::text(texts.join(between)));
}

fn join_refusals(blocks: &mut Vec<Block>) {
    let mut whole = String::new();
    let place = blocks.iter().position(|block| matches!(block.kind, Kind::Refusal(_))).unwrap_or(0);
    blocks.retain(|block| match &block.kind {
        Kind::Refusal(text) => {
            whole.push_str(text);
            false
        }
        _ => true,
    });
    blocks.insert(place, Block::new(Kind::Refusal(whole)));
}

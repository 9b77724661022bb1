//! How the signature of a tool call survives a client of this dialect, whose tool calls have no place for one.
//!
//! Clients must send every `redacted_thinking` block back unchanged and in its place, and all do, since thinking with
//! tools breaks otherwise. So the signature travels as the data of such a block directly before the call, with its
//! maker's name in front and a mark that tells it from redacted thoughts that crossed dialects. Other places were
//! worse: ids have a length limit, unknown fields are dropped by typed SDKs, and state in the hub does not survive it.

use canon::{Signature, Thinking};

/// What stands before the data. Redacted thoughts are base64 and cannot begin so.
const MARK: &str = "call.";

/// The data of the block that carries `signature`; `None` where nobody knows whose it is.
pub(super) fn written(signature: &Signature) -> Option<String> {
    signature.maker.as_ref()?;
    let marked = Signature { data: format!("{MARK}{}", signature.data), maker: signature.maker.clone() };
    Some(marked.written())
}

/// Whether a thought is such a block.
pub(super) fn is_one(thinking: &Thinking) -> bool {
    thinking.redacted
        && thinking
            .signature
            .as_ref()
            .is_some_and(|signature| signature.maker.is_some() && signature.data.starts_with(MARK))
}

/// The signature that such a block carries.
pub(super) fn unpacked(thinking: Thinking) -> Option<Signature> {
    let mut signature = thinking.signature?;
    signature.data.drain(..MARK.len().min(signature.data.len()));
    Some(signature)
}

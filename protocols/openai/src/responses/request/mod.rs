//! Requests: read into the canonical turn, and written from it.

mod choice;
mod decode;
mod echo;
mod encode;
mod settings;
mod tools;

pub use decode::decode;
pub(super) use echo::defaults;
pub use encode::encode;

/// Names of the hints on spelling.
mod hint {
    /// How the input was written, where it was no list: `string` or `absent`.
    pub(super) const INPUT: &str = "$input";
    /// That the instructions were there, but empty.
    pub(super) const INSTRUCTIONS: &str = "$instructions";
    /// That `stream` was there, and false.
    pub(super) const STREAM: &str = "$stream";
    /// The name of the field in which the user's id stood.
    pub(super) const USER: &str = "$user";
    /// That the list of tools was there, but empty.
    pub(super) const TOOLS: &str = "$tools";
    /// That `text` was there, with nothing beside its format.
    pub(super) const TEXT: &str = "$text";
    /// What the name of an unknown field of `text.format` begins with: no hint, so that losing it is declared.
    pub(super) const FORMAT: &str = "text.format.";
    /// The choice of a tool as it was written, where it cannot be told from what it means.
    pub(super) const CHOICE: &str = "$tool_choice";
    /// Items that bring tools, and where they stand in the input.
    pub(super) const PLACED: &str = "$additional_tools";
    /// On a tool that an item of the input brought.
    pub(super) const BROUGHT: &str = "$additional";
    /// On the first tool of a namespace.
    pub(super) const NAMESPACE: &str = "$namespace";
    /// The type of a built-in web search.
    pub(super) const TYPE: &str = "$type";
    /// The word for how long the summary of thoughts is to be.
    pub(super) const SUMMARY: &str = "$summary";
}

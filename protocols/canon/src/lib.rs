//! The meeting point of the wire dialects: the words that every dialect and the engine share. No dialect's JSON
//! lives here, and nothing here does I/O.
//!
//! Two layers. What every request passes, also where nothing is translated: [`Facts`] of a request, [`Frame`]s of an
//! answer, and the small tools that find them in bytes. And what translation meets in: a [`Turn`] asked for, an
//! [`Answer`] given, or the [`Event`]s in which it is given, each made of [`Block`]s that are richer than any one
//! dialect. What a dialect cannot say is a [`Loss`], and is declared.

mod answer;
mod asked;
mod block;
mod decode;
mod dialect;
mod edit;
mod event;
mod facts;
mod fields;
mod fold;
mod frame;
pub mod look;
mod loss;
mod message;
pub mod names;
mod piece;
mod provenance;
mod rest;
pub mod scan;
pub mod schema;
mod sequence;
mod settings;
pub mod sse;
mod target;
pub mod tokens;
mod tool;
mod turn;
mod usage;

pub use answer::{Answer, Stop};
pub use asked::{Asked, ToolName};
pub use block::{Block, Citation, Kind, Media, Source, Thinking, ToolCall, ToolResult};
pub use decode::{AnswerError, DecodeError};
pub use dialect::{Dialect, UnknownDialect};
pub use edit::{Edit, patched, rename, without_extension};
pub use event::{Delta, Event, Opening};
pub use facts::{EXTENSION, Facts, Spans};
pub use fields::Fields;
pub use fold::Fold;
pub use frame::{Frame, Mark};
pub use loss::{How, Loss, Losses};
pub use message::{Message, Role};
pub use piece::{Piece, UnaryError};
pub use provenance::Signature;
pub use rest::Rest;
pub use scan::{MODEL_LIMIT, ScanError};
pub use sequence::Sequence;
pub use settings::{Effort, Format, Reasoning, Sampling};
pub use target::{Quirks, Target};
pub use tool::{Tool, ToolChoice, ToolKind};
pub use turn::{Encoded, Turn};
pub use usage::Usage;

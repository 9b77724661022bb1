//! Events on the wire: named, typed and numbered.

use serde_json::{Map, Value};

/// Numbers the events of one stream.
#[derive(Debug, Default)]
pub(super) struct Wire {
    next: u64,
    /// Whether nothing is to be written, since only the end matters.
    pub(super) quiet: bool,
}

impl Wire {
    /// Numbers from `next` on.
    pub(super) const fn from(next: u64) -> Self {
        Self { next, quiet: false }
    }

    /// Appends an event.
    pub(super) fn emit(&mut self, kind: &str, fields: Map<String, Value>, out: &mut Vec<u8>) {
        let number = self.next;
        self.next += 1;
        if self.quiet {
            return;
        }
        let mut data = Map::new();
        data.insert("type".to_owned(), kind.into());
        data.insert("sequence_number".to_owned(), number.into());
        data.extend(fields);
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        out.extend_from_slice(Value::Object(data).to_string().as_bytes());
        out.extend_from_slice(b"\n\n");
    }
}

/// The fields of an event.
pub(super) fn fields<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Where an event belongs.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The id of its item.
    pub(super) id: String,
    /// The number of its item.
    pub(super) output: usize,
}

impl Place {
    /// The fields of an event of this item.
    pub(super) fn fields<const N: usize>(&self, pairs: [(&str, Value); N]) -> Map<String, Value> {
        let mut map = fields([("item_id", self.id.as_str().into()), ("output_index", self.output.into())]);
        map.extend(fields(pairs));
        map
    }

    /// Says that the item is there, as it is now.
    pub(super) fn added(&self, item: Value, wire: &mut Wire, out: &mut Vec<u8>) {
        let fields = fields([("output_index", self.output.into()), ("item", item)]);
        wire.emit("response.output_item.added", fields, out);
    }

    /// Says that the item is complete.
    pub(super) fn done(&self, item: Value, wire: &mut Wire, out: &mut Vec<u8>) {
        let fields = fields([("output_index", self.output.into()), ("item", item)]);
        wire.emit("response.output_item.done", fields, out);
    }
}

//! What a connection serves.

use std::sync::Arc;

use super::MODELS;
use crate::{
    config::{
        effective::Sink,
        fields::{Fields, Written},
        mask::shown,
        origin::Origin,
    },
    engine::settings::{Models, Provider},
};

/// The user's list, which is closed; without one the catalogue's, which is not.
pub(super) fn read(fields: &Fields<'_>, provider: &Provider, sink: &mut Sink) -> Models {
    let path = fields.path_of(&MODELS);
    let Some(node) = fields.node(&MODELS) else {
        let listed: Vec<Arc<str>> = provider.models.iter().map(|model| Arc::from(model.as_str())).collect();
        sink.holds(path, &MODELS, format!("{} and any other", in_brackets(&listed)), Origin::Catalogue);
        return Models { listed, open: true };
    };
    let mut listed: Vec<Arc<str>> = Vec::new();
    let written = fields.texts(sink, &MODELS);
    if node.value.is_empty_list() {
        let remedy = "name the models, or remove `models` to serve all that the provider has";
        sink.problems.error(&path, &node.origin, "the list of models is empty", remedy);
    }
    for Written { value, origin } in written.unwrap_or_default() {
        if !is_name(&value) {
            let message = format!("{} cannot be a model's name", shown(&value));
            sink.problems.error(&path, &origin, message, "write the name as the provider spells it");
        } else if listed.iter().any(|known| **known == *value) {
            let message = format!("the model {} is listed twice", shown(&value));
            sink.problems.warning(&path, &origin, message, "remove one of them");
        } else {
            listed.push(Arc::from(value));
        }
    }
    sink.holds(path, &MODELS, in_brackets(&listed), node.origin.clone());
    Models { listed, open: false }
}

fn is_name(text: &str) -> bool {
    (1..=256).contains(&text.len()) && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

fn in_brackets(models: &[Arc<str>]) -> String {
    format!("[{}]", models.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "))
}

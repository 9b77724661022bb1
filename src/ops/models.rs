//! Operations on models: what is served by whom.

use std::collections::BTreeMap;

use operations::{
    Scope,
    models::{Capability, ListModels, ModelPage, ModelView, ServedBy},
};

use super::{OpError, error::require, page::page};
use crate::engine::{
    Engine,
    caller::Caller,
    modality::{self, Modality},
    settings::{Catalogue, Connection, Hidden, Usd},
};

/// Lists every model with who serves it, or to those who may not see connections, what they may ask for.
///
/// # Errors
/// When such a one asks for those of a connection.
pub fn list(engine: &Engine, caller: &Caller, args: &ListModels) -> Result<ModelPage, OpError> {
    let topology = caller.may(Scope::ReadConnections);
    if args.connection.is_some() {
        require(caller, Scope::ReadConnections)?;
    }
    let snapshot = engine.snapshot();
    let hidden = &snapshot.settings.routing.hidden;
    let search = args.search.as_ref().map(|text| text.to_lowercase());
    let mut models: BTreeMap<&str, Vec<&Connection>> = BTreeMap::new();
    for connection in &snapshot.settings.connections {
        for model in &connection.models.listed {
            let wanted = search.as_deref().is_none_or(|text| model.to_lowercase().contains(text))
                && args.provider.as_ref().is_none_or(|provider| *provider == connection.provider.id)
                && args.capability.is_none_or(|wanted| wanted == capability(model))
                && (topology || !hidden.hides(&connection.id, model));
            let serving = models.entry(model).or_default();
            if wanted && !serving.iter().any(|known| known.id == connection.id) {
                serving.push(connection);
            }
        }
    }
    if let Some(only) = args.connection.as_deref() {
        models.retain(|_, serving| serving.iter().any(|connection| *connection.id == *only));
    }
    models.retain(|model, serving| {
        !serving.is_empty() && (topology || engine.is_open_to(caller, &snapshot, model))
    });
    let (rows, next_cursor) = page(
        models.into_iter().map(|(model, serving)| (model.to_owned(), (model, serving))).collect(),
        args.cursor.as_deref(),
        args.limit,
    );
    let models = rows
        .into_iter()
        .map(|(model, serving)| {
            let served_by: Vec<ServedBy> =
                serving.into_iter().map(|one| served_by(one, model, hidden, engine.catalogue())).collect();
            let hidden = served_by.iter().all(|one| one.hidden);
            let served_by = if topology { served_by } else { without_connections(served_by) };
            ModelView { id: model.to_owned(), capability: capability(model), hidden, served_by }
        })
        .collect();
    Ok(ModelPage { models, next_cursor })
}

/// The first of each provider, without the connection.
fn without_connections(served_by: Vec<ServedBy>) -> Vec<ServedBy> {
    let mut shown: Vec<ServedBy> = Vec::new();
    for one in served_by {
        if !shown.iter().any(|known| known.provider == one.provider) {
            shown.push(ServedBy { connection: String::new(), ..one });
        }
    }
    shown
}

fn capability(model: &str) -> Capability {
    match modality::of(model) {
        Modality::Chat => Capability::Chat,
        Modality::Embedding => Capability::Embedding,
        Modality::Image => Capability::Image,
        Modality::Audio => Capability::Audio,
        Modality::Video => Capability::Video,
        Modality::Rerank => Capability::Rerank,
        Modality::Moderation => Capability::Moderation,
    }
}

fn served_by(connection: &Connection, model: &str, hidden: &Hidden, catalogue: &Catalogue) -> ServedBy {
    let facts = connection.facts_of(model);
    let about = connection.models.about.get(model);
    let (price_source, price_as_of) = teller(connection, model, catalogue).unzip();
    ServedBy {
        connection: connection.id.to_string(),
        provider: connection.provider.id.clone(),
        hidden: hidden.hides(&connection.id, model),
        context: facts.context,
        max_output: facts.max_output,
        tools: facts.tools,
        vision: facts.vision,
        structured: facts.structured,
        reasoning: facts.reasoning,
        input_per_million_usd: facts.price.map(|price| per_million(price.input)),
        output_per_million_usd: facts.price.map(|price| per_million(price.output)),
        price_source,
        price_as_of: price_as_of.flatten(),
        free: connection.is_free(&facts),
        rank: about.and_then(|about| about.rank),
        tags: about.map(|about| about.tags.clone()).unwrap_or_default(),
    }
}

/// Who says what a model costs here, and when: what differs from the catalogue is the configuration's word.
fn teller(connection: &Connection, model: &str, catalogue: &Catalogue) -> Option<(String, Option<String>)> {
    let price = connection.facts_of(model).price?;
    let (book, provider) = (catalogue.book(), connection.provider.id.as_str());
    if book.facts_of(provider, model).price != Some(price) {
        return Some(("configuration".to_owned(), None));
    }
    let teller = book.price_teller(provider, model)?;
    Some((teller.source.clone(), Some(teller.as_of.clone())))
}

fn per_million(token: Usd) -> f64 {
    token.times(1_000_000).dollars()
}

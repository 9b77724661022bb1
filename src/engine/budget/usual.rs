//! How long the answers of a model usually are: what a request reserves that does not say how long its answer may be.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use super::lock;
use crate::engine::ports::Target;

/// Tokens that are assumed while nothing is known.
const ASSUMED: u64 = 1024;

/// The least that is reserved, in tokens, however short the last answers were.
const LEAST: u64 = 256;

/// Each answer moves the average by an eighth of the difference, so that about the last dozen count.
const WEIGHT: u64 = 8;

/// Models that are remembered; of further ones [`ASSUMED`] is assumed.
const MODELS: usize = 4096;

/// A running average per provider and model.
#[derive(Default)]
pub(in crate::engine) struct Usual {
    models: Mutex<HashMap<(String, Arc<str>), u64>>,
}

impl Usual {
    /// The tokens that an answer of this target usually has.
    pub(in crate::engine) fn output(&self, target: &Target) -> u64 {
        let key = (target.connection.provider.id.clone(), Arc::clone(&target.model));
        lock(&self.models).get(&key).map_or(ASSUMED, |usual| *usual).max(LEAST)
    }

    /// Learns from an answer of so many tokens.
    pub(in crate::engine) fn learn(&self, target: &Target, tokens: u64) {
        let key = (target.connection.provider.id.clone(), Arc::clone(&target.model));
        let mut models = lock(&self.models);
        if models.len() < MODELS || models.contains_key(&key) {
            let usual = models.entry(key).or_insert(tokens);
            *usual = usual.saturating_sub(usual.div_ceil(WEIGHT)).saturating_add(tokens.div_ceil(WEIGHT));
        }
    }
}

//! Puts fetched prices over the settings: whichever of the two comes anew, the other stays in force.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::settings::{PriceList, Settings};

/// The settings as they were written, and the list that lies over their catalogue.
pub(super) struct Pricing(Mutex<State>);

pub(super) struct State {
    written: Settings,
    list: Option<Arc<PriceList>>,
}

impl Pricing {
    pub(super) const fn new(written: Settings) -> Self {
        Self(Mutex::new(State { written, list: None }))
    }

    /// Held until the settings that come of it are in use, so that two changes never cross.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Takes new settings; gives them with the prices of the list.
    pub(super) fn write(&mut self, settings: Settings) -> Settings {
        self.written = settings;
        self.priced()
    }

    /// Takes another list, or none any more; gives the settings with its prices.
    pub(super) fn list(&mut self, list: Option<Arc<PriceList>>) -> Settings {
        self.list = list;
        self.priced()
    }

    fn priced(&self) -> Settings {
        let settings = self.written.clone();
        match &self.list {
            Some(list) => settings.priced(list),
            None => settings,
        }
    }
}

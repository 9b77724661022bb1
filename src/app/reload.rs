//! Takes over a configuration that changed while the hub runs.

use std::sync::Arc;

use super::configuration::{Configured, Live};
use crate::{
    config::{Loaded, Reload, Style, Watch, render_problems},
    observe::events,
};

/// Follows the configuration: a valid change takes effect for the requests that come after it, an invalid
/// one is reported and changes nothing. Never returns.
pub async fn follow(live: Arc<Live>, configured: Configured) {
    let Configured { loader, source, loaded } = configured;
    let mut watch = Watch::new(loader, source, &loaded);
    loop {
        let problems = match watch.next().await {
            Reload::Changed(Ok(loaded)) => match live.take_over(*loaded).await {
                Ok(loaded) => {
                    tell(&loaded);
                    continue;
                }
                Err(problems) => problems,
            },
            Reload::Changed(Err(problems)) => problems,
            Reload::Gone(path) => {
                events::reload_refused(&format!("{} is gone", path.display()));
                continue;
            }
        };
        events::reload_refused(&render_problems(&problems, Style::Plain));
    }
}

fn tell(loaded: &Loaded) {
    for warning in &loaded.warnings {
        events::configuration_warning(&render_problems(std::slice::from_ref(warning), Style::Plain));
    }
    events::reloaded(loaded.settings.connections.len());
}

//! Takes over a configuration that changed while the hub runs.

use std::sync::Arc;

use crate::{
    config::{Loaded, Loader, Reload, Source, Style, Watch, render_problems},
    engine::Engine,
    observe::events,
};

/// Follows the configuration: a valid change takes effect for the requests that come after it, an invalid
/// one is reported and changes nothing. Never returns.
pub async fn follow(engine: Arc<Engine>, loader: Loader, source: Source, loaded: Loaded) {
    let mut watch = Watch::new(loader, source, &loaded);
    loop {
        match watch.next().await {
            Reload::Changed(Ok(loaded)) => {
                for warning in &loaded.warnings {
                    events::configuration_warning(&render_problems(
                        std::slice::from_ref(warning),
                        Style::Plain,
                    ));
                }
                let connections = loaded.settings.connections.len();
                engine.reload(loaded.settings);
                events::reloaded(connections);
            }
            Reload::Changed(Err(problems)) => {
                events::reload_refused(&render_problems(&problems, Style::Plain));
            }
            Reload::Gone(path) => events::reload_refused(&format!("{} is gone", path.display())),
        }
    }
}

//! The configuration: the file, what was made over the API behind it, and whether each account has a credential.

use super::{Examination, Finding};
use crate::{
    app::Configured,
    config::{Loader, Source, Style, render_effective, render_problems},
    store::Glance,
};

/// Reads the file, the environment and flags.
pub(super) fn examine(loader: &Loader, source: &Source, found: &mut Examination) -> Option<Configured> {
    const CHECK: &str = "configuration";
    let loaded = match loader.load(source) {
        Ok(loaded) => loaded,
        Err(problems) => {
            let text = render_problems(&problems, Style::Plain);
            found.add(Finding::fail(
                CHECK,
                format!("it is not valid:\n{}", text.trim_end()),
                "mend it; `trivium config check` tells the same",
            ));
            return None;
        }
    };
    let from = match &loaded.file {
        Some(file) => file.display().to_string(),
        None => "no file".to_owned(),
    };
    let connections = loaded.settings.connections.len();
    found.add(if loaded.warnings.is_empty() {
        Finding::ok(CHECK, format!("{from}, {connections} connections"))
    } else {
        let text = render_problems(&loaded.warnings, Style::Plain);
        let found =
            format!("{from}, {connections} connections, and this is worth knowing:\n{}", text.trim_end());
        Finding::warn(CHECK, found, "each says what to do about it")
    });
    credentials(&loaded.settings.connections, found);
    found.settings = render_effective(&loaded.effective, true, Style::Plain);
    Some(Configured { loader: loader.clone(), source: source.clone(), loaded })
}

fn credentials(connections: &[std::sync::Arc<crate::engine::settings::Connection>], found: &mut Examination) {
    const CHECK: &str = "credentials";
    let without: Vec<&str> = connections
        .iter()
        .filter(|connection| connection.credential.is_none() && !connection.provider.is_at_home())
        .map(|connection| &*connection.id)
        .collect();
    found.add(if without.is_empty() {
        Finding::ok(CHECK, "every connection to a provider elsewhere has one; none was tried")
    } else {
        let ids = without.join(", ");
        let remedy = "give them an `api_key`, unless the provider wants none";
        Finding::warn(CHECK, format!("without one: {ids}"), remedy)
    });
}

/// What was made over the API, as the store has it.
pub(super) fn documents(configured: &Configured, glance: &Glance, found: &mut Examination) {
    const CHECK: &str = "made over the API";
    let living = glance.documents.iter().filter(|document| document.definition.is_some()).count();
    if glance.unreadable > 0 {
        let text = format!("{} definitions cannot be decrypted", glance.unreadable);
        let remedy = "put the right `secret.key` back, from a backup of the same data folder";
        found.add(Finding::fail(CHECK, text, remedy));
    }
    match configured.clone().with(&glance.documents) {
        Ok(whole) if whole.loaded.set_aside.is_empty() => {
            found.add(Finding::ok(CHECK, format!("{living} definitions, all in force")));
        }
        Ok(whole) => {
            for one in &whole.loaded.set_aside {
                let text = format!("`{}` of {} is not in force: {}", one.id, one.section, one.reason);
                found.add(Finding::warn(CHECK, text, "change it, or delete it"));
            }
        }
        // Was told of the file alone already.
        Err(_) => {}
    }
}

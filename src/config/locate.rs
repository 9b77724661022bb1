//! Which file is the configuration. Reading it lives in `source`.

use std::path::PathBuf;

use super::env::Env;

/// Names that are looked for in the current directory, the first one found wins. The second is MultiRouter's.
pub(super) const NAMES: [&str; 2] = ["trivium.yaml", "providers.yaml"];

/// The configuration file: the one named by `flag` or `TRIVIUM_CONFIG`, which need not exist (then it is
/// an error later), else the first that exists in the current directory or the user's folder.
pub(super) fn locate(env: &Env, flag: Option<&PathBuf>) -> Option<PathBuf> {
    if let Some(named) = flag.cloned().or_else(|| env.filled("TRIVIUM_CONFIG").map(PathBuf::from)) {
        return Some(env.seen_from_here(named));
    }
    let here = NAMES.iter().map(|name| env.seen_from_here(name));
    let home = env.folders().config.iter().map(|folder| folder.join(NAMES[0]));
    here.chain(home).find(|path| path.is_file())
}

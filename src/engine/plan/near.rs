//! Names that somebody may have meant.

/// How many are named.
const COUNT: usize = 5;

/// How alike two names must be, from 0 to 1. Below this, suggestions are noise.
const ALIKE: f64 = 0.8;

/// The known names that are most like `word`, best first. A name also counts by what follows its last slash.
pub(super) fn near<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let word = word.to_lowercase();
    let tail = tail_of(&word);
    let mut found: Vec<(f64, &str)> = known
        .map(|name| {
            let lower = name.to_lowercase();
            let whole = strsim::jaro_winkler(&word, &lower);
            let tails = strsim::jaro_winkler(tail, tail_of(&lower));
            (whole.max(tails), name)
        })
        .filter(|(alike, _)| *alike >= ALIKE)
        .collect();
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    found.dedup_by(|a, b| a.1 == b.1);
    found.into_iter().take(COUNT).map(|(_, name)| name.to_owned()).collect()
}

fn tail_of(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

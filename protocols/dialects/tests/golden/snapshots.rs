//! Golden files: comparing with them, writing them anew, and finding those that nothing makes any more.

use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::PathBuf};

/// How to accept what has changed.
const REMEDY: &str = "if that is wanted: UPDATE_GOLDEN=1 cargo test -p trivium-dialects --test golden";

/// The most lines that are shown of one difference.
const SHOWN: usize = 40;

/// The golden files of one kind.
pub(crate) struct Snapshots {
    folder: PathBuf,
    update: bool,
    made: BTreeSet<PathBuf>,
    differences: String,
    count: usize,
}

impl Snapshots {
    /// Those in `golden/<kind>`.
    pub(crate) fn new(kind: &str) -> Self {
        let folder = [env!("CARGO_MANIFEST_DIR"), "golden", kind].iter().collect();
        let update = env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1");
        Self { folder, update, made: BTreeSet::new(), differences: String::new(), count: 0 }
    }

    /// Compares `text` with the golden file, or writes it.
    pub(crate) fn check(&mut self, file: &str, text: &str) {
        let path = self.folder.join(file);
        self.made.insert(path.clone());
        let golden = fs::read_to_string(&path).ok();
        if golden.as_deref() == Some(text) {
            return;
        }
        if self.update {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            return;
        }
        let difference =
            golden.map_or_else(|| "there is no such golden file\n".into(), |golden| diff(&golden, text));
        self.report(file, &difference);
    }

    /// Reports what differs, and files that nothing makes.
    pub(crate) fn finish(mut self) {
        for path in
            files(&self.folder).into_iter().filter(|path| !self.made.contains(path)).collect::<Vec<_>>()
        {
            if self.update {
                fs::remove_file(path).unwrap();
            } else {
                self.report(&path.display().to_string(), "nothing makes this golden file any more\n");
            }
        }
        assert!(self.count == 0, "{} golden files differ; {REMEDY}\n{}", self.count, self.differences);
    }

    fn report(&mut self, file: &str, difference: &str) {
        self.count += 1;
        // The first ones are enough to see what is going on.
        if self.count <= 20 {
            write!(self.differences, "\n--- {file}\n{difference}").unwrap();
        }
    }
}

/// Every file below `folder`.
fn files(folder: &PathBuf) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let (folders, mut found): (Vec<_>, Vec<_>) =
        entries.map(|entry| entry.unwrap().path()).partition(|path| path.is_dir());
    found.extend(folders.iter().flat_map(files));
    found
}

/// The lines in which two texts differ: everything between what they begin and what they end with alike, with two
/// lines around it.
fn diff(golden: &str, found: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (golden.lines().collect(), found.lines().collect());
    let begin = old.iter().zip(&new).take_while(|(old, new)| old == new).count();
    let (old_rest, new_rest) = (&old[begin..], &new[begin..]);
    let end = old_rest.iter().rev().zip(new_rest.iter().rev()).take_while(|(old, new)| old == new).count();
    let mut text = String::new();
    for line in &old[begin.saturating_sub(2)..begin] {
        writeln!(text, "  {line}").unwrap();
    }
    let (gone, come) = (&old_rest[..old_rest.len() - end], &new_rest[..new_rest.len() - end]);
    for (sign, lines) in [('-', gone), ('+', come)] {
        for line in lines.iter().take(SHOWN) {
            writeln!(text, "{sign} {line}").unwrap();
        }
        if lines.len() > SHOWN {
            writeln!(text, "{sign} … and {} lines more", lines.len() - SHOWN).unwrap();
        }
    }
    for line in old_rest[old_rest.len() - end..].iter().take(2) {
        writeln!(text, "  {line}").unwrap();
    }
    text
}

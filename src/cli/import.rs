//! `trivium import`: what other systems were told, as documents of this one. Shows what would become of it; writes a file,
//! or makes it at the hub, where that is asked for.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::Args;
use operations::documents::NOUNS;

use super::{
    Common,
    config::bring,
    loader,
    output::{bold, fail, note, problems, say},
    place::at_place,
};
use crate::config::{ImportFile, ImportNote, Imported, Loader, Origin, Source, SourceKind};

/// An export of another router is far smaller, its history left out.
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// Files of one folder.
const MOST_FILES: usize = 1_000;

/// What to read, and what to do with it.
#[derive(Args)]
pub(super) struct Import {
    /// `env`, a file or a folder; or a word for whose file it is, with the file behind it
    #[arg(value_name = "SOURCE")]
    source: PathBuf,
    /// Further files of the same system
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Whose it is: env, multirouter, multivibe, freerouter, litellm, cliproxyapi, 9router or omniroute
    #[arg(long, value_name = "KIND", value_parser = kind)]
    from: Option<SourceKind>,
    /// With --apply: say what would change at the hub, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Make it at the running hub, or in its store when none runs
    #[arg(long, conflicts_with = "output")]
    apply: bool,
    /// Write a configuration file, which only its owner may read
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Put the file in place of one that is there
    #[arg(long, requires = "output")]
    force: bool,
}

fn kind(word: &str) -> Result<SourceKind, String> {
    let words: Vec<&str> = SourceKind::ALL.iter().map(|kind| kind.as_str()).collect();
    SourceKind::named(word).ok_or_else(|| format!("it is one of {}", words.join(", ")))
}

pub(super) fn run(args: &Import, common: &Common) -> ExitCode {
    let (loader, _) = match loader(common, None) {
        Ok(found) => found,
        Err(code) => return code,
    };
    let imported =
        files(args).and_then(|(kind, files)| loader.import(kind, &files).map_err(|error| error.to_string()));
    let imported = match imported {
        Ok(imported) => imported,
        Err(why) => return fail(&why),
    };
    show(&imported, args.from.is_some());
    let nothing = imported.documents.is_empty();
    match &args.output {
        _ if nothing && (args.apply || args.output.is_some()) => {
            fail("nothing could be carried over, and nothing was written")
        }
        Some(path) if !args.dry_run => output(&imported, path, args.force),
        None if args.apply => apply(&imported, &loader, args.dry_run, common),
        _ => {
            say("Nothing was written: `-o trivium.yaml` writes a file, `--apply` makes it at the hub.");
            ExitCode::SUCCESS
        }
    }
}

/// What is to be read, and whose it is said to be.
fn files(args: &Import) -> Result<(Option<SourceKind>, Vec<ImportFile>), String> {
    let word = args.source.to_str().and_then(SourceKind::named).filter(|_| !args.source.exists());
    let mut paths: Vec<&Path> = args.files.iter().map(PathBuf::as_path).collect();
    if word.is_none() {
        paths.insert(0, &args.source);
    }
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            for file in folder(path)? {
                files.push(read(&file)?);
            }
        } else {
            files.push(read(path)?);
        }
    }
    Ok((args.from.or(word), files))
}

/// The JSON files of a folder, by name.
fn folder(path: &Path) -> Result<Vec<PathBuf>, String> {
    let cannot = |error: io::Error| format!("the folder {} cannot be read: {error}", path.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(cannot)? {
        let file = entry.map_err(cannot)?.path();
        if file.extension().is_some_and(|end| end == "json") && file.is_file() {
            files.push(file);
        }
        if files.len() > MOST_FILES {
            return Err(format!(
                "more than {MOST_FILES} files in {}: name those that matter",
                path.display()
            ));
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(format!("there is no JSON file in {}", path.display()));
    }
    Ok(files)
}

fn read(path: &Path) -> Result<ImportFile, String> {
    let cannot = |error: io::Error| format!("{} cannot be read: {error}", path.display());
    let mut bytes = Vec::new();
    File::open(path).map_err(cannot)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(format!("{} is larger than 8 MiB: export it without history", path.display()));
    }
    let text = String::from_utf8(bytes).map_err(|_| format!("{} is not UTF-8 text", path.display()))?;
    Ok(ImportFile { name: path.display().to_string(), text })
}

fn show(imported: &Imported, was_said: bool) {
    let how = if was_said { "" } else { ", as is seen from what is in it" };
    say(&format!("{}{how}", bold(&format!("From {}", imported.kind.name()))));
    for document in &imported.documents {
        let place = place(&document.place);
        say(&format!("+ {} `{}` ({}){place}", word(document.section), document.id, document.what));
    }
    imported.notes.iter().for_each(|one| say(&format!("! {}", in_words(one))));
    say(&summary(imported));
}

fn word(section: &str) -> &'static str {
    NOUNS.iter().find(|noun| noun.section == section).map_or("setting", |noun| noun.one)
}

fn place(origin: &Origin) -> String {
    match origin {
        Origin::Default => String::new(),
        Origin::Env(_) => format!(", from {origin}"),
        other => format!(", {other}"),
    }
}

fn in_words(one: &ImportNote) -> String {
    let ImportNote { place, message, remedy } = one;
    match place {
        Origin::Default => format!("{message}; {remedy}"),
        place => format!("{place}: {message}; {remedy}"),
    }
}

fn summary(imported: &Imported) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for document in &imported.documents {
        let word = word(document.section);
        match counts.iter_mut().find(|(known, _)| *known == word) {
            Some((_, count)) => *count += 1,
            None => counts.push((word, 1)),
        }
    }
    let mut parts: Vec<String> = counts.iter().map(|(word, count)| plural(word, *count)).collect();
    if parts.is_empty() {
        parts.push("nothing".to_owned());
    }
    let notes = match imported.notes.len() {
        0 => "nothing to note".to_owned(),
        1 => "1 note".to_owned(),
        count => format!("{count} notes"),
    };
    format!("{}; {notes}", parts.join(", "))
}

fn plural(word: &str, count: usize) -> String {
    let end = match word {
        _ if count == 1 => "",
        "alias" => "es",
        _ => "s",
    };
    // The noun comes first where there are several words: rules of names.
    match word.split_once(' ') {
        Some((noun, rest)) => format!("{count} {noun}{end} {rest}"),
        None => format!("{count} {word}{end}"),
    }
}

fn output(imported: &Imported, path: &Path, force: bool) -> ExitCode {
    match write(path, &imported.yaml(), force) {
        Ok(()) => {
            say(&format!(
                "Written: {}. See what holds: `trivium config check {}`",
                path.display(),
                path.display()
            ));
            ExitCode::SUCCESS
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fail(&format!("{} is there already; --force puts this in its place", path.display()))
        }
        Err(error) => fail(&format!("{} cannot be written: {error}", path.display())),
    }
}

/// Writes a file that only its owner may read. One that is there is replaced as a whole, or not at all.
fn write(path: &Path, text: &str, force: bool) -> io::Result<()> {
    if !force {
        return create(path, text);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = PathBuf::from(beside);
    let done = create(&beside, text).and_then(|()| fs::rename(&beside, path));
    if done.is_err() {
        drop(fs::remove_file(&beside));
    }
    done
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn apply(imported: &Imported, loader: &Loader, try_only: bool, common: &Common) -> ExitCode {
    let source = Source::Text { name: "(import)".to_owned(), text: imported.yaml() };
    let mut wishes = match loader.with_variables(imported.variables()).wishes(&source) {
        Ok(wishes) => wishes,
        Err(found) => {
            problems(&found);
            return fail("it cannot be made at the hub. Nothing was changed");
        }
    };
    if !wishes.fixed.is_empty() {
        let names = wishes.fixed.join(", ");
        note(&format!(
            "Not made, because it is fixed when a hub starts: {names}. Set it where the hub is started."
        ));
    }
    at_place(common, async |place| bring(place, &mut wishes, try_only, common).await)
}

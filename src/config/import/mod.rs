//! Configurations of other systems, and keys in variables, as documents in the language of our file. Each system has a
//! reader of its own: text in, documents and notes out, no files and no network. Whatever they read, what comes out has
//! passed the loader (`proof`); what would not is left out, and a note says why. Logins of others' applications are
//! never taken over: their tokens belong to a client id that is not the user's.

mod account;
mod cliproxyapi;
mod detect;
mod dotenv;
mod draft;
mod environment;
mod freerouter;
mod litellm;
mod multirouter;
mod multivibe;
mod ninerouter;
mod part;
mod proof;
mod variables;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt, path::Path, sync::Arc};

use serde_json::{Map as Json, Value as JsonValue};

use self::draft::Draft;
use super::{
    load::Loader,
    managed::json_node,
    node::Node,
    origin::Origin,
    parse::parse,
    problem::{Problem, Problems, Severity},
};

/// Definitions of one import. More than anybody wrote by hand, and few enough to be checked together.
const MOST_DOCUMENTS: usize = 2_000;

/// Where a configuration comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// Keys of providers in variables: the process environment, or files of the form `.env`.
    Environment,
    /// `providers.yaml` of MultiRouter AI.
    MultiRouter,
    /// `accounts.json` of MultiVibe, and its variables.
    MultiVibe,
    /// `.env` and `data/model_catalog.json` of FreeRouter.
    FreeRouter,
    /// `config.yaml` of LiteLLM's proxy.
    LiteLlm,
    /// `config.yaml` of CLIProxyAPI, and the files of its `auth-dir`.
    CliProxyApi,
    /// A JSON export of 9router, or its `db.json`.
    NineRouter,
    /// A JSON export of OmniRoute.
    OmniRoute,
}

impl SourceKind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Environment,
        Self::MultiRouter,
        Self::MultiVibe,
        Self::FreeRouter,
        Self::LiteLlm,
        Self::CliProxyApi,
        Self::NineRouter,
        Self::OmniRoute,
    ];

    /// The word for it on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "env",
            Self::MultiRouter => "multirouter",
            Self::MultiVibe => "multivibe",
            Self::FreeRouter => "freerouter",
            Self::LiteLlm => "litellm",
            Self::CliProxyApi => "cliproxyapi",
            Self::NineRouter => "9router",
            Self::OmniRoute => "omniroute",
        }
    }

    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Environment => "variables",
            Self::MultiRouter => "MultiRouter AI",
            Self::MultiVibe => "MultiVibe",
            Self::FreeRouter => "FreeRouter",
            Self::LiteLlm => "LiteLLM",
            Self::CliProxyApi => "CLIProxyAPI",
            Self::NineRouter => "9router",
            Self::OmniRoute => "OmniRoute",
        }
    }

    /// The kind of that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// A file to be read. Its text may hold secrets.
#[derive(Clone)]
pub struct ImportFile {
    /// What notes call it.
    pub name: String,
    /// What is in it.
    pub text: String,
}

impl fmt::Debug for ImportFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ImportFile").field(&self.name).finish()
    }
}

/// What became of a configuration.
pub struct Imported {
    /// Where it came from.
    pub kind: SourceKind,
    /// What it says, in the language of our file. May hold secrets.
    pub documents: Vec<ImportedDocument>,
    /// What could not be carried over, and what to know.
    pub notes: Vec<ImportNote>,
    /// Values of variables that the files themselves give, for whoever fills in `${NAME}`.
    variables: BTreeMap<String, String>,
}

impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Imported")
            .field("kind", &self.kind)
            .field("documents", &self.documents)
            .field("notes", &self.notes)
            .finish_non_exhaustive()
    }
}

impl Imported {
    /// The file that says all of it. Holds secrets where the source did not name variables.
    #[must_use]
    pub fn yaml(&self) -> String {
        proof::render(&self.documents).0
    }

    /// Values that the source gives to variables, beside those of the process.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

/// One definition that was made of it.
#[derive(Clone, PartialEq)]
pub struct ImportedDocument {
    /// The section of our file, or [`super::SETTINGS`].
    pub section: &'static str,
    /// Its id.
    pub id: String,
    /// What it says, as the file would write it, without the id. May hold secrets.
    pub definition: Json<String, JsonValue>,
    /// What it is in a few words. Holds no secret.
    pub what: String,
    /// Where the source says it.
    pub place: Origin,
}

impl fmt::Debug for ImportedDocument {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}`", self.section, self.id)
    }
}

/// Something to be told about an import. Holds no secret.
#[derive(Debug, Clone, PartialEq)]
pub struct ImportNote {
    /// Where the source says what this is about.
    pub place: Origin,
    /// What was not carried over, or is different.
    pub message: String,
    /// What to do.
    pub remedy: String,
}

/// Why nothing could be imported.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// A file cannot be read as what it should be.
    #[error("{0}")]
    Unreadable(String),
    /// Nothing tells whose file this is.
    #[error(
        "{0} is none of the files that are known; say whose it is with `--from`: env, multirouter, multivibe, freerouter, \
         litellm, cliproxyapi, 9router or omniroute"
    )]
    Unknown(String),
    /// The files are of different systems.
    #[error("{0} and {1} together: import one after the other")]
    Mixed(&'static str, &'static str),
    /// There is no file, and the system keeps its configuration in one.
    #[error("name the file: `trivium import {0} FILE`")]
    NoFile(&'static str),
    /// Too many definitions.
    #[error("more than {MOST_DOCUMENTS} definitions: split the file")]
    TooMany,
    /// What was made of it does not load, and nothing single is to blame.
    #[error("what was made of it would not load: {0}")]
    Unsound(String),
}

/// A file that was read.
struct Input {
    path: Arc<Path>,
    content: Content,
}

enum Content {
    /// `NAME=value` lines.
    Variables(Vec<dotenv::Variable>),
    /// YAML or JSON.
    Tree(Node),
    /// Nothing at all.
    Empty,
}

impl Loader {
    /// Reads configurations of another system, or the keys in the environment where there is no file.
    ///
    /// # Errors
    /// When a file cannot be read, or nothing tells what it is.
    pub fn import(&self, kind: Option<SourceKind>, files: &[ImportFile]) -> Result<Imported, ImportError> {
        let mut draft = Draft::new(self.catalogue(), self.spoken());
        let inputs = files.iter().map(|file| read(file, &mut draft)).collect::<Result<Vec<_>, _>>()?;
        let kind = match kind {
            Some(kind) => kind,
            None => detect::kind(&inputs)?,
        };
        if inputs.is_empty() && kind != SourceKind::Environment {
            return Err(ImportError::NoFile(kind.as_str()));
        }
        match kind {
            SourceKind::Environment => environment::read(&inputs, self.env(), &mut draft),
            SourceKind::MultiRouter => multirouter::read(&inputs, &mut draft),
            SourceKind::MultiVibe => multivibe::read(&inputs, &mut draft),
            SourceKind::FreeRouter => freerouter::read(&inputs, &mut draft),
            SourceKind::LiteLlm => litellm::read(&inputs, &mut draft),
            SourceKind::CliProxyApi => cliproxyapi::read(&inputs, &mut draft),
            SourceKind::NineRouter | SourceKind::OmniRoute => ninerouter::read(&inputs, &mut draft),
        }
        if draft.documents.len() > MOST_DOCUMENTS {
            return Err(ImportError::TooMany);
        }
        proof::prove(&mut draft, self)?;
        let (documents, notes, variables) = draft.done();
        Ok(Imported { kind, documents, notes, variables })
    }
}

/// A file as variables or as a tree. JSON that our YAML cannot read is read as JSON, without lines.
fn read(file: &ImportFile, draft: &mut Draft<'_>) -> Result<Input, ImportError> {
    let path: Arc<Path> = Arc::from(Path::new(&file.name));
    let text = file.text.strip_prefix('\u{feff}').unwrap_or(&file.text);
    if text.trim().is_empty() {
        return Ok(Input { path, content: Content::Empty });
    }
    if let Some(variables) = dotenv::read(text, &path) {
        return Ok(Input { path, content: Content::Variables(variables) });
    }
    let mut problems = Problems::default();
    if let Some(root) = parse(text, &path, &mut problems) {
        for problem in problems.into_sorted("") {
            draft.note(&problem.origin, problem.message, problem.remedy);
        }
        return Ok(Input { path, content: Content::Tree(root) });
    }
    if let Ok(value) = serde_json::from_str::<JsonValue>(text) {
        let root = json_node(&value, &Origin::whole(&path));
        return Ok(Input { path, content: Content::Tree(root) });
    }
    match first_error(problems.into_sorted("")) {
        Some(why) => Err(ImportError::Unreadable(why)),
        None => Ok(Input { path, content: Content::Empty }),
    }
}

fn first_error(problems: Vec<Problem>) -> Option<String> {
    let first = problems.into_iter().find(|problem| problem.severity == Severity::Error)?;
    Some(format!("{}: {} ({})", first.origin, first.message, first.remedy))
}

/// The trees among the files.
fn trees(inputs: &[Input]) -> impl Iterator<Item = part::Part<'_>> {
    inputs.iter().filter_map(|input| match &input.content {
        Content::Tree(root) => Some(part::Part(root)),
        Content::Variables(_) | Content::Empty => None,
    })
}

/// The variables among the files.
fn written_variables(inputs: &[Input]) -> impl Iterator<Item = &dotenv::Variable> {
    inputs.iter().flat_map(|input| match &input.content {
        Content::Variables(variables) => variables.as_slice(),
        Content::Tree(_) | Content::Empty => &[],
    })
}

/// Says so of files that say nothing.
fn note_empty(inputs: &[Input], draft: &mut Draft<'_>) {
    for input in inputs.iter().filter(|input| matches!(input.content, Content::Empty)) {
        draft.note(
            &Origin::whole(&input.path),
            "there is nothing in this file",
            "see that it is the right one",
        );
    }
}

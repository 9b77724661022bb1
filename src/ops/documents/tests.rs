//! What is subtle about changes: what is undone can be done again, versions that were seen count, and what is set aside is shown
//! and not given on. How a whole configuration is checked is tested with a hub.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use futures_core::future::BoxFuture;
use operations::{
    audit::AuditOutcome,
    bundle::{BundleContents, GetBundle},
    documents::combos,
};
use serde_json::json;

use super::*;
use crate::{
    auth::{local_caller, test_clock::TestClock},
    config::{Env, Folders, Loader, Overrides, Source},
    engine::{caller::Caller, settings::Settings},
    envelope::Identity,
    ops::ports::{AuditLog, Checked, OutOfForce, Turn},
    store::MemoryStore,
};

/// A configuration that takes everything but what says `bad`, and sets aside what says `aside`.
#[derive(Default)]
struct Plain {
    declared: Vec<DeclaredItem>,
    aside: Mutex<Vec<OutOfForce>>,
    turns: Arc<tokio::sync::Mutex<()>>,
}

impl Configuration for Plain {
    fn turn(&self) -> BoxFuture<'_, Turn> {
        Box::pin(async { Turn(Arc::clone(&self.turns).lock_owned().await) })
    }

    fn declared(&self) -> Arc<[DeclaredItem]> {
        self.declared.clone().into()
    }

    fn set_aside(&self) -> Arc<[OutOfForce]> {
        self.aside.lock().unwrap().clone().into()
    }

    fn check(&self, documents: Vec<Document>) -> BoxFuture<'_, Result<Checked, Vec<String>>> {
        let says = |document: &Document, word: &str| {
            document.definition.as_ref().is_some_and(|definition| definition.contains_key(word))
        };
        let checked = if documents.iter().any(|document| says(document, "bad")) {
            Err(vec!["this is bad".to_owned()])
        } else {
            let aside =
                documents.iter().filter(|document| says(document, "aside")).map(|document| OutOfForce {
                    section: Arc::clone(&document.section),
                    id: Arc::clone(&document.id),
                    reason: "the file says otherwise".to_owned(),
                });
            let set_aside = aside.collect();
            Ok(Checked { settings: settings(), documents, set_aside, warnings: Vec::new() })
        };
        Box::pin(std::future::ready(checked))
    }

    fn apply(&self, checked: Checked) {
        *self.aside.lock().unwrap() = checked.set_aside;
    }

    fn masked(&self, definition: &Definition) -> Definition {
        crate::config::masked(definition)
    }

    fn with_kept_secrets(&self, new: Definition, old: &Definition) -> Definition {
        crate::config::with_kept_secrets(new, old)
    }

    fn check_kept(&self, _: &str, _: &Definition, _: &Definition, _: &Definition) -> Result<(), String> {
        Ok(())
    }
}

/// Those of a file that says nothing.
fn settings() -> Settings {
    let env = Env::new([("DATA_DIR", "/nonexistent")], Folders::default());
    let catalogue = crate::app::catalogue().unwrap();
    Loader::new(env, Overrides::default(), catalogue, &[]).load(&Source::Nothing).unwrap().settings
}

struct Scene {
    documents: Documents,
    store: Arc<MemoryStore>,
}

fn scene(configuration: Plain) -> Scene {
    let store = Arc::<MemoryStore>::default();
    let clock = Arc::<TestClock>::default();
    let documents = Documents::new(store.clone(), Arc::new(configuration), clock, Vec::new());
    Scene { documents, store }
}

fn asked() -> Asked {
    Asked::new(local_caller(), "cli", None)
}

fn object(value: Value) -> Definition {
    serde_json::from_value(value).unwrap()
}

const NOUN: &Noun = &combos::NOUN;

impl Scene {
    async fn put(&self, value: Value, version: Option<u64>) -> Result<DocumentView, OpError> {
        let args = PutDocument { id: "c".to_owned(), definition: object(value), version };
        self.documents.put(NOUN, &asked(), args).await
    }

    async fn delete(&self, version: Option<u64>) -> Result<Deleted, OpError> {
        self.documents.delete(NOUN, &asked(), DeleteDocument { id: "c".to_owned(), version }).await
    }

    async fn undo(&self, change: u64) -> Result<Undone, OpError> {
        self.documents.undo(&asked(), UndoChange { change }).await
    }

    fn get(&self) -> Result<DocumentView, OpError> {
        self.documents.get(NOUN, NameDocument { id: "c".to_owned() })
    }

    /// The number of the last change.
    async fn last(&self) -> u64 {
        self.store.page(operations::audit::ListAudit::default()).await.unwrap()[0].id
    }
}

#[tokio::test]
async fn what_was_undone_can_be_undone_in_its_turn() {
    let scene = scene(Plain::default());
    scene.put(json!({"steps": ["a"]}), None).await.unwrap();
    scene.put(json!({"steps": ["b"]}), None).await.unwrap();
    let second = scene.last().await;
    let undone = scene.undo(second).await.unwrap();
    assert_eq!((undone.version, &scene.get().unwrap().definition["steps"]), (Some(3), &json!(["a"])));
    let refused = scene.undo(second).await.unwrap_err();
    assert!(refused.to_string().contains("take the later change back first"), "{refused}");
    scene.undo(undone.change).await.unwrap();
    assert_eq!((scene.get().unwrap().version, &scene.get().unwrap().definition["steps"]), (4, &json!(["b"])));
}

#[tokio::test]
async fn a_creation_is_undone_to_nothing_and_a_deletion_to_what_was_there() {
    let scene = scene(Plain::default());
    scene.put(json!({"steps": ["a"]}), None).await.unwrap();
    let undone = scene.undo(scene.last().await).await.unwrap();
    assert_eq!(undone.version, None);
    assert!(matches!(scene.get(), Err(OpError::NotFound { .. })));
    scene.undo(undone.change).await.unwrap();
    let deleted = scene.delete(None).await.unwrap();
    assert!(matches!(scene.delete(None).await, Err(OpError::NotFound { .. })));
    scene.undo(deleted.change).await.unwrap();
    assert_eq!(scene.get().unwrap().definition["steps"], json!(["a"]));
    assert!(matches!(scene.undo(99).await, Err(OpError::NotFound { .. })));
}

#[tokio::test]
async fn who_saw_another_version_changes_nothing() {
    let scene = scene(Plain::default());
    let made = scene.put(json!({"steps": ["a"]}), Some(0)).await.unwrap();
    assert_eq!(made.version, 1);
    for seen in [0, 2] {
        let stale = scene.put(json!({"steps": ["x"]}), Some(seen)).await.unwrap_err();
        assert!(matches!(stale, OpError::Stale { version: 1, .. }), "{stale}");
    }
    scene.delete(Some(1)).await.unwrap();
    // To who looks there is nothing, and its version says so; the next one goes on from the deletion's.
    let stale = scene.put(json!({"steps": ["x"]}), Some(1)).await.unwrap_err();
    assert!(matches!(stale, OpError::Stale { version: 0, .. }), "{stale}");
    assert_eq!(scene.put(json!({"steps": ["y"]}), Some(0)).await.unwrap().version, 3);
}

#[tokio::test]
async fn what_does_not_fit_is_neither_kept_nor_noted() {
    let scene = scene(Plain::default());
    scene.put(json!({"steps": ["a"]}), None).await.unwrap();
    let before = scene.last().await;
    let refused = scene.put(json!({"bad": true}), None).await.unwrap_err();
    assert!(matches!(&refused, OpError::Conflict(text) if text.contains("this is bad")), "{refused}");
    assert_eq!((scene.last().await, scene.get().unwrap().version), (before, 1));
    let entries = scene.store.page(operations::audit::ListAudit::default()).await.unwrap();
    assert!(entries.iter().all(|entry| entry.outcome == AuditOutcome::Done));
}

#[tokio::test]
async fn what_the_file_declares_is_the_files() {
    let item = DeclaredItem {
        section: NOUN.section,
        id: "c".to_owned(),
        definition: object(json!({"steps": ["file"]})),
        whole: object(json!({"steps": ["file"]})),
        place: "trivium.yaml:1:1".to_owned(),
    };
    let scene = scene(Plain { declared: vec![item], ..Plain::default() });
    for refused in
        [scene.put(json!({"steps": ["x"]}), None).await.unwrap_err(), scene.delete(None).await.unwrap_err()]
    {
        assert!(refused.to_string().contains("trivium.yaml:1:1"), "{refused}");
    }
    assert_eq!((scene.get().unwrap().owner, scene.get().unwrap().version), (Owner::File, 0));
}

#[tokio::test]
async fn what_is_set_aside_is_shown_with_its_reason_and_is_in_no_bundle() {
    let scene = scene(Plain::default());
    let view = scene.put(json!({"aside": true}), None).await.unwrap();
    assert_eq!(view.set_aside.as_deref(), Some("the file says otherwise"));
    let identity = Identity::generate().unwrap();
    let args = GetBundle { recipient: Some(identity.recipient().to_string()) };
    let bundle = scene.documents.bundle(&local_caller(), args).unwrap();
    let contents: BundleContents =
        serde_json::from_slice(&identity.open(&bundle.sealed.unwrap()).unwrap()).unwrap();
    assert!(bundle.sections["combos"].is_empty() && contents.sections["combos"].is_empty());
    scene.put(json!({"steps": []}), None).await.unwrap();
    assert_eq!(scene.get().unwrap().set_aside, None);
}

#[tokio::test]
async fn secrets_leave_only_encrypted_and_only_with_the_right() {
    let scene = scene(Plain::default());
    scene.put(json!({"api_key": "canary"}), None).await.unwrap();
    let bundle = |scopes: Option<operations::Scopes>, recipient: Option<String>| {
        let caller = local_caller();
        let scopes = scopes.unwrap_or(caller.scopes);
        scene.documents.bundle(&Caller { scopes, ..caller }, GetBundle { recipient })
    };
    let bare = bundle(None, None).unwrap();
    assert!(bare.sealed.is_none() && !format!("{bare:?}").contains("canary"));
    let identity = Identity::generate().unwrap();
    let to = Some(identity.recipient().to_string());
    let reader = [operations::Scope::ReadBundle].into_iter().collect();
    let refused = bundle(Some(reader), to.clone());
    assert!(matches!(refused, Err(OpError::Forbidden { scope: operations::Scope::ExportSecrets })));
    let (one, two) = (bundle(None, to.clone()).unwrap(), bundle(None, to.clone()).unwrap());
    assert_eq!(one.etag, two.etag, "who knows it need not get it again");
    assert!(one.etag != bare.etag && !format!("{one:?}").contains("canary"));
    let plain = identity.open(&one.sealed.unwrap()).unwrap();
    let contents: BundleContents = serde_json::from_slice(&plain).unwrap();
    assert_eq!(contents.sections["combos"]["c"]["api_key"], "canary");
    scene.put(json!({"api_key": "another"}), None).await.unwrap();
    assert_ne!(bundle(None, to).unwrap().etag, one.etag, "a secret alone is a change");
    assert_eq!(bundle(None, None).unwrap().etag, bare.etag);
    let wrong = bundle(None, Some("age1x".to_owned()));
    assert!(matches!(wrong, Err(OpError::Invalid(_))));
}

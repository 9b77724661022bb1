//! What the hub as an agent of A2A is made of: its tasks, and who works on them.

use std::sync::Arc;

use super::post::Telling;
use crate::{
    auth::KeyIndex,
    engine::{Engine, policy, ports::Clock},
    ops::{
        ports::tasks::TaskStoreError,
        registry::Registry,
        signing::Signer,
        skills,
        tasks::{Pushing, Tasks},
    },
    store::Store,
};

/// The tasks of a store. Nobody works on them before [`start`].
pub(super) fn tasks(engine: &Arc<Engine>, store: &Store, clock: &Arc<dyn Clock>) -> Tasks {
    let engine = Arc::clone(engine);
    let settings = Box::new(move || engine.snapshot().settings.a2a);
    Tasks::new(Arc::new(store.tasks()), Arc::clone(clock), settings)
}

/// Has tasks worked on, by the operations of the hub and for the callers whose keys live.
///
/// # Errors
/// When what the last process left open cannot be read.
pub(super) async fn start(
    tasks: &Tasks,
    operations: &Arc<Registry>,
    index: &Arc<KeyIndex>,
    clock: &Arc<dyn Clock>,
    (signer, public_url): (&Arc<Signer>, &str),
) -> Result<(), TaskStoreError> {
    let (index, clock) = (Arc::clone(index), Arc::clone(clock));
    let pushing = Pushing {
        hook: Arc::new(Telling::default()),
        signer: Arc::clone(signer),
        issuer: public_url.trim_end_matches('/').into(),
    };
    // What identifies callers at the door is asked of them here too.
    let find = move |id: &str| index.caller(id).filter(|caller| policy::enter(caller, clock.now()).is_ok());
    tasks.start(skills::executor(operations), pushing, Arc::new(find)).await
}

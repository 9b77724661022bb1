//! A changed file is noticed, read, and reported.

use std::{fs, path::PathBuf, time::Duration};

use tempfile::TempDir;

use super::{
    super::{Reload, Watch},
    *,
};

struct Scene {
    folder: TempDir,
    watch: Watch,
}

impl Scene {
    fn new(first: Option<&str>) -> Self {
        let folder = TempDir::new().unwrap();
        let folders = Folders {
            current: folder.path().to_owned(),
            data: Some(folder.path().to_owned()),
            ..Folders::default()
        };
        let scene = |watch| Self { folder, watch };
        let loader = Loader::new(
            Env::new([("X", "")], folders.clone()),
            Overrides::default(),
            catalogue(),
            &[Dialect::Chat],
        );
        if let Some(first) = first {
            fs::write(folders.current.join("trivium.yaml"), first).unwrap();
        }
        let loaded = loader.load(&Source::Discover).unwrap();
        scene(Watch::new(loader, Source::Discover, &loaded))
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("trivium.yaml")
    }

    fn write(&self, text: &str) {
        fs::write(self.file(), text).unwrap();
    }

    async fn next(&mut self) -> Reload {
        tokio::time::timeout(Duration::from_secs(5), self.watch.next()).await.expect("nothing was noticed")
    }

    async fn valid(&mut self) -> Loaded {
        match self.next().await {
            Reload::Changed(Ok(loaded)) => *loaded,
            other => panic!("{other:?}"),
        }
    }

    /// Nothing is told for some looks.
    async fn quiet(&mut self) {
        let waited = tokio::time::timeout(Duration::from_millis(1300), self.watch.next()).await;
        assert!(waited.is_err(), "{waited:?}");
    }
}

#[tokio::test]
async fn a_change_is_read_and_an_untouched_file_is_not() {
    let mut scene = Scene::new(Some("routing: {retry_after_seconds: 1}"));
    scene.quiet().await;
    scene.write("routing: {retry_after_seconds: 2}");
    let loaded = scene.valid().await;
    assert_eq!(loaded.settings.routing.retry_after.as_secs(), 2);
    assert!(loaded.warnings.is_empty());
    // Written anew with the same text.
    scene.write("routing: {retry_after_seconds: 2}");
    scene.quiet().await;
}

#[tokio::test]
async fn a_file_put_in_the_old_ones_place_is_noticed() {
    let mut scene = Scene::new(Some("routing: {retry_after_seconds: 1}"));
    let beside = scene.folder.path().join("new");
    fs::write(&beside, "routing: {retry_after_seconds: 3}").unwrap();
    fs::rename(&beside, scene.file()).unwrap();
    assert_eq!(scene.valid().await.settings.routing.retry_after.as_secs(), 3);
}

#[tokio::test]
async fn an_invalid_file_is_reported_once_and_a_repaired_one_read() {
    let mut scene = Scene::new(Some("server: {queue: 1}"));
    scene.write("server: {queue: many}");
    match scene.next().await {
        Reload::Changed(Err(problems)) => assert!(only(&problems).contains("found the text `many`")),
        other => panic!("{other:?}"),
    }
    scene.quiet().await;
    scene.write("server: {queue: 2}");
    assert_eq!(scene.valid().await.settings.limits.queued, 2);
}

#[tokio::test]
async fn a_deleted_file_is_reported_once_and_its_return_is_read() {
    let mut scene = Scene::new(Some("server: {queue: 1}"));
    fs::remove_file(scene.file()).unwrap();
    assert!(matches!(scene.next().await, Reload::Gone(path) if path == scene.file()));
    scene.quiet().await;
    scene.write("server: {queue: 1}");
    assert_eq!(scene.valid().await.settings.limits.queued, 1);
}

#[tokio::test]
async fn what_is_fixed_at_the_start_needs_a_restart() {
    let mut scene = Scene::new(Some("server: {port: 1, queue: 1}"));
    scene.write("server: {port: 2, queue: 2}\nlog: {level: debug}");
    let loaded = scene.valid().await;
    assert_eq!(loaded.settings.limits.queued, 2);
    let told: Vec<_> = loaded.warnings.iter().map(|one| one.message.as_str()).collect();
    assert_eq!(
        told,
        ["`server.port` changed and needs a restart", "`log.level` changed and needs a restart"]
    );
    assert_eq!(loaded.warnings[0].origin.line(), Some(1));
}

#[tokio::test]
async fn a_file_that_appears_later_is_found() {
    let mut scene = Scene::new(None);
    scene.write("server: {queue: 5}");
    assert_eq!(scene.valid().await.settings.limits.queued, 5);
}

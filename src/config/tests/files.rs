//! Which file is read, and what happens if it cannot be.

use std::{fs, path::Path};

use tempfile::TempDir;

use super::*;

fn loader_in(folder: &Path, vars: &[(&str, &str)]) -> Loader {
    let folders = Folders {
        current: folder.to_owned(),
        config: Some(folder.join("user")),
        data: Some(folder.join("data")),
        home: None,
    };
    Loader::new(Env::new(vars.iter().copied(), folders), Overrides::default(), catalogue(), &[Dialect::Chat])
}

#[test]
fn the_usual_places_are_searched_in_order() {
    let folder = TempDir::new().unwrap();
    let loader = loader_in(folder.path(), &[]);
    let found = || loader.load(&Source::Discover).unwrap();
    assert_eq!((found().file, found().boot.port), (None, 20128));
    fs::create_dir(folder.path().join("user")).unwrap();
    for (name, port) in [("user/trivium.yaml", 1), ("providers.yaml", 2), ("trivium.yaml", 3)] {
        fs::write(folder.path().join(name), format!("server: {{port: {port}}}")).unwrap();
        assert_eq!((found().file, found().boot.port), (Some(folder.path().join(name)), port));
    }
    fs::write(folder.path().join("other.yaml"), "server: {port: 4}").unwrap();
    let named = loader_in(folder.path(), &[("TRIVIUM_CONFIG", "other.yaml")]);
    assert_eq!(named.load(&Source::Discover).unwrap().boot.port, 4);
    assert_eq!(
        named.load(&Source::File("trivium.yaml".into())).unwrap().boot.port,
        3,
        "the flag is stronger"
    );
}

#[test]
fn a_named_file_must_exist() {
    let folder = TempDir::new().unwrap();
    for source in [Source::File("none.yaml".into()), Source::Discover] {
        let loader = loader_in(folder.path(), &[("TRIVIUM_CONFIG", "none.yaml")]);
        let words = only(&loader.load(&source).unwrap_err());
        assert!(words.contains("cannot be read") && words.contains("check the path"), "{words}");
    }
    let words = only(&loader_in(folder.path(), &[]).load(&Source::File(".".into())).unwrap_err());
    assert!(words.contains("name the file, not its folder"), "{words}");
}

#[test]
fn what_is_no_text_or_too_much_of_it_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("trivium.yaml");
    let loader = loader_in(folder.path(), &[]);
    fs::write(&path, b"server:\n  host: \xff\xfe\n").unwrap();
    let words = only(&loader.load(&Source::Discover).unwrap_err());
    assert!(words.contains("line 2 has bytes that are none (save the file as UTF-8)"), "{words}");
    fs::write(&path, "#".repeat(1024 * 1024)).unwrap();
    assert!(loader.load(&Source::Discover).is_ok());
    fs::write(&path, "#".repeat(1024 * 1024 + 1)).unwrap();
    assert!(only(&loader.load(&Source::Discover).unwrap_err()).contains("larger than 1 MiB"));
}

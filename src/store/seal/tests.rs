//! What is sealed opens for the same places and key alone, and the file of the key is looked after.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::store::data_dir::private_file;

const PLACES: [&str; 3] = ["response", "key_1", "resp_1"];

fn scene() -> (TempDir, Sealer) {
    let dir = tempfile::tempdir().unwrap();
    let sealer = Sealer::new(dir.path());
    (dir, sealer)
}

fn problem(result: Result<impl Sized, StoreError>) -> KeyProblem {
    let StoreError::SecretKey { problem, .. } = result.err().unwrap() else {
        unreachable!("another error than that of the key")
    };
    problem
}

#[test]
fn what_was_sealed_opens_also_after_a_restart() {
    let (dir, sealer) = scene();
    for plain in [&b""[..], b"what was said", &[7; 100_000]] {
        let sealed = sealer.seal(&PLACES, plain.to_vec()).unwrap();
        assert_eq!(sealed.len(), plain.len() + OVERHEAD);
        let again = Sealer::new(dir.path());
        assert_eq!(again.open(&PLACES, sealed).unwrap().unwrap(), plain);
    }
}

#[test]
fn no_two_seals_are_alike() {
    let (_dir, sealer) = scene();
    let seal = || sealer.seal(&PLACES, b"x".to_vec()).unwrap();
    assert_ne!(seal(), seal());
}

#[test]
fn other_places_do_not_open_it() {
    let (_dir, sealer) = scene();
    let sealed = sealer.seal(&PLACES, b"what was said".to_vec()).unwrap();
    for places in [
        &["response", "key_2", "resp_1"][..],
        &["response", "key_1", "resp_2"],
        &["response", "key_1resp_1"],
        &[],
    ] {
        assert_eq!(sealer.open(places, sealed.clone()).unwrap(), None, "{places:?}");
    }
}

#[test]
fn no_changed_or_cut_byte_opens_or_panics() {
    let (_dir, sealer) = scene();
    let sealed = sealer.seal(&PLACES, b"what was said".to_vec()).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 1;
        assert_eq!(sealer.open(&PLACES, changed).unwrap(), None, "byte {at}");
        assert_eq!(sealer.open(&PLACES, sealed[..at].to_vec()).unwrap(), None, "cut at {at}");
        assert_eq!(sealer.open(&PLACES, sealed[at + 1..].to_vec()).unwrap(), None, "from {at}");
    }
}

#[test]
fn another_key_or_none_opens_nothing() {
    let (dir, sealer) = scene();
    let sealed = sealer.seal(&PLACES, b"x".to_vec()).unwrap();
    fs::remove_file(dir.path().join(FILE)).unwrap();
    let without = Sealer::new(dir.path());
    assert_eq!(without.open(&PLACES, sealed.clone()).unwrap(), None);
    assert!(!dir.path().join(FILE).exists(), "reading makes no key");
    without.prepare().unwrap();
    assert_eq!(without.open(&PLACES, sealed).unwrap(), None);
}

#[test]
fn a_file_of_another_size_is_left_alone_and_explained() {
    let (dir, sealer) = scene();
    for bytes in [0, 31, 33, 63, 96] {
        private_file(&dir.path().join(FILE)).unwrap().set_len(bytes).unwrap();
        assert!(matches!(problem(sealer.prepare()), KeyProblem::Size(found) if found == bytes));
        assert!(matches!(problem(sealer.open(&PLACES, vec![0; 99])), KeyProblem::Size(_)));
        assert_eq!(dir.path().join(FILE).metadata().unwrap().len(), bytes);
    }
    let text = sealer.prepare().unwrap_err().to_string();
    assert!(text.contains("secret.key") && text.contains("Restore it from a backup"), "{text}");
    // Mended while the hub runs.
    fs::remove_file(dir.path().join(FILE)).unwrap();
    sealer.prepare().unwrap();
}

#[cfg(unix)]
#[test]
fn the_key_is_private_or_refused() {
    use std::os::unix::fs::PermissionsExt;

    let (dir, sealer) = scene();
    sealer.prepare().unwrap();
    let file = dir.path().join(FILE);
    let meta = fs::metadata(&file).unwrap();
    assert_eq!((meta.permissions().mode() & 0o777, meta.len()), (0o600, 32));
    assert!(!dir.path().join("secret.key.new").exists());
    for mode in [0o640, 0o604, 0o777] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let refused = Sealer::new(dir.path()).prepare();
        assert!(refused.as_ref().unwrap_err().to_string().contains("chmod 600"));
        assert!(matches!(problem(refused), KeyProblem::Open(found) if found == mode));
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).unwrap();
    Sealer::new(dir.path()).prepare().unwrap();
}

#[test]
fn while_the_key_is_changed_the_new_one_seals_and_either_opens() {
    let (dir, sealer) = scene();
    assert!(matches!(problem(sealer.begin_change()), KeyProblem::Missing));
    let old = sealer.seal(&PLACES, b"old".to_vec()).unwrap();
    let file = dir.path().join(FILE);
    let before = fs::read(&file).unwrap();
    assert!(!sealer.begin_change().unwrap());
    let both = fs::read(&file).unwrap();
    assert_eq!((both.len(), &both[32..]), (64, &before[..]));
    let new = sealer.seal(&PLACES, b"new".to_vec()).unwrap();
    // As after a kill: everything opens, and the change is gone on with.
    let again = Sealer::new(dir.path());
    for (sealed, plain) in [(&old, &b"old"[..]), (&new, b"new")] {
        assert_eq!(again.open(&PLACES, sealed.clone()).unwrap().unwrap(), plain);
    }
    assert!(again.begin_change().unwrap());
    assert_eq!(fs::read(&file).unwrap(), both, "no third key");
    again.end_change().unwrap();
    assert_eq!(fs::read(&file).unwrap(), both[..32]);
    assert_eq!(again.open(&PLACES, old).unwrap(), None, "the old key is gone");
    assert_eq!(again.open(&PLACES, new).unwrap().unwrap(), b"new");
}

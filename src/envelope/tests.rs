//! What is sealed here opens here and nowhere else, and what age itself wrote opens too.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use super::*;

/// Made by `age-keygen`, guards nothing.
const KEY_FILE: &str = "# created: 2026-11-21T09:31:15Z
# public key: age16pcjpx5uvj082uu3xq2sx6jp5ktu0lu7z69yrd580guf2tpfx3gqewnx0t
AGE-SECRET-KEY-14Y6GN7YEWE7RU94M07UN9QRUUX6LR09Z3FMJQEFSTCC2X38SVW5Q54YJD3
";
const PUBLIC: &str = "age16pcjpx5uvj082uu3xq2sx6jp5ktu0lu7z69yrd580guf2tpfx3gqewnx0t";
/// `age --armor` for it.
const FILE: &str = "-----BEGIN AGE ENCRYPTED FILE-----
YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSA5aGExNlVYekI5YmU5alor
QW5KU0xJaFFleWpqVit4SmhKa2hlckhjZGtFCnZ2dHliaGExK0ViN083QkVjMktn
OG9pY1Z4dzkzY282UnVsZUJkL1F4TlkKLS0tIEFFcWJWbUFNWXArTHVoM1lWaUY0
bTR5Q3JZVXlpeDlBOGZTNVpwRDIraUkKWr7tUuKSJyA+41vZ7N63T74LS4WKcc5/
iLQXn9uZbmXOYWJnhC2ufHet0igD5Q==
-----END AGE ENCRYPTED FILE-----
";

#[test]
fn files_and_keys_of_age_itself_are_read() {
    let identity = Identity::parse(KEY_FILE).unwrap();
    assert_eq!(identity.recipient().to_string(), PUBLIC);
    assert!(Recipient::parse(PUBLIC).unwrap() == identity.recipient());
    assert_eq!(&**identity.open(FILE).unwrap(), b"what was said\n");
    assert!(identity.file().contains(KEY_FILE.lines().last().unwrap()));
}

#[test]
fn every_length_comes_back_and_no_two_files_are_alike() {
    let identity = Identity::parse(&Identity::generate().unwrap().file()).unwrap();
    let recipient = Recipient::parse(&identity.recipient().to_string()).unwrap();
    for length in [0, 1, 65_535, 65_536, 65_537, 131_072, 200_000] {
        let plain: Vec<u8> = (0..length).map(|at: usize| at.to_le_bytes()[0]).collect();
        let text = recipient.seal(&plain).unwrap();
        assert_eq!(**identity.open(&text).unwrap(), plain, "{length}");
        assert!(text.lines().all(|line| line.len() <= 64));
    }
    assert_ne!(recipient.seal(b"x").unwrap(), recipient.seal(b"x").unwrap());
}

#[test]
fn others_open_nothing() {
    let text = Identity::generate().unwrap().recipient().seal(b"canary").unwrap();
    let other = Identity::generate().unwrap();
    assert_eq!(other.open(&text).unwrap_err(), EnvelopeError::Other);
    assert!(!text.contains("canary"));
}

#[test]
fn what_is_changed_or_cut_anywhere_opens_nowhere() {
    let identity = Identity::generate().unwrap();
    let text = identity.recipient().seal(&[7; 70_000]).unwrap();
    let bytes = armor::unwrapped(&text).unwrap();
    let head = bytes.windows(4).position(|part| part == b"\n---").unwrap() + 50;
    for at in (0..head).chain([head + 20, head + 66_000, bytes.len() - 1]) {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        assert!(identity.open(&armor::wrapped(&changed)).is_err(), "byte {at}");
    }
    for end in [0, 10, head, head + 16, head + 17, head + 65_552 + 16, bytes.len() - 1] {
        assert!(identity.open(&armor::wrapped(&bytes[..end])).is_err(), "cut at {end}");
    }
    for wrong in [
        "",
        "x",
        "-----BEGIN AGE ENCRYPTED FILE-----",
        "-----BEGIN AGE ENCRYPTED FILE-----\n?\n-----END AGE ENCRYPTED FILE-----",
    ] {
        assert_eq!(identity.open(wrong).unwrap_err(), EnvelopeError::Format);
    }
}

#[test]
fn a_text_that_is_no_key_is_refused() {
    let good = Identity::generate().unwrap().recipient().to_string();
    let mut swapped: Vec<char> = good.chars().collect();
    swapped.swap(20, 21);
    let typo: String = good.chars().map(|c| if c == 'q' { 'p' } else { c }).collect();
    let upper = good.to_uppercase();
    for wrong in ["", "age1", "age1qqqqqqqq", &good[..good.len() - 1], &format!("{good}q"), &upper, "abe1qqq"]
    {
        assert!(Recipient::parse(wrong).is_err(), "{wrong}");
    }
    for (wrong, same) in
        [(swapped.iter().collect::<String>(), swapped[20] == swapped[21]), (typo, !good[4..].contains('q'))]
    {
        assert!(same || Recipient::parse(&wrong).is_err(), "{wrong}");
    }
    assert!(Identity::parse("# nothing\n").is_err() && Identity::parse(&good).is_err());
    // The point from which everybody makes the same secret.
    let weak = bech32::encode(RECIPIENT, &[0; 32]);
    assert_eq!(Recipient::parse(&weak).unwrap().seal(b"x").unwrap_err(), EnvelopeError::Recipient);
}

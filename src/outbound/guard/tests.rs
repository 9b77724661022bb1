//! The guard over real sockets of this machine, with a resolver that says what a test wants.

#![expect(clippy::unwrap_used, reason = "a test reports by panicking")]

use std::{
    collections::VecDeque,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;

/// Gives its answers one after the other, the last one for ever, and counts the questions.
#[derive(Clone, Default)]
struct Script(Arc<(Mutex<VecDeque<Vec<IpAddr>>>, AtomicUsize)>);

impl Script {
    fn new(answers: &[&[&str]]) -> Self {
        let read = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Self(Arc::new((Mutex::new(answers.iter().map(read).collect()), AtomicUsize::new(0))))
    }

    fn asked(&self) -> usize {
        self.0.1.load(Ordering::SeqCst)
    }
}

impl Resolve for Script {
    fn resolve(&self, _: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        self.0.1.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.0.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() }
            .unwrap_or_default();
        Box::pin(async move { Ok(answer) })
    }
}

/// A server that gives each connection the next of `answers` (the last one for ever) and keeps what it was asked.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(answers: Vec<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut answers: VecDeque<Vec<u8>> = answers.into();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read(&mut byte).await.unwrap_or(0) == 0 {
                        break;
                    }
                    head.push(byte[0]);
                }
                log.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
                let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
                let answer = answer.unwrap();
                tokio::spawn(async move {
                    let _sent = stream.write_all(&answer).await;
                    if answer.is_empty() || answer.ends_with(b"...") {
                        tokio::time::sleep(Duration::from_secs(60)).await;
                    }
                });
            }
        });
        Self { port, asked }
    }

    async fn saying(answers: &[&str]) -> Self {
        Self::start(answers.iter().map(|answer| answer.as_bytes().to_vec()).collect()).await
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/pic", self.port)
    }

    /// A guard that may reach this server.
    fn guard(&self, limits: FetchLimits, resolver: Script) -> GuardedFetch {
        let allow = AllowList::parse([format!("127.0.0.1:{}", self.port)]).unwrap();
        GuardedFetch::with(allow, limits, resolver)
    }
}

const PICTURE: &str = "HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 3\r\n\r\nPNG";

fn home() -> Script {
    Script::new(&[&["127.0.0.1"]])
}

async fn refusal(guard: &GuardedFetch, url: &str) -> FetchError {
    guard.fetch(url).await.unwrap_err()
}

#[tokio::test]
async fn an_allowed_place_is_fetched_with_nothing_of_the_hub_in_it() {
    let server = Server::saying(&[PICTURE]).await;
    let guard = server.guard(FetchLimits::default(), home());
    let got = guard.fetch(&server.url("files.example")).await.unwrap();
    assert_eq!(got, Fetched { bytes: Bytes::from_static(b"PNG"), content_type: Some("image/png".into()) });
    let head = server.asked().remove(0);
    let mut lines: Vec<&str> = head.trim_end().lines().collect();
    lines.sort_unstable();
    let host = format!("host: files.example:{}", server.port);
    let agent = concat!("user-agent: trivium/", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        lines,
        ["GET /pic HTTP/1.1", "accept-encoding: identity", "accept: */*", host.as_str(), agent]
    );
}

/// What is said of an address that may not be reached, and of one that is not written as it should be.
const NO: FetchError = FetchError::Forbidden;
const ODD: FetchError = FetchError::Host;

/// Every way to write an inner host that is known, each with what is said of it. One table for both: for fetches of what requests
/// name, and for posts to what the operator wrote.
const INNER: &[(&str, &[&str], FetchError)] = &[
    ("this machine", &["127.0.0.1", "127.0.0.2", "127.255.255.254", "0.0.0.0", "0.1.2.3"], NO),
    ("private networks", &["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1"], NO),
    ("shared and link-local", &["100.64.0.1", "100.127.255.254", "169.254.0.1", "169.254.255.254"], NO),
    (
        "reserved",
        &["192.0.0.1", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.19.255.254", "198.51.100.1"],
        NO,
    ),
    ("reserved too", &["203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"], NO),
    ("credentials of clouds", &["169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200"], NO),
    (
        "more of them",
        &["168.63.129.16", "192.0.0.192", "[fd00:ec2::254]", "[fd00:ec2::23]", "[fd20:ce::254]"],
        NO,
    ),
    (
        "IPv6's own",
        &["[::1]", "[::]", "[fe80::1]", "[febf::1]", "[fec0::1]", "[fc00::1]", "[fd12:3456::1]"],
        NO,
    ),
    (
        "and reserved",
        &["[ff02::1]", "[100::1]", "[2001:db8::1]", "[2001::1]", "[2001:2::1]", "[3fff::1]", "[5f00::1]"],
        NO,
    ),
    (
        "mapped",
        &[
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::ffff:10.0.0.1]",
            "[::ffff:a9fe:a9fe]",
            "[::ffff:8.8.8.8]",
        ],
        NO,
    ),
    (
        "compatible, translated",
        &["[::127.0.0.1]", "[::7f00:1]", "[::ffff:0:127.0.0.1]", "[::ffff:0:7f00:1]"],
        NO,
    ),
    (
        "6to4",
        &[
            "[2002:7f00:1::]",
            "[2002:a00:1::1]",
            "[2002:c0a8:101::1]",
            "[2002:a9fe:a9fe::1]",
            "[2002:e000:1::1]",
        ],
        NO,
    ),
    (
        "NAT64",
        &["[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a00:1]"],
        NO,
    ),
    (
        "long forms",
        &["[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:ffff:7f00:0001]", "[::FFFF:127.0.0.1]"],
        NO,
    ),
    (
        "decimal",
        &["2130706433", "167772161", "2852039166", "127.1", "127.0.1", "10.1", "4294967297", "0"],
        ODD,
    ),
    (
        "hexadecimal",
        &["0x7f000001", "0x7f.0.0.1", "0x7f.1", "0X7F000001", "0xa9fea9fe", "0x7f.0x0.0x0.0x1"],
        ODD,
    ),
    (
        "octal",
        &["017700000001", "0177.0.0.1", "0177.0.1", "127.0.0.01", "0251.0376.0251.0376", "00177.0.0.1"],
        ODD,
    ),
    (
        "other scripts",
        &["①②⑦.0.0.1", "１２７.０.０.１", "127。0。0。1", "%31%32%37.0.0.1", "127.0.0.1."],
        ODD,
    ),
];

/// Names, and what comes behind or before an address so that it is read in two ways.
const HIDDEN: &[(&str, FetchError)] = &[
    ("http://user@127.0.0.1/", FetchError::UserInfo),
    ("http://example.com@127.0.0.1/", FetchError::UserInfo),
    ("http://127.0.0.1%2f@example.com/", FetchError::UserInfo),
    ("http://127.0.0.1\\@example.com/", FetchError::Malformed),
    ("http:127.0.0.1/", FetchError::Malformed),
    ("http:///127.0.0.1/", FetchError::Malformed),
    ("http://127.0.0.1#@example.com/", FetchError::Forbidden),
    ("http://127.0.0.1:80/", FetchError::Forbidden),
    ("http://[fe80::1%25eth0]/", FetchError::Host),
    ("file:///etc/passwd", FetchError::Scheme),
    ("gopher://127.0.0.1/", FetchError::Scheme),
    ("//127.0.0.1/", FetchError::Malformed),
];

/// What a table's host is as an address, where it is one as it stands.
fn address_of(host: &str) -> Option<String> {
    let bare = host.trim_matches(['[', ']']);
    bare.parse::<IpAddr>().ok().map(|_| bare.to_owned())
}

/// A post to a URL by somebody who may not go inside, with a resolver that knows nothing.
async fn told(url: &str) -> Result<u16, FetchError> {
    let limit = Duration::from_secs(5);
    GuardedPost::with(Script::new(&[&[]])).post(url, http::HeaderMap::new(), Bytes::new(), false, limit).await
}

#[tokio::test]
async fn the_table_of_ways_inside_leads_nowhere() {
    let server = Server::saying(&[PICTURE]).await;
    let outside = || Script::new(&[&["93.184.215.14"]]);
    let plain = |resolver| GuardedFetch::with(AllowList::default(), FetchLimits::default(), resolver);
    for (what, hosts, wanted) in INNER {
        for host in *hosts {
            for url in [format!("http://{host}/"), format!("https://{host}/x")] {
                assert_eq!(refusal(&plain(outside()), &url).await, *wanted, "{what}: {url}");
                assert_eq!(told(&url).await, Err(*wanted), "{what}: a post to {url}");
            }
            // At the port of a server that listens: the address is not even tried.
            let port = if *wanted == NO { FetchError::Port(server.port) } else { *wanted };
            assert_eq!(refusal(&plain(outside()), &server.url(host)).await, port, "{what}: {host}");
            // As the answer of a resolver, alone and behind a public one.
            if let Some(address) = address_of(host) {
                for answer in [vec![address.as_str()], vec!["93.184.215.14", address.as_str()]] {
                    let guard = plain(Script::new(&[answer.as_slice()]));
                    assert_eq!(refusal(&guard, "http://evil.example/").await, NO, "{what}: {answer:?}");
                    assert_eq!(posted(&server, &answer, false).await, Err(NO), "{what}: {answer:?}");
                }
            }
        }
    }
    for (url, wanted) in HIDDEN {
        assert_eq!(refusal(&plain(outside()), url).await, *wanted, "{url}");
        assert_eq!(told(url).await, Err(*wanted), "a post to {url}");
    }
    assert_eq!(server.asked(), [""; 0]);
}

#[tokio::test]
async fn the_table_of_ways_inside_is_closed_to_redirects_too() {
    for (what, hosts, wanted) in INNER {
        for host in *hosts {
            let to = format!("HTTP/1.1 302 Found\r\nlocation: http://{host}/\r\ncontent-length: 0\r\n\r\n");
            // What bytes of other scripts are in a header is not defined; they are refused at once.
            if !host.is_ascii() {
                continue;
            }
            let server = Server::saying(&[&to]).await;
            // The server itself may be reached, and nothing else at another port.
            let guard = server.guard(FetchLimits::default(), home());
            assert_eq!(refusal(&guard, &server.url("files.example")).await, *wanted, "{what}: {host}");
            assert_eq!(server.asked().len(), 1, "{what}: {host}");
        }
    }
}

#[tokio::test]
async fn a_name_that_is_bound_anew_leads_to_what_was_checked() {
    let inner = [&["127.0.0.1"][..], &["169.254.169.254"], &["::ffff:127.0.0.1"], &["64:ff9b::a9fe:a9fe"]];
    for second in inner {
        // The first answer is good, the second is what an attacker would like to be connected to.
        let script = Script::new(&[&["127.0.0.1"][..], second]);
        let server = Server::saying(&[PICTURE]).await;
        let url = server.url("rebind.example");
        let guard = server.guard(FetchLimits::default(), script.clone());
        assert!(guard.fetch(&url).await.is_ok());
        assert_eq!((script.asked(), server.asked().len()), (1, 1), "resolved once, and that is connected to");
        // As the first answer, and so where it is checked.
        let plain = GuardedFetch::with(AllowList::default(), FetchLimits::default(), Script::new(&[second]));
        assert_eq!(refusal(&plain, "http://rebind.example/").await, NO, "{second:?}");
    }
}

#[tokio::test]
async fn credentials_of_clouds_are_closed_even_to_those_who_may_go_inside() {
    let server = Server::saying(&[PICTURE]).await;
    for address in [
        "169.254.169.254",
        "169.254.170.2",
        "100.100.100.200",
        "168.63.129.16",
        "fd00:ec2::254",
        "fd20:ce::254",
    ] {
        assert_eq!(posted(&server, &[address], true).await, Err(NO), "{address}");
    }
    for address in ["169.254.1.1", "0.0.0.0", "64:ff9b::a00:1", "2002:a00:1::1", "::ffff:10.0.0.1"] {
        assert_eq!(posted(&server, &[address], true).await, Err(NO), "{address}");
    }
    assert_eq!(server.asked(), [""; 0]);
}

#[tokio::test]
async fn one_bad_address_spoils_the_name() {
    let script = Script::new(&[&["93.184.215.14", "10.0.0.1"]]);
    let guard = GuardedFetch::with(AllowList::default(), FetchLimits::default(), script);
    assert_eq!(refusal(&guard, "http://both.example/").await, FetchError::Forbidden);
}

#[tokio::test]
async fn the_name_is_resolved_once_and_the_checked_address_is_the_one_connected_to() {
    let server = Server::saying(&[PICTURE]).await;
    // The second answer is what a rebinding attacker would like to have connected to.
    let script = Script::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let guard = server.guard(FetchLimits::default(), script.clone());
    assert!(guard.fetch(&server.url("rebind.example")).await.is_ok());
    assert_eq!(script.asked(), 1);
    assert_eq!(server.asked().len(), 1);
    assert_eq!(refusal(&guard, &server.url("rebind.example")).await, FetchError::Forbidden);
}

#[tokio::test]
async fn each_redirect_is_checked_anew() {
    let cases = [
        ("http://169.254.169.254/latest/meta-data", FetchError::Forbidden),
        ("http://[::1]/", FetchError::Forbidden),
        ("http://2130706433/", FetchError::Host),
        ("http://user:pw@files.example/", FetchError::UserInfo),
        ("file:///etc/passwd", FetchError::Scheme),
        ("//localhost:6379/", FetchError::Port(6379)),
    ];
    for (to, wanted) in cases {
        let server = Server::saying(&[&format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\n\r\n")]).await;
        let guard = server.guard(FetchLimits::default(), home());
        assert_eq!(refusal(&guard, &server.url("files.example")).await, wanted, "{to}");
    }
}

#[tokio::test]
async fn a_redirect_to_the_same_name_is_resolved_and_checked_anew() {
    let server = Server::saying(&["HTTP/1.1 307 Temporary Redirect\r\nlocation: /b\r\n\r\n"]).await;
    let script = Script::new(&[&["127.0.0.1"], &["10.0.0.1"]]);
    let guard = server.guard(FetchLimits::default(), script.clone());
    assert_eq!(refusal(&guard, &server.url("files.example")).await, FetchError::Forbidden);
    assert_eq!((script.asked(), server.asked().len()), (2, 1));
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_not() {
    let redirect = "HTTP/1.1 301 Moved\r\nlocation: /next\r\n\r\n";
    let server = Server::saying(&[redirect, redirect, redirect, PICTURE]).await;
    let guard = server.guard(FetchLimits::default(), home());
    assert!(guard.fetch(&server.url("files.example")).await.is_ok());
    let endless = Server::saying(&[redirect]).await;
    let guard = endless.guard(FetchLimits::default(), home());
    assert_eq!(refusal(&guard, &endless.url("files.example")).await, FetchError::Redirects(3));
    assert_eq!(endless.asked().len(), 4);
}

#[tokio::test]
async fn sizes_are_bounded_whatever_is_said_about_them() {
    let limits = FetchLimits { bytes: 1000, ..FetchLimits::default() };
    let said = "HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n...".to_owned();
    let unsaid = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1001));
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}",
        "fa\r\n".to_owned() + &"x".repeat(250) + "\r\n"
    );
    let chunked = chunked.clone() + &("fa\r\n".to_owned() + &"x".repeat(250) + "\r\n").repeat(4) + "...";
    for answer in [said, unsaid, chunked] {
        let server = Server::saying(&[&answer]).await;
        let guard = server.guard(limits, home());
        assert_eq!(refusal(&guard, &server.url("files.example")).await, FetchError::TooLarge(1000));
    }
    let server = Server::saying(&[&format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1000))]).await;
    let got = server.guard(limits, home()).fetch(&server.url("files.example")).await.unwrap();
    assert_eq!((got.bytes.len(), got.content_type), (1000, None));
}

#[tokio::test]
async fn the_whole_fetch_has_one_time_limit() {
    let limits = FetchLimits { time: Duration::from_millis(200), ..FetchLimits::default() };
    for answer in ["", "HTTP/1.1 200 OK\r\nx: ...", "HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\n..."] {
        let server = Server::saying(&[answer]).await;
        let guard = server.guard(limits, home());
        assert_eq!(
            refusal(&guard, &server.url("files.example")).await,
            FetchError::Timeout(limits.time),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn what_an_inner_host_answers_stays_there() {
    let server = Server::saying(&["HTTP/1.1 403 Forbidden\r\ncontent-length: 6\r\n\r\nsecret"]).await;
    let guard = server.guard(FetchLimits::default(), home());
    let error = refusal(&guard, &server.url("files.example")).await;
    assert_eq!(error, FetchError::Status(None));
    assert_eq!(error.to_string(), "its host did not answer with success");
    assert_eq!(FetchError::Status(Some(404)).to_string(), "its host did not answer with success (404)");
}

#[tokio::test]
async fn compressed_and_broken_answers_are_refused() {
    let gzip = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc";
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc";
    let cases = [
        (gzip, FetchError::Encoding),
        (short, FetchError::Unreachable),
        ("hello", FetchError::Unreachable),
        ("HTTP/1.1 302 Found\r\n\r\n", FetchError::Status(None)),
        ("HTTP/1.1 304 Not Modified\r\nlocation: /x\r\n\r\n", FetchError::Status(None)),
    ];
    for (answer, wanted) in cases {
        let server = Server::saying(&[answer]).await;
        let guard = server.guard(FetchLimits::default(), home());
        assert_eq!(refusal(&guard, &server.url("files.example")).await, wanted, "{answer}");
    }
}

#[tokio::test]
async fn names_without_addresses_and_hosts_that_are_away_are_told() {
    let guard = GuardedFetch::with(AllowList::default(), FetchLimits::default(), Script::new(&[&[]]));
    assert_eq!(refusal(&guard, "http://nobody.example/").await, FetchError::Unresolved);
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let allow = AllowList::parse([format!("127.0.0.1:{closed}")]).unwrap();
    let guard = GuardedFetch::with(allow, FetchLimits::default(), home());
    assert_eq!(refusal(&guard, &format!("http://files.example:{closed}/")).await, FetchError::Unreachable);
    assert_eq!(refusal(&guard, &format!("https://files.example:{closed}/")).await, FetchError::Unreachable);
}

#[tokio::test]
async fn the_second_address_is_tried_when_the_first_is_away() {
    let server = Server::saying(&[PICTURE]).await;
    let allow = AllowList::parse([format!("127.0.0.0/8:{}", server.port)]).unwrap();
    let script = Script::new(&[&["127.0.0.9", "127.0.0.1"]]);
    let guard = GuardedFetch::with(allow, FetchLimits::default(), script);
    assert!(guard.fetch(&server.url("files.example")).await.is_ok());
}

#[tokio::test]
async fn the_systems_resolver_is_checked_too() {
    let guard = GuardedFetch::new(AllowList::default());
    assert_eq!(refusal(&guard, "http://localhost/").await, FetchError::Forbidden);
}

#[tokio::test]
async fn tls_asks_for_the_name_and_not_for_the_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hello = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut hello = vec![0; 4096];
        let length = stream.read(&mut hello).await.unwrap();
        hello.truncate(length);
        hello
    });
    let allow = AllowList::parse([format!("files.example:{port}")]).unwrap();
    let guard = GuardedFetch::with(allow, FetchLimits::default(), home());
    let url = format!("https://files.example:{port}/");
    assert_eq!(refusal(&guard, &url).await, FetchError::Unreachable);
    let hello = hello.await.unwrap();
    assert!(hello.windows(13).any(|bytes| bytes == b"files.example"));
}

/// Posts `x` to a name at the server's port, with the addresses that the resolver gives.
async fn posted(server: &Server, addresses: &[&str], inner: bool) -> Result<u16, FetchError> {
    let post = GuardedPost::with(Script::new(&[addresses]));
    let url = format!("http://hook.example:{}/a?b", server.port);
    let headers = http::HeaderMap::from_iter([(CONTENT_TYPE, http::HeaderValue::from_static("text/x"))]);
    post.post(&url, headers, Bytes::from_static(b"x"), inner, Duration::from_secs(5)).await
}

#[tokio::test]
async fn a_post_reaches_inner_addresses_only_where_that_is_allowed() {
    let answer =
        b"HTTP/1.1 307 x\r\nlocation: http://elsewhere.example/\r\ncontent-length: 0\r\n\r\n".to_vec();
    let server = Server::start(vec![answer]).await;
    assert_eq!(posted(&server, &["127.0.0.1"], false).await, Err(FetchError::Forbidden));
    assert_eq!(posted(&server, &["8.8.8.8", "127.0.0.1"], false).await, Err(FetchError::Forbidden));
    assert_eq!(posted(&server, &["127.0.0.1", "169.254.169.254"], true).await, Err(FetchError::Forbidden));
    assert_eq!(posted(&server, &[], true).await, Err(FetchError::Unresolved));
    assert!(server.asked.lock().unwrap().is_empty());
    assert_eq!(posted(&server, &["127.0.0.1"], true).await, Ok(307), "told, and not followed");
    let asked = server.asked.lock().unwrap().join("\n");
    assert!(asked.starts_with("POST /a?b HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains(&format!("host: hook.example:{}\r\n", server.port)), "{asked}");
    assert!(asked.contains("content-type: text/x\r\n") && asked.contains("content-length: 1\r\n"), "{asked}");
}

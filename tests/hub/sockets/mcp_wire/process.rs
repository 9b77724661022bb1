//! `trivium --mcp` as an MCP client sees it: what goes in, and lines that are all JSON.

use std::{
    fs::File,
    io::{BufRead, BufReader, Write},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
    thread,
};

use serde_json::Value;
use tokio::sync::mpsc;

use super::{
    super::support::{Ground, SOON, eventually},
    initialize, ready, request,
};

/// A process and the two ends of it.
pub(super) struct Talker {
    child: Child,
    input: Option<ChildStdin>,
    output: mpsc::Receiver<String>,
    next_id: u32,
}

impl Talker {
    /// Starts one that would listen at any port.
    pub(super) fn start(ground: &Ground, args: &[&str]) -> Self {
        let mut command = ground.command(&[&["--mcp", "--port", "0"], args].concat());
        let log = File::options().create(true).append(true).open(ground.home().join("stderr")).unwrap();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, output) = mpsc::channel(10_000);
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                drop(sender.blocking_send(line));
            }
        });
        Self { input: child.stdin.take(), child, output, next_id: 100 }
    }

    /// Starts one and opens the conversation.
    pub(super) async fn open(ground: &Ground, args: &[&str]) -> Self {
        let mut talker = Self::start(ground, args);
        talker.say(&initialize(0));
        let answer = talker.answer(0).await;
        assert_eq!(answer["result"]["serverInfo"]["name"], "trivium", "{answer}");
        talker.say(&ready());
        talker
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn say(&mut self, message: &Value) {
        self.write(format!("{message}\n").as_bytes());
    }

    pub(super) fn write(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// The next message; `None` when there are no more.
    pub(super) async fn hear(&mut self) -> Option<Value> {
        let line = tokio::time::timeout(2 * SOON, self.output.recv()).await.expect("a message in time")?;
        Some(serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}")))
    }

    /// The answer to that request.
    pub(super) async fn answer(&mut self, id: u32) -> Value {
        loop {
            let message = self.hear().await.expect("an answer before the end");
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
        }
    }

    /// Asks, and waits for the answer.
    pub(super) async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.next_id += 1;
        let id = self.next_id;
        self.say(&request(id, method, params));
        self.answer(id).await
    }

    /// Closes the input, as clients do that have had enough.
    pub(super) fn leave(&mut self) {
        drop(self.input.take());
    }

    /// Sends a signal, by its name.
    pub(super) fn signal(&self, name: &str) {
        signal(self.id(), name);
    }

    pub(super) async fn end(&mut self) -> ExitStatus {
        eventually("the process ends", 2 * SOON, || self.child.try_wait().unwrap()).await
    }
}

impl Drop for Talker {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Sends a signal to a process of the test's own.
pub(super) fn signal(pid: u32, name: &str) {
    let sent = Command::new("sh").arg("-c").arg(format!("kill -{name} {pid}")).status().unwrap();
    assert!(sent.success());
}

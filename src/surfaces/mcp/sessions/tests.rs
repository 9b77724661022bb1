//! What becomes of sessions that nobody uses, that wait for long, and whose clients do not read.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use rmcp::{
    ErrorData, RoleServer, ServerHandler,
    model::{
        CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ServerCapabilities,
        ServerConfig,
    },
    service::RequestContext,
    transport::streamable_http_server::StreamableHttpService,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{super::opening, *};
use crate::{engine::settings::Mcp, store::MemoryStore};

/// Some Sunday in September 2001.
const START: i64 = 1_000_000_000_000;

const MINUTE: Duration = Duration::from_secs(60);

/// A clock that goes with the paused one of tokio.
struct Paused(Instant);

impl Clock for Paused {
    fn now(&self) -> i64 {
        START + i64::try_from(self.0.elapsed().as_millis()).unwrap()
    }
}

/// A server with two tools: `sleep` for twenty minutes, and `shout` far more than fits into a stream.
struct Plain;

const SHOUTS: usize = 500;

impl ServerHandler for Plain {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
    }

    async fn call_tool(
        &self,
        params: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        if params.name == "sleep" {
            tokio::time::sleep(20 * MINUTE).await;
        } else {
            for _ in 0..SHOUTS {
                context.peer.notify_tool_list_changed().await.unwrap();
            }
        }
        Ok(CallToolResult::success(vec![ContentBlock::text("done")]).into())
    }
}

struct Server {
    store: Arc<MemoryStore>,
    sessions: Arc<Sessions>,
    service: StreamableHttpService<Plain, Sessions>,
}

type Answer = http::Response<http_body_util::combinators::BoxBody<Bytes, std::convert::Infallible>>;

impl Server {
    fn start(most: usize) -> Self {
        Self::on(Arc::new(MemoryStore::default()), most)
    }

    fn on(store: Arc<MemoryStore>, most: usize) -> Self {
        let settings = Arc::new(Mcp { sessions: most, ..Mcp::default() });
        let settings: Settings = Box::new(move || Arc::clone(&settings));
        let kept: Arc<dyn McpSessionStore> = Arc::<MemoryStore>::clone(&store);
        let sessions = Arc::new(Sessions::new(kept, Arc::new(Paused(Instant::now())), settings));
        sessions.look_after();
        // The library's signs of life go by the real time, which a paused clock leaves behind.
        let config = StreamableHttpServerConfig::default().disable_allowed_hosts().with_sse_keep_alive(None);
        let config = sessions.kept_in(config);
        let service = StreamableHttpService::new(|| Ok(Plain), Arc::clone(&sessions), config);
        Self { store, sessions, service }
    }

    async fn send(&self, caller: &str, method: &str, session: Option<&str>, body: &Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri("/mcp")
            .header("host", "localhost")
            .header("accept", "application/json, text/event-stream")
            .header("content-type", "application/json");
        let request = match session {
            Some(id) => request.header("mcp-session-id", id).header("mcp-protocol-version", "2025-11-25"),
            None => request,
        };
        let request = request.body(Full::new(Bytes::from(body.to_string()))).unwrap();
        CALLER.scope(Arc::from(caller), self.service.handle(request)).await
    }

    async fn post(&self, session: &str, id: u32, method: &str, params: Value) -> Answer {
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        self.send("key_1", "POST", Some(session), &body).await
    }

    /// A new session.
    async fn open(&self) -> String {
        self.open_as("key_1", "t").await
    }

    /// A new session of somebody, whose client is called so.
    async fn open_as(&self, caller: &str, client: &str) -> String {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": client, "version": "1"}});
        let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let answer = self.send(caller, "POST", None, &body).await;
        assert_eq!(answer.status(), 200);
        let id = answer.headers()["mcp-session-id"].to_str().unwrap().to_owned();
        assert_eq!(answered(answer, 0).await["result"]["protocolVersion"], "2025-11-25");
        let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(self.send(caller, "POST", Some(&id), &ready).await.status(), 202);
        id
    }

    /// Whether the session is in memory, and whether it is written down.
    async fn is_there(&self, id: &str) -> (bool, bool) {
        let kept = self.store.owner(id.to_owned()).await.unwrap();
        (self.sessions.held.owner(id).is_some(), kept.is_some())
    }

    async fn must_answer(&self, session: &str) {
        let answer = self.post(session, 9, "ping", json!({})).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answered(answer, 9).await["result"], json!({}));
    }

    /// The stream on which the server speaks of itself.
    async fn stand(&self, session: &str) -> Answer {
        let answer = self.send("key_1", "GET", Some(session), &Value::Null).await;
        assert_eq!(answer.status(), 200);
        answer
    }
}

/// The answer to that request, from a stream of events.
async fn answered(answer: Answer, id: u32) -> Value {
    let mut body = answer.into_body();
    while let Some(frame) = body.frame().await {
        let text = String::from_utf8(frame.unwrap().into_data().unwrap_or_default().to_vec()).unwrap();
        let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
        let found = data.filter_map(|data| serde_json::from_str::<Value>(data.trim()).ok());
        if let Some(message) = found.into_iter().find(|message| message["id"] == id) {
            return message;
        }
    }
    Value::Null
}

#[tokio::test(start_paused = true)]
async fn a_thousand_abandoned_sessions_leave_the_process_and_can_be_taken_up_again() {
    let server = Server::start(2_000);
    let mut ids = Vec::new();
    for _ in 0..1_000 {
        ids.push(server.open().await);
    }
    assert_eq!(server.sessions.held.len(), 1_000);
    tokio::time::sleep(7 * MINUTE).await;
    assert_eq!(server.sessions.held.len(), 0);
    assert_eq!(server.sessions.standing.sessions.read().await.len(), 0, "and of their tasks nothing is left");
    server.must_answer(&ids[17]).await;
    assert_eq!(server.sessions.held.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn as_many_stand_as_may_and_those_without_streams_make_room_first() {
    let server = Server::start(3);
    let streaming = server.open().await;
    let standing = server.stand(&streaming).await;
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        server.open().await;
    }
    assert_eq!(server.sessions.held.len(), 3);
    assert!(server.sessions.held.is_served(&streaming));
    drop(standing);
}

#[tokio::test(start_paused = true)]
async fn one_who_opens_many_sessions_pushes_out_no_others() {
    let server = Server::start(4);
    let quiet = server.open_as("key_2", "t").await;
    let mut loud = Vec::new();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        loud.push(server.open_as("key_1", "t").await);
    }
    assert_eq!(server.is_there(&quiet).await, (true, true));
    assert_eq!((server.sessions.held.len(), server.store.count().await.unwrap()), (4, 4));
    // Who has none takes the place from who has the most.
    tokio::time::sleep(Duration::from_millis(10)).await;
    let new = server.open_as("key_3", "t").await;
    assert_eq!(server.is_there(&quiet).await, (true, true));
    assert_eq!(server.is_there(&new).await, (true, true));
    assert_eq!(server.is_there(&loud[7]).await, (false, false), "the oldest of three");
    assert_eq!(server.is_there(&loud[8]).await, (true, true));
    // And has then his own place alone.
    tokio::time::sleep(Duration::from_millis(10)).await;
    let newer = server.open_as("key_3", "t").await;
    assert_eq!(server.is_there(&new).await, (false, false));
    assert_eq!(server.is_there(&newer).await, (true, true));
    for id in [&quiet, &loud[8], &loud[9]] {
        assert_eq!(server.is_there(id).await, (true, true));
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_too_large_is_not_written_down() {
    let server = Server::start(4);
    server.open_as("key_1", &"x".repeat(opening::LIMIT)).await;
    assert_eq!(server.store.count().await.unwrap(), 0);
    server.open_as("key_1", &"x".repeat(opening::LIMIT / 2)).await;
    assert_eq!(server.store.count().await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_waits_and_a_call_that_takes_its_time_are_not_cut() {
    let server = Server::start(10);
    let (waits, works) = (server.open().await, server.open().await);
    let standing = server.stand(&waits).await;
    let call = server.post(&works, 3, "tools/call", json!({"name": "sleep"})).await;
    assert_eq!(answered(call, 3).await["result"]["content"][0]["text"], "done");
    assert!(server.sessions.held.is_served(&waits), "after twenty minutes");
    // What is in use is written down as used, though nobody asked for it.
    let recently = START + 12 * 60_000;
    assert_eq!(server.store.sweep(recently).await.unwrap(), 0);
    let shout = server.post(&waits, 4, "tools/call", json!({"name": "shout"})).await;
    assert_eq!(answered(shout, 4).await["result"]["content"][0]["text"], "done");
    let mut body = standing.into_body();
    let mut seen = String::new();
    while !seen.contains("list_changed") {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        seen.push_str(std::str::from_utf8(&frame).unwrap());
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_not_read_holds_nobody_up_and_does_not_grow() {
    let server = Server::start(10);
    let (deaf, other) = (server.open().await, server.open().await);
    let standing = server.stand(&deaf).await;
    let shout = server.post(&deaf, 3, "tools/call", json!({"name": "shout"})).await;
    assert_eq!(answered(shout, 3).await["result"]["content"][0]["text"], "done");
    server.must_answer(&deaf).await;
    server.must_answer(&other).await;
    // What waited is there, and then the stream ends: there is more that its client has not heard.
    let text = tokio::time::timeout(MINUTE, standing.into_body().collect()).await.unwrap();
    let text = String::from_utf8(text.unwrap().to_bytes().to_vec()).unwrap();
    let heard = text.matches("list_changed").count();
    assert!((1..SHOUTS / 2).contains(&heard), "{heard}");
    drop(server.stand(&deaf).await);
}

#[tokio::test(start_paused = true)]
async fn who_comes_back_while_the_old_session_ends_is_served() {
    let server = Server::start(10);
    let id = server.open().await;
    let session: SessionId = id.clone().into();
    // As when nobody used it for long; what served it is told, and takes its time to end.
    server.sessions.end(&session).await.unwrap();
    server.must_answer(&id).await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(server.sessions.held.is_served(&id));
    server.must_answer(&id).await;
}

#[tokio::test(start_paused = true)]
async fn a_session_outlives_the_process_and_is_nobody_elses() {
    let server = Server::start(10);
    let id = server.open().await;
    let again = Server::on(Arc::clone(&server.store), 10);
    drop(server);
    for method in ["POST", "GET"] {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let answer = again.send("key_2", method, Some(&id), &body).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{method}");
    }
    // The library forgets in a moment that it looked in vain. The door lets nobody through to another's session.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert!(
        again.sessions.is_anothers(&id, "key_2").await && !again.sessions.is_anothers(&id, "key_1").await
    );
    assert!(again.sessions.is_of(&id, "key_1").await && !again.sessions.is_of(&id, "key_2").await);
    again.must_answer(&id).await;
    assert_eq!(again.send("key_2", "GET", Some(&id), &Value::Null).await.status(), StatusCode::NOT_FOUND);
    assert_eq!(again.send("key_1", "DELETE", Some(&id), &Value::Null).await.status(), StatusCode::ACCEPTED);
    let gone = again.post(&id, 1, "ping", json!({})).await;
    assert_eq!(gone.status(), StatusCode::NOT_FOUND);
    assert_eq!(again.sessions.held.len(), 0);
}

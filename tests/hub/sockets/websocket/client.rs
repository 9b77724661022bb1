//! A WebSocket client with patience of a bounded kind.

use std::{collections::VecDeque, net::SocketAddr};

use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest},
};

use super::super::{
    raw::error_code,
    support::{Hub, SOON},
};

/// A socket that is open.
pub(super) struct Socket {
    ws: WebSocketStream<TcpStream>,
    headers: HeaderMap,
    /// Frames that were read while another was looked for.
    passed: VecDeque<Value>,
}

/// An `Authorization` header.
pub(super) struct Bearer(String);

pub(super) fn bearer(key: &str) -> Bearer {
    Bearer(format!("Bearer {key}"))
}

impl Bearer {
    pub(super) fn as_ref(&self) -> (&str, &str) {
        ("authorization", &self.0)
    }
}

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.unwrap_or_else(|_| panic!("not in time: {what}"))
}

impl Socket {
    /// Opens a socket with the operator's key.
    pub(super) async fn of(hub: &Hub) -> Self {
        Self::open(hub.address, "/v1/ws", &[bearer(&hub.key).as_ref()]).await.unwrap()
    }

    /// Opens a socket, or answers the status and the code of the refusal.
    pub(super) async fn open(
        address: SocketAddr,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Self, String> {
        Self::open_over(TcpStream::connect(address).await.unwrap(), path, headers).await
    }

    /// A socket whose system takes as little as it may before the client reads.
    pub(super) async fn narrow(hub: &Hub) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let tcp = socket.connect(hub.address).await.unwrap();
        Self::open_over(tcp, "/v1/ws", &[bearer(&hub.key).as_ref()]).await.unwrap()
    }

    async fn open_over(tcp: TcpStream, path: &str, headers: &[(&str, &str)]) -> Result<Self, String> {
        let mut request = format!("ws://{}{path}", tcp.peer_addr().unwrap()).into_client_request().unwrap();
        for (name, value) in headers {
            let name = HeaderName::try_from(*name).unwrap();
            request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
        }
        match soon("the handshake", client_async(request, tcp)).await {
            Ok((ws, response)) => {
                Ok(Self { ws, headers: response.headers().clone(), passed: VecDeque::new() })
            }
            Err(Error::Http(response)) => {
                let body = String::from_utf8(response.body().clone().unwrap_or_default()).unwrap();
                Err(format!("{} {}", response.status().as_u16(), error_code(&body)))
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// A header of the answer that opened the socket.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        Some(self.headers.get(name)?.to_str().unwrap().to_owned())
    }

    /// Asks for a chat completion of `m`; `more` goes into the body.
    pub(super) async fn ask(&mut self, id: &str, more: Value) {
        let mut payload = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
        for (name, value) in more.as_object().unwrap() {
            payload[name] = value.clone();
        }
        self.send(&json!({"type": "request", "id": id, "payload": payload})).await;
    }

    pub(super) async fn cancel(&mut self, id: &str) {
        self.send(&json!({"type": "cancel", "id": id})).await;
    }

    pub(super) async fn send(&mut self, frame: &Value) {
        self.put(Message::text(frame.to_string())).await;
    }

    pub(super) async fn put(&mut self, message: Message) {
        soon("a frame is taken", self.ws.send(message)).await.unwrap();
    }

    /// The next frame.
    pub(super) async fn next(&mut self) -> Value {
        match self.passed.pop_front() {
            Some(frame) => frame,
            None => self.read().await,
        }
    }

    async fn read(&mut self) -> Value {
        loop {
            match soon("a frame", self.ws.next()).await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).unwrap(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => panic!("no frame: {other:?}"),
            }
        }
    }

    /// The last frame of a request, and the data of its chunks. Frames of others are kept.
    pub(super) async fn end_of(&mut self, id: &str) -> (Value, Vec<Value>) {
        let mut chunks = Vec::new();
        let mut others = VecDeque::new();
        let end = loop {
            let mut frame = self.next().await;
            if frame["id"] != id {
                others.push_back(frame);
            } else if frame["type"] == "chunk" {
                chunks.push(frame["data"].take());
            } else {
                break frame;
            }
        };
        others.append(&mut self.passed);
        self.passed = others;
        (end, chunks)
    }

    /// Reads to the end. Answers the frames that still came, and the hub's code; 1006 if it gave none.
    pub(super) async fn close_code(mut self) -> (Vec<Value>, u16) {
        let mut frames: Vec<Value> = self.passed.drain(..).collect();
        let mut code = 1006;
        while let Some(message) = soon("the end of the socket", self.ws.next()).await {
            match message {
                Ok(Message::Text(text)) => frames.push(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(frame)) => code = frame.map_or(1005, |frame| frame.code.into()),
                Ok(_) => {}
                // Once the reason is known it does not matter how the connection itself goes.
                Err(error) => assert_ne!(code, 1006, "{error}"),
            }
        }
        (frames, code)
    }

    /// Says goodbye, and waits for the hub to do so.
    pub(super) async fn leave(mut self) -> u16 {
        soon("a goodbye is taken", self.ws.close(None)).await.unwrap();
        self.close_code().await.1
    }
}

/// The text of a streamed answer.
pub(super) fn text_of(chunks: &[Value]) -> String {
    chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect()
}

//! CONNECT, as RFC 9110 (section 9.3.6) has it.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::ProxyFailed;

/// The longest head of an answer, in bytes.
const HEAD: usize = 8 * 1024;

/// Asks for a way to a host.
pub(super) async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
    login: Option<(&str, &str)>,
) -> Result<(), ProxyFailed> {
    let broken = |error: std::io::Error| ProxyFailed::new(format!("the connection to it broke: {error}"));
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let mut request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n");
    if let Some((user, password)) = login {
        let encoded = STANDARD.encode(format!("{user}:{password}"));
        request.push_str(&format!("Proxy-Authorization: Basic {encoded}\r\n"));
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    // Byte by byte: what comes after the head is the target's.
    let mut head = Vec::with_capacity(128);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD {
            return Err(ProxyFailed::new("it answered with a head that is too long"));
        }
        head.push(stream.read_u8().await.map_err(broken)?);
    }
    let text = String::from_utf8_lossy(&head);
    let status = text
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.get(2..5))
        .and_then(|code| code.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(()),
        Some(407) if login.is_some() => Err(ProxyFailed::new("it refused the user or the password (407)")),
        Some(407) => Err(ProxyFailed::new("it wants a user and a password (407)")),
        Some(code) => Err(ProxyFailed::new(format!("it made no way to the host (status {code})"))),
        None => Err(ProxyFailed::new("it did not answer as an HTTP proxy")),
    }
}

//! SOCKS version 5: RFC 1928, and RFC 1929 for a user and a password.

use std::{io, net::IpAddr};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::ProxyFailed;

const VERSION: u8 = 5;
const NO_LOGIN: u8 = 0;
const PASSWORD: u8 = 2;

/// Asks for a way to a host. Names are the proxy's to resolve.
pub(super) async fn ask(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    host: &str,
    port: u16,
    login: Option<(&str, &str)>,
) -> Result<(), ProxyFailed> {
    let broken = |error: io::Error| ProxyFailed::new(format!("the connection to it broke: {error}"));
    let greeting: &[u8] =
        if login.is_some() { &[VERSION, 2, NO_LOGIN, PASSWORD] } else { &[VERSION, 1, NO_LOGIN] };
    stream.write_all(greeting).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let (version, method) =
        (stream.read_u8().await.map_err(broken)?, stream.read_u8().await.map_err(broken)?);
    match (version, method, login) {
        (VERSION, NO_LOGIN, _) => {}
        (VERSION, PASSWORD, Some((user, password))) => {
            let mut message = vec![1];
            for text in [user, password] {
                message.push(length(text)?);
                message.extend_from_slice(text.as_bytes());
            }
            stream.write_all(&message).await.map_err(broken)?;
            stream.flush().await.map_err(broken)?;
            let (_, status) =
                (stream.read_u8().await.map_err(broken)?, stream.read_u8().await.map_err(broken)?);
            if status != 0 {
                return Err(ProxyFailed::new("it refused the user or the password"));
            }
        }
        (VERSION, _, None) => return Err(ProxyFailed::new("it wants a user and a password")),
        (VERSION, ..) => return Err(ProxyFailed::new("it takes neither a password nor none")),
        _ => return Err(ProxyFailed::new("it did not answer as a SOCKS5 proxy")),
    }
    stream.write_all(&request(host, port)?).await.map_err(broken)?;
    stream.flush().await.map_err(broken)?;
    let mut head = [0_u8; 4];
    stream.read_exact(&mut head).await.map_err(broken)?;
    let [version, reply, _, kind] = head;
    if version != VERSION {
        return Err(ProxyFailed::new("it did not answer as a SOCKS5 proxy"));
    }
    if reply != 0 {
        return Err(ProxyFailed::new(format!("it made no way to the host: {}", reason(reply))));
    }
    // The address that it uses itself is nothing to us.
    let address = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(stream.read_u8().await.map_err(broken)?),
        _ => return Err(ProxyFailed::new("it did not answer as a SOCKS5 proxy")),
    };
    let mut rest = vec![0_u8; address + 2];
    stream.read_exact(&mut rest).await.map_err(broken)?;
    Ok(())
}

fn request(host: &str, port: u16) -> Result<Vec<u8>, ProxyFailed> {
    let mut message = vec![VERSION, 1, 0];
    match host.parse() {
        Ok(IpAddr::V4(address)) => {
            message.push(1);
            message.extend_from_slice(&address.octets());
        }
        Ok(IpAddr::V6(address)) => {
            message.push(4);
            message.extend_from_slice(&address.octets());
        }
        Err(_) => {
            message.extend_from_slice(&[3, length(host)?]);
            message.extend_from_slice(host.as_bytes());
        }
    }
    message.extend_from_slice(&port.to_be_bytes());
    Ok(message)
}

fn length(text: &str) -> Result<u8, ProxyFailed> {
    u8::try_from(text.len())
        .map_err(|_| ProxyFailed::new("a name, user or password is longer than 255 bytes"))
}

/// The words of RFC 1928, section 6.
const fn reason(reply: u8) -> &'static str {
    match reply {
        1 => "general failure",
        2 => "not allowed by its rules",
        3 => "network unreachable",
        4 => "host unreachable",
        5 => "connection refused",
        6 => "time to live expired",
        7 => "command not supported",
        8 => "address type not supported",
        _ => "unknown reason",
    }
}

//! The least that speaks HTTP/1.1: a connection that is kept alive and bytes that were made before.
//!
//! A load generator beside the server takes its share of the same cores, so it may do no more than
//! write a request and find the end of the answer.

use crate::client::Prepared;
use std::io::{Error, ErrorKind};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Longest answer that is read, bytes.
const ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// One connection.
#[derive(Debug)]
pub struct KeepAlive {
    stream: TcpStream,
    received: Vec<u8>,
}

/// An answer; it lives in the connection until the next one.
#[derive(Debug, Clone, Copy)]
pub struct Received<'a> {
    /// The status.
    pub status: u16,
    /// The lines before the body.
    pub head: &'a [u8],
    /// The body.
    pub body: &'a [u8],
}

impl KeepAlive {
    /// Connects.
    ///
    /// # Errors
    /// Nobody listens.
    pub async fn connect(address: SocketAddr) -> Result<Self, Error> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let received = Vec::with_capacity(4096);
        Ok(Self { stream, received })
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// The connection broke, or what came is not an answer with a length.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Received<'_>, Error> {
        self.stream.write_all(request).await?;
        self.received.clear();
        let (status, body_from, end) = loop {
            if let Some(read) = read_head(&self.received)? {
                break read;
            }
            self.receive().await?;
        };
        while self.received.len() < end {
            self.receive().await?;
        }
        Ok(Received {
            status,
            head: &self.received[..body_from],
            body: &self.received[body_from..end],
        })
    }

    async fn receive(&mut self) -> Result<(), Error> {
        if self.stream.read_buf(&mut self.received).await? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        if self.received.len() > ANSWER_BYTES {
            return Err(Error::other("the answer is too long"));
        }
        Ok(())
    }
}

/// The status and where the body begins and ends; nothing while the head is not whole.
fn read_head(bytes: &[u8]) -> Result<Option<(u16, usize, usize)>, Error> {
    const END: &[u8] = b"\r\n\r\n";
    let Some(head) = bytes.windows(END.len()).position(|window| window == END) else {
        return Ok(None);
    };
    let body_from = head + END.len();
    let (mut status, mut length) = (None, None);
    for line in bytes[..head].split(|byte| *byte == b'\n') {
        if status.is_none() {
            status = line.get(9..12).and_then(number);
        } else if let Some((name, value)) = header(line)
            && name.eq_ignore_ascii_case(b"content-length")
        {
            length = number(value);
        }
    }
    let whole = status
        .zip(length)
        .map(|(status, length)| (status, body_from, body_from + length));
    let (status, body_from, end) =
        whole.ok_or_else(|| Error::other("an answer without a status or a length"))?;
    let status = u16::try_from(status).map_err(Error::other)?;
    Ok(Some((status, body_from, end)))
}

fn header(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    Some((&line[..colon], line[colon + 1..].trim_ascii()))
}

fn number(text: &[u8]) -> Option<usize> {
    str::from_utf8(text).ok()?.parse().ok()
}

/// The bytes of a request.
#[must_use]
pub fn encode(prepared: &Prepared, host: &str) -> Vec<u8> {
    let mut head = format!(
        "{} {} HTTP/1.1\r\nhost: {host}\r\n",
        prepared.method, prepared.path
    );
    for (name, value) in &prepared.headers {
        for piece in [name.as_str(), ": ", value, "\r\n"] {
            head.push_str(piece);
        }
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", prepared.body.len()));
    [head.as_bytes(), &prepared.body].concat()
}

/// The bytes of a plain GET.
#[must_use]
pub fn get(path: &str, host: SocketAddr) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::read_head;

    #[test]
    fn an_answer_is_read_when_its_head_is_whole() {
        let whole =
            b"HTTP/1.1 202 Accepted\r\nContent-Type: a/b\r\ncontent-length:  5\r\n\r\nhello";
        for end in 0..whole.len() - 5 {
            assert_eq!(read_head(&whole[..end]).unwrap(), None, "{end}");
        }
        let body_from = whole.len() - 5;
        assert_eq!(
            read_head(whole).unwrap(),
            Some((202, body_from, whole.len()))
        );
        assert!(read_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
        assert!(read_head(b"nonsense\r\n\r\n").is_err());
    }
}

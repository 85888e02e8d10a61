//! Asks a server whether it is well, with the few bytes of HTTP that this takes.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// On this machine an answer takes milliseconds; a server that hangs must not hang us.
const PATIENCE: Duration = Duration::from_secs(2);

/// Whether `GET /healthz` on this port of this machine is answered with 200.
pub(crate) fn is_well(port: u16) -> bool {
    status(port).is_ok_and(|status| status == Some(200))
}

fn status(port: u16) -> io::Result<Option<u16>> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut first_line = String::new();
    BufReader::new(stream).read_line(&mut first_line)?;
    Ok(status_of(&first_line))
}

fn status_of(first_line: &str) -> Option<u16> {
    let (version, rest) = first_line.split_once(' ')?;
    if !version.starts_with("HTTP/1.") {
        return None;
    }
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn the_status_is_read_from_the_first_line_of_an_answer() {
        let rows = [
            ("HTTP/1.1 200 OK\r\n", Some(200)),
            ("HTTP/1.1 503 Service Unavailable\r\n", Some(503)),
            ("HTTP/1.0 204\r\n", Some(204)),
            ("SSH-2.0-OpenSSH\r\n", None),
            ("", None),
        ];
        for (line, expected) in rows {
            assert_eq!(status_of(line), expected, "{line:?}");
        }
    }

    #[test]
    fn only_a_server_that_answers_200_is_well() {
        for (answer, expected) in [("200 OK", true), ("503 Service Unavailable", false)] {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
            let port = listener.local_addr().expect("bound").port();
            let server = thread::spawn(move || {
                let (mut stream, _) = listener.accept().expect("a connection");
                let mut request = String::new();
                let mut reader = BufReader::new(stream.try_clone().expect("the same stream"));
                while reader.read_line(&mut request).is_ok_and(|count| count > 2) {}
                write!(stream, "HTTP/1.1 {answer}\r\nContent-Length: 0\r\n\r\n").expect("sent");
                request
            });
            assert_eq!(is_well(port), expected, "{answer}");
            let request = server.join().expect("no panic");
            assert!(
                request.starts_with("GET /healthz HTTP/1.1\r\n"),
                "{request}"
            );
            assert!(!is_well(port), "nobody listens any more");
        }
    }
}

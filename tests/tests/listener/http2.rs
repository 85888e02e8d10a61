//! HTTP/2 frames by hand (RFC 9113), for clients that stop in the middle.

/// The beginning of a connection, with what it says of itself (section 6.5.2).
pub(crate) fn preface(settings: &[(u16, u32)]) -> Vec<u8> {
    let mut payload = Vec::new();
    for (name, value) in settings {
        payload.extend(name.to_be_bytes());
        payload.extend(value.to_be_bytes());
    }
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &payload));
    bytes
}

/// How much the other end may send on a stream before it is allowed more.
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;

/// A frame (section 4.1).
pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short frame");
    let mut bytes = length.to_be_bytes()[1..].to_vec();
    bytes.extend([kind, flags]);
    bytes.extend(stream.to_be_bytes());
    bytes.extend(payload);
    bytes
}

/// The headers of a request; its body follows unless it has ended.
pub(crate) fn headers(stream: u32, method: &str, path: &str, has_ended: bool) -> Vec<u8> {
    headers_of("localhost", stream, method, path, has_ended)
}

/// The same of a server by this name.
pub(crate) fn headers_of(
    authority: &str,
    stream: u32,
    method: &str,
    path: &str,
    has_ended: bool,
) -> Vec<u8> {
    let block = [
        field(":method", method),
        field(":path", path),
        field(":scheme", "http"),
        field(":authority", authority),
        field("content-type", "application/json"),
    ];
    let flags = 0x04 | u8::from(has_ended);
    frame(1, flags, stream, &block.concat())
}

/// A part of a body that does not end it.
pub(crate) fn data(stream: u32, bytes: &[u8]) -> Vec<u8> {
    frame(0, 0, stream, bytes)
}

/// Allows so many bytes more on the whole connection (section 6.9).
pub(crate) fn window_update(bytes: u32) -> Vec<u8> {
    frame(8, 0, 0, &bytes.to_be_bytes())
}

pub(crate) fn ping() -> Vec<u8> {
    frame(6, 0, 0, &[1, 2, 3, 4, 5, 6, 7, 8])
}

/// A header field as it is (RFC 7541 section 6.2.2).
fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).expect("a short field");
    let mut bytes = vec![0, length(name)];
    bytes.extend(name.as_bytes());
    bytes.push(length(value));
    bytes.extend(value.as_bytes());
    bytes
}

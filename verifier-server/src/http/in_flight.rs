//! How many requests are worked on at once, and how many bodies arrive. A body has a place of its own
//! until it is there, so that whoever sends one slowly holds up nobody whose request is complete.

use super::client::Client;
use super::problem::Problem;
use crate::error::{ApiError, ErrorCode};
use crate::listener::{ConnectionLimits, Holder, Permits};
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use sealpay_protocol::limits::{BODY_BYTES, SESSION_BODY_BYTES};
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How slow a body may be.
#[derive(Debug)]
struct Pace {
    /// How long it may stand still altogether.
    pauses: Duration,
    /// What arrives of it at least, pauses left out.
    bytes_per_second: u64,
}

/// A phone that changes its cell says nothing for a while, and one with a weak signal sends a kilobyte
/// in four seconds.
const BODIES: Pace = Pace {
    pauses: Duration::from_secs(10),
    bytes_per_second: 256,
};

impl Pace {
    /// How long a body may have taken of which so many bytes are there.
    fn allows(&self, bytes: usize) -> Duration {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let milliseconds = bytes.saturating_mul(1000) / self.bytes_per_second;
        self.pauses + Duration::from_millis(milliseconds)
    }
}

/// Limits of the requests that are worked on, and of those whose bodies arrive.
#[derive(Debug)]
pub struct InFlight {
    working: Arc<Permits>,
    arriving: Arc<Permits>,
    body_within: Duration,
}

impl InFlight {
    /// As many as the operator allows, of each.
    #[must_use]
    pub fn new(limits: &ConnectionLimits) -> Self {
        let permits = || Permits::new(limits.max_requests, limits.max_requests_per_network);
        Self {
            working: permits(),
            arriving: permits(),
            body_within: limits.body(),
        }
    }

    /// How long a body may take to arrive.
    pub(crate) const fn body_within(&self) -> Duration {
        self.body_within
    }
}

/// Reads the body and passes the request on, unless there are too many.
pub(crate) async fn admit(
    State(limits): State<Arc<InFlight>>,
    request: Request,
    next: Next,
) -> Response {
    let client = request.extensions().get::<Client>();
    // Without a connection it is this process that asks.
    let holder = client.map_or(Holder::Many, |client| client.holder());
    let request = match whole(&limits, holder, request).await {
        Ok(request) => request,
        Err(error) => return Problem(error).into_response(),
    };
    let Ok(_permit) = limits.working.take(holder) else {
        let error = ApiError::because(ErrorCode::Overloaded, "too many requests are worked on");
        return Problem(error).into_response();
    };
    next.run(request).await
}

/// The request with a body that is there. A body that is too long, or broke off, is refused where it
/// is looked at: after the rules that stand before.
async fn whole(limits: &InFlight, holder: Holder, request: Request) -> Result<Request, ApiError> {
    if request.body().is_end_stream() {
        return Ok(request);
    }
    let (parts, mut body) = request.into_parts();
    let most = longest_body(parts.uri.path());
    let read = if announces_more_than(most, &parts.headers) {
        None
    } else {
        let _place = limits.arriving.take(holder).map_err(|_| {
            ApiError::because(
                ErrorCode::Overloaded,
                "too many bodies arrive at the same time",
            )
        })?;
        read(&mut body, most, &BODIES, limits.body_within).await?
    };
    let body = read.unwrap_or_else(|| vec![0; most + 1]);
    Ok(Request::from_parts(parts, Body::from(body)))
}

/// The bytes of a body; nothing when there are too many or it broke off.
async fn read<B>(
    body: &mut B,
    most: usize,
    pace: &Pace,
    within: Duration,
) -> Result<Option<Vec<u8>>, ApiError>
where
    B: HttpBody + Unpin,
    B::Data: AsRef<[u8]>,
{
    let began = Instant::now();
    let mut bytes = Vec::new();
    loop {
        let deadline = began + pace.allows(bytes.len()).min(within);
        let frame = poll_fn(|context| Pin::new(&mut *body).poll_frame(context));
        let frame = timeout_at(deadline, frame).await;
        let frame = match frame.map_err(|_| ApiError::new(ErrorCode::RequestTimeout))? {
            None => return Ok(Some(bytes)),
            Some(Err(_)) => return Ok(None),
            Some(Ok(frame)) => frame,
        };
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(data.as_ref());
        }
        if bytes.len() > most {
            return Ok(None);
        }
    }
}

/// The longest body that a path reads: an order may list a large basket, and nothing else is as long.
pub(crate) fn longest_body(path: &str) -> usize {
    match path {
        "/v1/sessions" => SESSION_BODY_BYTES,
        _ => BODY_BYTES,
    }
}

/// Such a body is refused without being read.
fn announces_more_than(most: usize, headers: &HeaderMap) -> bool {
    let length = headers.get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    length.is_some_and(|length: usize| length > most)
}

#[cfg(test)]
mod tests {
    use super::{BODIES, Pace, read};
    use axum::body::{Bytes, HttpBody};
    use http_body::Frame;
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};
    use std::time::Duration;
    use tokio::time::{Instant, Sleep, sleep};

    /// A body that comes in pieces of one size, with a pause before each.
    struct Drops {
        left: usize,
        piece: usize,
        every: Duration,
        pause: Pin<Box<Sleep>>,
    }

    impl HttpBody for Drops {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.left == 0 {
                return Poll::Ready(None);
            }
            ready!(self.pause.as_mut().poll(context));
            let next = Instant::now() + self.every;
            self.pause.as_mut().reset(next);
            let piece = self.piece.min(self.left);
            self.left -= piece;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b'x'; piece])))))
        }
    }

    /// How many bytes arrived of a body that comes in pieces, or nothing when it was given up.
    async fn arrived(left: usize, piece: usize, every_ms: u64, within_ms: u64) -> Option<usize> {
        let every = Duration::from_millis(every_ms);
        let mut body = Drops {
            left,
            piece,
            every,
            pause: Box::pin(sleep(every)),
        };
        // Forty times as fast as bodies of clients.
        let pace = Pace {
            pauses: Duration::from_millis(250),
            bytes_per_second: 10_240,
        };
        let within = Duration::from_millis(within_ms);
        let read = read(&mut body, 8192, &pace, within).await;
        read.ok().map(|bytes| bytes.map_or(0, |bytes| bytes.len()))
    }

    #[tokio::test]
    async fn a_body_may_be_slow_and_may_not_stand_still() {
        const TIME: u64 = 60_000;
        assert_eq!(arrived(3072, 256, 10, TIME).await, Some(3072));
        assert_eq!(arrived(3072, 3072, 100, TIME).await, Some(3072), "a pause");
        assert_eq!(
            arrived(3072, 1, 60_000, TIME).await,
            None,
            "it stands still"
        );
        assert_eq!(arrived(3072, 1, 10, TIME).await, None, "drop by drop");
        assert_eq!(arrived(8192, 256, 20, 200).await, None, "the whole time");
        assert_eq!(arrived(9000, 9000, 0, TIME).await, Some(0), "too long");
    }

    #[test]
    fn each_byte_gives_the_rest_of_its_body_a_little_time() {
        let rows = [
            (0, 10_000),
            (1, 10_003),
            (256, 11_000),
            (32 * 1024, 138_000),
        ];
        for (bytes, milliseconds) in rows {
            assert_eq!(BODIES.allows(bytes), Duration::from_millis(milliseconds));
        }
    }
}

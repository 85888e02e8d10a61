//! Limits concurrent requests, and separately bodies that are being received, so that clients with
//! slow uploads do not block complete requests.

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

/// The slowest accepted upload.
#[derive(Debug)]
struct Pace {
    /// How long an upload may pause in total.
    pauses: Duration,
    /// Minimum rate, without pauses.
    bytes_per_second: u64,
}

/// A phone pauses when it changes cells, and sends a kilobyte in four seconds with a weak signal.
const BODIES: Pace = Pace {
    pauses: Duration::from_secs(10),
    bytes_per_second: 256,
};

impl Pace {
    /// Maximum duration of an upload of this many bytes.
    fn allows(&self, bytes: usize) -> Duration {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let milliseconds = bytes.saturating_mul(1000) / self.bytes_per_second;
        self.pauses + Duration::from_millis(milliseconds)
    }
}

/// The limits of concurrent requests and uploads.
#[derive(Debug)]
pub struct InFlight {
    working: Arc<Permits>,
    arriving: Arc<Permits>,
    body_within: Duration,
}

impl InFlight {
    /// Creates the operator's limits.
    #[must_use]
    pub fn new(limits: &ConnectionLimits) -> Self {
        let permits = || Permits::new(limits.max_requests, limits.max_requests_per_network);
        Self {
            working: permits(),
            arriving: permits(),
            body_within: limits.body(),
        }
    }

    /// Maximum duration of an upload.
    pub(crate) const fn body_within(&self) -> Duration {
        self.body_within
    }
}

/// Reads the body and passes the request on, unless a limit is reached.
pub(crate) async fn admit(
    State(limits): State<Arc<InFlight>>,
    request: Request,
    next: Next,
) -> Response {
    let client = request.extensions().get::<Client>();
    // A request without a connection comes from this process.
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

/// The request with its complete body. A body that is too long or incomplete is rejected later, by
/// the handler's extractor, so that earlier checks have precedence.
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

/// The bytes of a body; none if it is too long or incomplete.
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

/// Maximum body length of a path: orders may list a large basket, all other bodies are shorter.
pub(crate) fn longest_body(path: &str) -> usize {
    match path {
        "/v1/sessions" => SESSION_BODY_BYTES,
        _ => BODY_BYTES,
    }
}

/// Such a body is rejected without being read.
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

    /// A body in pieces of one size, with a pause before each.
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

    /// The number of bytes received of a body in pieces; none if it was aborted.
    async fn arrived(left: usize, piece: usize, every_ms: u64, within_ms: u64) -> Option<usize> {
        let every = Duration::from_millis(every_ms);
        let mut body = Drops {
            left,
            piece,
            every,
            pause: Box::pin(sleep(every)),
        };
        // Forty times the rate for clients.
        let pace = Pace {
            pauses: Duration::from_millis(250),
            bytes_per_second: 10_240,
        };
        let within = Duration::from_millis(within_ms);
        let read = read(&mut body, 8192, &pace, within).await;
        read.ok().map(|bytes| bytes.map_or(0, |bytes| bytes.len()))
    }

    #[tokio::test]
    async fn bodies_may_be_slow_but_not_stall() {
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
    fn each_byte_extends_the_time_limit() {
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

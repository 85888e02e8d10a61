//! Counts the requests of a connection, from the headers to the last byte of the response.

use super::activity::{Activity, RunningRequest};
use axum::body::HttpBody;
use axum::http::Response;
use http_body::{Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use tower::Service;

/// A service whose running requests keep their connection open.
#[derive(Debug, Clone)]
pub(crate) struct CountedService<S> {
    service: S,
    activity: Activity,
}

impl<S> CountedService<S> {
    pub(super) const fn new(service: S, activity: Activity) -> Self {
        Self { service, activity }
    }
}

impl<S, Request, Body> Service<Request> for CountedService<S>
where
    S: Service<Request, Response = Response<Body>>,
    S::Future: Send + 'static,
{
    type Response = Response<CountedBody<Body>>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let running = self.activity.begin();
        let answering = self.service.call(request);
        Box::pin(async move {
            let response = answering.await?;
            let running = running.answered();
            Ok(response.map(|body| CountedBody {
                body,
                _running: running,
            }))
        })
    }
}

/// A response body; dropping it ends its request.
#[derive(Debug)]
pub(crate) struct CountedBody<Body> {
    body: Body,
    _running: RunningRequest,
}

impl<Body: HttpBody + Unpin> HttpBody for CountedBody<Body> {
    type Data = Body::Data;
    type Error = Body::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

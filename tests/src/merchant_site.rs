//! Pages of a merchant, written by tests: each with its own markup and script, on an origin of
//! their own and under a policy as strict as one can be.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// A page.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// What stands in the body.
    pub body: String,
    /// A script of the page's own, loaded after the body.
    pub script: String,
    /// Who may bring scripts, for the policy: the verifier.
    pub scripts: String,
    /// Who may bring frames, for the policy: the verifier, or nobody.
    pub frames: String,
    /// Whether it stays light on a device that is dark.
    pub is_light_only: bool,
    /// Headers besides, such as those that keep a page apart from others.
    pub headers: Vec<(&'static str, &'static str)>,
}

impl Page {
    /// Nothing inline, nothing from elsewhere but the verifier's loader and frame: what a
    /// merchant's policy needs for Sealpay, and no word more.
    fn policy(&self) -> String {
        let Self {
            scripts, frames, ..
        } = self;
        format!(
            "default-src 'none'; img-src 'self'; script-src 'self' {scripts}; frame-src {frames}; \
             base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; \
             trusted-types 'none'"
        )
    }

    fn document(&self, name: &str) -> String {
        let scheme = if self.is_light_only {
            ""
        } else {
            "<meta name=\"color-scheme\" content=\"light dark\">"
        };
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             {scheme}\
             <title>A merchant</title></head>\
             <body><main><h1>A merchant</h1>\n{}\n</main>\
             <script src=\"/{name}.js\"></script></body></html>\n",
            self.body
        )
    }
}

type Pages = Arc<Mutex<HashMap<String, Page>>>;

/// The pages of one origin.
#[derive(Debug)]
pub struct MerchantSite {
    port: u16,
    pages: Pages,
}

impl MerchantSite {
    /// Opens a site without pages.
    #[must_use]
    pub fn open() -> Self {
        let listener =
            std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("there is a free port");
        listener
            .set_nonblocking(true)
            .expect("a listener need not block");
        let port = listener
            .local_addr()
            .expect("a listener has an address")
            .port();
        let pages = Pages::default();
        let router = Router::new()
            .route("/{name}", get(serve))
            // Browsers ask for it, and complain when there is none.
            .route("/favicon.ico", get(async || StatusCode::NO_CONTENT))
            .with_state(Arc::clone(&pages));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime starts").block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener is one");
                axum::serve(listener, router)
                    .await
                    .expect("the site is served");
            });
        });
        Self { port, pages }
    }

    /// The origin of the pages. Another host name than the verifier's: another site.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://localhost:{}", self.port)
    }

    /// Shows a page, and tells its address.
    #[must_use]
    pub fn publish(&self, name: &str, page: Page) -> String {
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        pages.insert(name.to_owned(), page);
        format!("{}/{name}", self.origin())
    }
}

async fn serve(State(pages): State<Pages>, Path(name): Path<String>) -> Response {
    let (name, is_script) = match name.strip_suffix(".js") {
        Some(name) => (name.to_owned(), true),
        None => (name, false),
    };
    let page = pages
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&name)
        .cloned();
    let Some(page) = page else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if is_script {
        return ([(header::CONTENT_TYPE, "text/javascript")], page.script).into_response();
    }
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CONTENT_SECURITY_POLICY, page.policy()),
    ];
    let mut response = (headers, page.document(&name)).into_response();
    for (name, value) in page.headers {
        response.headers_mut().insert(
            header::HeaderName::from_static(name),
            header::HeaderValue::from_static(value),
        );
    }
    response
}

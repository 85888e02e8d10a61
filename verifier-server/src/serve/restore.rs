//! Restores worlds under a running server. The listeners stay; behind them one server ends, and
//! another begins with what is then stored, as after a restart.

use crate::app::{Parts, Server};
use crate::config::Config;
use crate::http;
use crate::http::operator::{self, OperatorAccess};
use crate::keys::follow::GONE_AFTER;
use crate::worlds::{RestoreRequest, StagedWorld, WorldError};
use axum::Router;
use axum::extract::Request;
use sealpay_storage::is_postgres;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tower::{ServiceExt, service_fn};

/// Restores that wait for another one.
const WAITING_RESTORES: usize = 4;

/// The server that serves at present, behind listeners that outlive it.
pub(super) struct Serving {
    config: Config,
    access: OperatorAccess,
    current: RwLock<Current>,
    restores: mpsc::Sender<RestoreRequest>,
}

#[derive(Clone)]
struct Current {
    server: Arc<Server>,
    public: Router,
    operators: Router,
}

/// Which of the two listeners.
#[derive(Debug, Clone, Copy)]
pub(super) enum Listener {
    Public,
    Operators,
}

impl Serving {
    pub(super) fn new(
        config: Config,
        access: OperatorAccess,
        server: Server,
    ) -> (Arc<Self>, mpsc::Receiver<RestoreRequest>) {
        let (restores, requests) = mpsc::channel(WAITING_RESTORES);
        let current = RwLock::new(current(server, &access, &restores));
        let serving = Self {
            config,
            access,
            current,
            restores,
        };
        (Arc::new(serving), requests)
    }

    fn current(&self) -> Current {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn server(&self) -> Arc<Server> {
        self.current().server
    }

    /// Routes that lead to whichever server serves when a request arrives.
    pub(super) fn app(self: &Arc<Self>, listener: Listener) -> Router {
        let serving = Arc::clone(self);
        Router::new().fallback_service(service_fn(move |request: Request| {
            let Current {
                public, operators, ..
            } = serving.current();
            let app = match listener {
                Listener::Public => public,
                Listener::Operators => operators,
            };
            app.oneshot(request)
        }))
    }

    /// Runs the background work of the server, and restores worlds. Ends only with an error: without
    /// deliveries, recovery and settlement the server would only appear to work.
    pub(super) async fn run(&self, mut requests: mpsc::Receiver<RestoreRequest>) -> String {
        loop {
            let server = self.server();
            let working = Arc::clone(&server);
            let mut background =
                BackgroundWork(tokio::spawn(async move { working.run_beside().await }));
            let RestoreRequest {
                name,
                staged,
                waiting,
            } = tokio::select! {
                ended = &mut background.0 => {
                    return format!("the work beside the requests has ended: {ended:?}");
                }
                request = self.drained(&server, &mut requests) => request,
            };
            let replaced = match self.replace(server, background, staged).await {
                Ok(replaced) => replaced,
                Err(sentence) => return sentence,
            };
            match &replaced {
                Ok(_) => tracing::info!(%name, "the world was restored"),
                Err(error) => tracing::error!(%name, ?error, "the world was not restored"),
            }
            // The caller may be gone; the outcome is the same.
            drop(waiting.send(replaced));
        }
    }

    /// The next restore, when no request is in progress. If that cannot be, the server serves on.
    async fn drained(
        &self,
        server: &Server,
        requests: &mut mpsc::Receiver<RestoreRequest>,
    ) -> RestoreRequest {
        loop {
            let Some(request) = requests.recv().await else {
                // This has a sender itself.
                return std::future::pending().await;
            };
            tracing::info!(name = %request.name,
                "restoring a world: running requests are finished first");
            match self.drain(server, &request.staged).await {
                Ok(()) => return request,
                Err(error) => {
                    tracing::warn!(name = %request.name, ?error, "the world was not restored");
                    drop(request.waiting.send(Err(error)));
                }
            }
        }
    }

    /// Waits until no request is in progress. If that fails, the server serves on.
    async fn drain(&self, server: &Server, staged: &StagedWorld) -> Result<(), WorldError> {
        staged.check_alone(&server.folder)?;
        let gateway = &server.state.gateway;
        // On SQLite the lock on the folder decides.
        let is_shared = is_postgres(&self.config.database);
        let since = gateway.clock().wall_i64().saturating_sub(GONE_AFTER);
        if is_shared
            && gateway
                .store()
                .keys
                .other_servers(&server.name, since)
                .await?
                > 0
        {
            return Err(WorldError::InUse(format!(
                "another server used the database in the last {GONE_AFTER} seconds"
            )));
        }
        let within = Duration::from_millis(self.config.drain_ms);
        if server.state.in_progress.drain(within).await {
            Ok(())
        } else {
            Err(WorldError::Busy)
        }
    }

    /// Ends the server, replaces the world, and starts another server. If the world could not be
    /// replaced, it serves the old one.
    ///
    /// # Errors
    /// No server can be started.
    async fn replace(
        &self,
        server: Arc<Server>,
        background: BackgroundWork,
        staged: StagedWorld,
    ) -> Result<Result<u64, WorldError>, String> {
        background.end().await;
        let state = &server.state;
        state.gateway.close().await;
        let replaced = staged.put_in_place(&server.folder).await;
        let folder = server.folder.clone().ready(&self.config.data).await?;
        let parts = Parts::open_locked(&self.config, folder).await?;
        // The names of servers in a snapshot are those of the past.
        let forgotten = parts.store.keys.purge_servers(i64::MAX).await;
        forgotten.map_err(|error| format!("the restored database cannot be written: {error}"))?;
        let metrics = Arc::clone(&state.metrics);
        let next = Server::counting(&self.config, parts, metrics).await?;
        let next = current(next, &self.access, &self.restores);
        let ahead_ms = next.server.state.gateway.clock().ahead_ms();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(replaced.map(|()| ahead_ms))
    }
}

fn current(
    server: Server,
    access: &OperatorAccess,
    restores: &mpsc::Sender<RestoreRequest>,
) -> Current {
    server.state.worlds.send_restores_to(restores.clone());
    Current {
        public: http::app(server.state.clone()),
        operators: operator::app(server.state.clone(), access.clone()),
        server: Arc::new(server),
    }
}

/// The background work of a server; it ends with this.
#[derive(Debug)]
struct BackgroundWork(JoinHandle<()>);

impl BackgroundWork {
    async fn end(mut self) {
        self.0.abort();
        // It was aborted, or has ended with an error that its log has.
        drop((&mut self.0).await);
    }
}

impl Drop for BackgroundWork {
    fn drop(&mut self) {
        self.0.abort();
    }
}

//! Connections: limits, time limits and trusted proxies.

mod accept;
mod activity;
mod connections;
mod hsts;
mod limits;
mod networks;
mod permits;
mod proxies;
mod service;
mod stream;
mod throttle;
mod tls;

pub(crate) use accept::{limited, patient};
pub use connections::Connections;
pub use hsts::Hsts;
pub use limits::ConnectionLimits;
pub(crate) use networks::{ClientNetwork, NETWORK_TIERS, TIERS};
pub(crate) use networks::{household_of, network_of, networks_of};
pub(crate) use permits::Holder;
pub use permits::Permits;
pub use proxies::{DEFAULT_HOPS, MOST_HOPS, TrustedProxies};
pub(crate) use throttle::Throttle;
pub(crate) use tls::TlsFiles;
pub use tls::TlsVersion;

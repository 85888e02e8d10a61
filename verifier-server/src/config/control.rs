//! The operator's listener.

use serde::Deserialize;
use std::net::SocketAddr;
use std::str::FromStr;

/// An address for the operator's listener, or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ControlListen {
    /// Disabled.
    Off,
    /// At this address.
    At(SocketAddr),
}

impl ControlListen {
    /// The address, if there is one.
    #[must_use]
    pub const fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Off => None,
            Self::At(address) => Some(address),
        }
    }
}

impl Default for ControlListen {
    fn default() -> Self {
        Self::At(SocketAddr::from(([127, 0, 0, 1], 8788)))
    }
}

impl FromStr for ControlListen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let address = text.parse().map(Self::At);
        address.map_err(|_| {
            format!("{text:?} is neither an address with a port, such as 127.0.0.1:8788, nor off")
        })
    }
}

impl TryFrom<String> for ControlListen {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl std::fmt::Display for ControlListen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => f.write_str("off"),
            Self::At(address) => address.fmt(f),
        }
    }
}

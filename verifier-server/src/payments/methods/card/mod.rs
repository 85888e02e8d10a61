//! Cards: risk, step-up, routing, and the acquirers along a route.

pub mod authorize;
pub mod risk;
pub mod route;
pub mod step_up;
pub mod velocity;

//! The simulated bank's control, in test mode only; otherwise these paths do not exist.

pub(super) mod personas;

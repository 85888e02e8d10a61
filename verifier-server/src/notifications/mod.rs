//! What providers send by themselves. A notification is a hint: it says what to ask about, and the
//! provider's answer to that question is what counts.

pub(crate) mod routes;
mod service;

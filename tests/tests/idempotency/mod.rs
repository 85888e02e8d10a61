//! `Idempotency-Key`: one request is done once, however often it is sent.

mod replay;

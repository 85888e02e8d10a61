//! Conformance of the protocol: it follows the standards that it names, its version-1 vectors never
//! change, and altered messages are rejected.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on may panic")]

mod filters;
mod make_vectors;
mod merchant_request;
mod merchant_vectors;
mod order_agreements;
mod order_claims;
mod order_header;
mod order_refusals;
mod request_headers;
mod request_signature;
mod sealed_card;
mod sealed_card_inside;
mod standards;
mod strict_ed25519;
mod vector_file;
mod vectors;
mod webhook_signature;
mod world;

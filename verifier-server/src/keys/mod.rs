//! The server's own keys: the master key and what it encrypts, sealing keys and webhook keys.

pub mod ciphertexts;
pub mod decapsulation_key;
pub mod encryption;
pub mod follow;
pub mod hosted;
pub mod key_ring;
pub mod master_key;
pub mod model;
pub mod published;
pub mod rotate;
pub mod routes;
pub mod secret_file;
pub mod servers;
pub mod store;

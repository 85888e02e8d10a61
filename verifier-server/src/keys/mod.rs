//! The server's own keys: the master key and what it encrypts, sealing keys and webhook keys.

pub mod decapsulation_key;
pub mod encryption;
pub mod key_ring;
pub mod master_key;
pub mod secret_file;

//! What the tests of the whole system share: servers, databases, browsers, merchants, shoppers.

#![expect(clippy::expect_used, reason = "a test stops where it cannot go on")]

pub mod accessibility;
pub mod authenticator;
pub mod back_office;
pub mod browser;
pub mod chance;
pub mod checkout;
pub mod client;
pub mod copies;
pub mod engine;
pub mod environment;
pub mod evidence;
pub mod folder;
pub mod gallery;
pub mod gateway;
pub mod leaks;
pub mod load;
pub mod log;
pub mod merchant_site;
pub mod network;
pub mod postgres;
pub mod postgres_of_its_own;
pub mod processes;
pub mod rows;
pub mod scenario;
pub mod shopper;
pub mod simulation;
pub mod subscribers;
pub mod time;
pub mod verifier_process;
pub mod webhook_receiver;

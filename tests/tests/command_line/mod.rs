//! The commands of `verifier-server`.

mod audit;
mod commands;
mod listen;

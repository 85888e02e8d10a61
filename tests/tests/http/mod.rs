//! What all routes share: methods, bodies, errors, lists, limits, and the contract.

mod assets;
mod bodies;
mod fairness;
mod guesses;
mod history;
mod lists;
mod openapi;
mod other_clients;
mod precedence;
mod probes;
mod rate_limit;
mod routes;

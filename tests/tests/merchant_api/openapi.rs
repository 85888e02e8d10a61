//! Every example of the contract.

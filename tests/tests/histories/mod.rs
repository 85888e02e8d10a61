//! Random histories that one number decides, replayed with `SEALPAY_SEED`.

pub(crate) mod money;
pub(crate) mod shoppers;
pub(crate) mod system;

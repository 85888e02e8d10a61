//! The HTTP interface, called without a socket; the folder follows the paths.

mod payments;

//! The form in pages of merchants: in its three forms, where it may be and where it may not.

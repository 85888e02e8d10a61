//! Secret values: wiped on drop, redacted when printed.

use core::fmt;
use zeroize::Zeroize;

/// A value that is wiped on drop and never printed, copied or serialized.
///
/// It deliberately has no `Clone`, `Display` or `Serialize`: each would be a leak that a review
/// could miss. [`Secret::expose`] is the only access, and its name is easy to search for.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Borrows the value; keep the borrow short.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn secrets_print_as_redacted() {
        let secret = Secret::new(String::from("4242424242424242"));
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(secret.expose(), "4242424242424242");
    }
}

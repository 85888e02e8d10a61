//! Values that must not be seen: wiped when dropped, redacted when printed.

use core::fmt;
use zeroize::Zeroize;

/// A value that is wiped when it is dropped and never printed, copied or serialized.
///
/// It has no `Clone`, `Display` or `Serialize` on purpose: each would be a way out that nobody
/// notices in a review. [`Secret::expose`] is the one door, and its name is easy to search for.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes the value into custody.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Lends the value out; keep the borrow short.
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
    fn a_secret_prints_as_redacted() {
        let secret = Secret::new(String::from("4242424242424242"));
        assert_eq!(format!("{secret:?}"), "[redacted]");
        assert_eq!(secret.expose(), "4242424242424242");
    }
}

//! The names of enums.

/// An enum that [`names!`](macro@crate::names) has named.
pub trait Named: Copy + 'static {
    /// Every one of them.
    const VARIANTS: &'static [Self];

    /// The name in JSON, in stores and in commands.
    fn name(self) -> &'static str;

    /// The one of a name.
    #[must_use]
    fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::VARIANTS.iter().copied();
        all.find(|one| one.name() == name)
    }
}

/// Gives an enum the list of its variants and the name of each, in JSON, in stores and in commands.
#[macro_export]
macro_rules! names {
    ($enum:ident { $($variant:ident = $name:literal),* $(,)? }) => {
        impl $enum {
            /// Every one of them.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// Their names.
            pub const NAMES: [&'static str; Self::ALL.len()] = [$($name),*];

            /// The name in JSON, in stores and in commands.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The one of a name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                <Self as $crate::Named>::from_name(name)
            }
        }

        impl $crate::Named for $enum {
            const VARIANTS: &'static [Self] = &Self::ALL;

            fn name(self) -> &'static str {
                Self::name(self)
            }
        }
    };
}

/// Reads an enum that [`names!`](macro@crate::names) has named from JSON, as [`json::named`] does.
///
/// [`json::named`]: crate::json::named
#[macro_export]
macro_rules! read_by_name {
    ($enum:ident) => {
        impl<'de> serde::Deserialize<'de> for $enum {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::json::named(deserializer, &Self::NAMES, Self::from_name)
            }
        }
    };
}

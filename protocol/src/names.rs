//! Names of enum variants in JSON, in the database and on the command line.

/// An enum with names from [`names!`](macro@crate::names).
pub trait Named: Copy + 'static {
    /// Every variant.
    const VARIANTS: &'static [Self];

    /// The name in JSON, in the database and on the command line.
    fn name(self) -> &'static str;

    /// The variant with this name.
    #[must_use]
    fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::VARIANTS.iter().copied();
        all.find(|one| one.name() == name)
    }
}

/// Gives an enum the list of its variants and their names in JSON, in the database and on the
/// command line.
#[macro_export]
macro_rules! names {
    ($enum:ident { $($variant:ident = $name:literal),* $(,)? }) => {
        impl $enum {
            /// Every variant.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The names of all variants.
            pub const NAMES: [&'static str; Self::ALL.len()] = [$($name),*];

            /// The name in JSON, in the database and on the command line.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// The variant with this name.
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

/// Deserializes an enum with names from [`names!`](macro@crate::names), as [`json::named`] does.
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

//! What a page may change of the look: four variables, each validated, everything else ignored.
//!
//! A page cannot hide the amount, the test mode or an error this way: no free CSS gets in.

/// A validated appearance. `None` leaves the stylesheet's own value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Appearance {
    /// The colour of the pay button.
    pub accent: Option<Colour>,
    /// The corners, pixels.
    pub radius_px: Option<u8>,
    /// The font family as CSS writes it.
    pub font: Option<&'static str>,
    /// Fields and gaps a little smaller.
    pub is_compact: bool,
}

/// Light or dark, or as the shopper's device says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourScheme {
    /// Dark text on a light ground.
    Light,
    /// Light text on a dark ground.
    Dark,
    /// As the device is set.
    #[default]
    Auto,
}

/// An opaque sRGB colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Colour {
    css: String,
    red: u8,
    green: u8,
    blue: u8,
}

/// Largest radius, pixels: half of the smallest field, beyond which nothing changes.
pub const RADIUS_PX: u8 = 24;

/// Font families a page may ask for, by name. All are on the shopper's device already.
const FONTS: [(&str, &str); 5] = [
    (
        "system",
        "system-ui,-apple-system,\"Segoe UI\",Roboto,\"Noto Sans\",sans-serif",
    ),
    (
        "sans",
        "Inter,\"Helvetica Neue\",Arial,\"Liberation Sans\",sans-serif",
    ),
    (
        "rounded",
        "ui-rounded,\"SF Pro Rounded\",\"Nunito\",\"Varela Round\",system-ui,sans-serif",
    ),
    (
        "serif",
        "ui-serif,Georgia,Cambria,\"Times New Roman\",serif",
    ),
    (
        "mono",
        "ui-monospace,\"SF Mono\",Menlo,Consolas,\"Liberation Mono\",monospace",
    ),
];

/// What the page sent, by its names. Values of a wrong type are ignored like unknown names.
#[derive(Debug, Default)]
pub struct Wish<'a> {
    /// `#rrggbb`
    pub accent: Option<&'a str>,
    /// Pixels.
    pub radius: Option<i64>,
    /// A name of the list.
    pub font: Option<&'a str>,
    /// `comfortable` or `compact`.
    pub density: Option<&'a str>,
}

impl Appearance {
    /// Takes what is valid of a wish.
    #[must_use]
    pub fn of(wish: &Wish<'_>) -> Self {
        let font = |name| {
            FONTS
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, css)| *css)
        };
        Self {
            accent: wish.accent.and_then(Colour::parse),
            radius_px: wish
                .radius
                .and_then(|pixels| u8::try_from(pixels).ok())
                .filter(|pixels| *pixels <= RADIUS_PX),
            font: wish.font.and_then(font),
            is_compact: wish.density == Some("compact"),
        }
    }
}

impl Colour {
    /// Reads `#rrggbb`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let digits = digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then_some(digits)?;
        let value = u32::from_str_radix(digits, 16).ok()?;
        let [_, red, green, blue] = value.to_be_bytes();
        Some(Self {
            css: text.into(),
            red,
            green,
            blue,
        })
    }

    /// As CSS writes it: `#rrggbb`.
    #[must_use]
    pub fn css(&self) -> &str {
        &self.css
    }

    /// Black or white, whichever is easier to read on this colour (WCAG 2.2, contrast ratio): the
    /// better of the two always has at least 4.5 to 1.
    #[must_use]
    pub fn text_on_it(&self) -> &'static str {
        // (1.05) / (L + 0.05) = (L + 0.05) / (0.05) where L is 0.1791.
        if self.luminance() > 17_910_000 {
            "#000"
        } else {
            "#fff"
        }
    }

    /// Relative luminance (WCAG 2.2) in whole numbers, from 0 to 100 000 000.
    fn luminance(&self) -> u64 {
        2126 * linear(self.red) + 7152 * linear(self.green) + 722 * linear(self.blue)
    }
}

/// The linear value of an sRGB channel, from 0 to 10 000, by a cubic that stays within a hundredth
/// of the exact curve: c·(c·(0.3053·c + 0.6822) + 0.0125).
fn linear(channel: u8) -> u64 {
    let c = u64::from(channel);
    c * (c * (3053 * c + 6822 * 255) + 125 * 255 * 255) / (255 * 255 * 255)
}

#[cfg(test)]
mod tests {
    use super::{Appearance, Colour, Wish};

    #[test]
    fn only_valid_wishes_are_granted() {
        let wish = Wish {
            accent: Some("#0a7B3c"),
            radius: Some(24),
            font: Some("serif"),
            density: Some("compact"),
        };
        let appearance = Appearance::of(&wish);
        assert_eq!(appearance.accent.unwrap().css(), "#0a7B3c");
        assert_eq!(appearance.radius_px, Some(24));
        assert!(appearance.font.unwrap().starts_with("ui-serif"));
        assert!(appearance.is_compact);

        let rows = [
            "",
            "#fff",
            "#1234567",
            "red",
            "#12345g",
            "#+12345",
            "url(x)",
            "#12345\u{e9}",
        ];
        for accent in rows {
            let wish = Wish {
                accent: Some(accent),
                ..Wish::default()
            };
            assert_eq!(Appearance::of(&wish), Appearance::default(), "{accent}");
        }
        for radius in [-1, 25, 256, i64::MAX] {
            let wish = Wish {
                radius: Some(radius),
                ..Wish::default()
            };
            assert_eq!(Appearance::of(&wish), Appearance::default(), "{radius}");
        }
        let wish = Wish {
            font: Some("x;}"),
            density: Some("tiny"),
            ..Wish::default()
        };
        assert_eq!(Appearance::of(&wish), Appearance::default());
    }

    #[test]
    fn the_text_on_any_accent_can_be_read() {
        let rows = [
            ("#000000", "#fff"),
            ("#ffffff", "#000"),
            ("#ffff00", "#000"),
            ("#0000ff", "#fff"),
            ("#ff0000", "#000"),
            ("#0f5e63", "#fff"),
            ("#7fd3cc", "#000"),
            ("#757575", "#fff"),
            ("#777777", "#000"),
        ];
        for (accent, text) in rows {
            assert_eq!(
                Colour::parse(accent).unwrap().text_on_it(),
                text,
                "{accent}"
            );
        }
    }
}

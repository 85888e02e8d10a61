//! What a host page may change in the appearance: a few variables, each validated; everything else
//! is ignored.
//!
//! A page cannot hide the test mode or an error this way, or make text illegible: no custom CSS is
//! accepted, and colours without enough contrast are ignored.

/// A validated appearance. `None` leaves the stylesheet's own value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Appearance {
    /// The colour of the pay button.
    pub accent: Option<Colour>,
    /// The background, and the colours used on it.
    pub ground: Option<Ground>,
    /// The corner radius, pixels.
    pub radius_px: Option<u8>,
    /// The spacing between fields, pixels.
    pub spacing_px: Option<u8>,
    /// The size of the text, pixels; everything else scales with it.
    pub size_px: Option<u8>,
    /// The font family as CSS writes it.
    pub font: Option<&'static str>,
    /// Fields and gaps a little smaller.
    pub is_compact: bool,
    /// With a border and a background around it.
    pub is_framed: bool,
    /// Which parts the page shows itself.
    pub look: Look,
}

/// The parts that the page shows itself and the form leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    /// The order.
    pub hides_summary: bool,
    /// The pay button: the page has one, which calls `submit()`.
    pub hides_button: bool,
}

/// A background, and colours that are legible on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ground {
    /// Behind everything.
    pub background: Colour,
    /// The text; black or white unless the page sets a legible colour.
    pub text: String,
    /// Around fields.
    pub border: Option<Colour>,
    /// Errors.
    pub danger: Option<Colour>,
}

/// Light, dark, or the shopper's device setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ColourScheme {
    /// Dark text on a light background.
    Light,
    /// Light text on a dark background.
    Dark,
    /// The device's setting.
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

/// The largest radius, pixels: half of the smallest field, beyond which nothing changes.
pub const RADIUS_PX: u8 = 24;

/// The spacing between fields, pixels.
pub const SPACING_PX: [u8; 2] = [8, 24];

/// The size of the text, pixels. Below 16, phones zoom into a field that is touched.
pub const SIZE_PX: [u8; 2] = [14, 20];

/// The minimum contrast of text with its background, tenths (WCAG 2.2, 1.4.3).
const TEXT_CONTRAST: u64 = 45;

/// The minimum contrast of the border of a field, tenths (WCAG 2.2, 1.4.11).
const BORDER_CONTRAST: u64 = 30;

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

/// What the host page asks for, by its names. Values of the wrong type and unknown names are ignored.
#[derive(Debug, Default)]
pub struct AppearanceRequest<'a> {
    /// `#rrggbb`
    pub accent: Option<&'a str>,
    /// `#rrggbb`
    pub background: Option<&'a str>,
    /// `#rrggbb`
    pub text: Option<&'a str>,
    /// `#rrggbb`
    pub border: Option<&'a str>,
    /// `#rrggbb`
    pub danger: Option<&'a str>,
    /// Pixels.
    pub radius: Option<i64>,
    /// Pixels.
    pub spacing: Option<i64>,
    /// Pixels.
    pub size: Option<i64>,
    /// A key of the list of fonts.
    pub font: Option<&'a str>,
    /// `comfortable` or `compact`.
    pub density: Option<&'a str>,
    /// `none` or `card`.
    pub frame: Option<&'a str>,
    /// Whether the order is shown.
    pub summary: Option<bool>,
    /// Whether the button that pays is shown.
    pub button: Option<bool>,
}

impl Appearance {
    /// The valid part of a request.
    #[must_use]
    pub fn validated(request: &AppearanceRequest<'_>) -> Self {
        let font = |name| {
            FONTS
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, css)| *css)
        };
        Self {
            accent: request.accent.and_then(Colour::parse),
            ground: Ground::from_request(request),
            radius_px: within(request.radius, [0, RADIUS_PX]),
            spacing_px: within(request.spacing, SPACING_PX),
            size_px: within(request.size, SIZE_PX),
            font: request.font.and_then(font),
            is_compact: request.density == Some("compact"),
            is_framed: request.frame == Some("card"),
            look: Look {
                hides_summary: request.summary == Some(false),
                hides_button: request.button == Some(false),
            },
        }
    }
}

fn within(pixels: Option<i64>, [least, most]: [u8; 2]) -> Option<u8> {
    let pixels = u8::try_from(pixels?).ok()?;
    (least..=most).contains(&pixels).then_some(pixels)
}

impl Ground {
    /// Text, border and error colours are only accepted together with their background, and only if
    /// they are legible on it.
    fn from_request(request: &AppearanceRequest<'_>) -> Option<Self> {
        let background = request.background.and_then(Colour::parse)?;
        let legible = |colour: Option<&str>, least| {
            let colour = colour.and_then(Colour::parse)?;
            colour.contrasts_with(&background, least).then_some(colour)
        };
        let text = legible(request.text, TEXT_CONTRAST);
        let border = legible(request.border, BORDER_CONTRAST);
        let danger = legible(request.danger, TEXT_CONTRAST);
        let text = text.map_or_else(|| background.text_on_it().into(), |text| text.css);
        Some(Self {
            background,
            text,
            border,
            danger,
        })
    }

    /// Whether the colours that the page did not set have to be those of a dark form.
    #[must_use]
    pub fn is_dark(&self) -> bool {
        self.background.text_on_it() == "#fff"
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

    /// Whether the contrast ratio (WCAG 2.2) is at least this many tenths.
    fn contrasts_with(&self, other: &Self, least_tenths: u64) -> bool {
        // WCAG adds 0.05 to both luminances, so that black has a ratio too.
        let [one, two] = [self, other].map(|colour| colour.luminance() + 5_000_000);
        10 * one.max(two) >= least_tenths * one.min(two)
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
mod tests;

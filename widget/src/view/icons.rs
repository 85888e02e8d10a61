//! Icons of card brands and of states, drawn here so that nothing has to be fetched.
//!
//! Brand icons only resemble the brands' own: a colour, a shape, and the name as alternative text.

use super::element::{Element, element};
use sealpay_protocol::card::Brand;
use yew::Html;

/// A closed shape filled with a colour, or with a width a line of that colour.
struct Shape {
    colour: &'static str,
    width: &'static str,
    path: &'static str,
}

const fn fill(colour: &'static str, path: &'static str) -> Shape {
    Shape {
        colour,
        width: "",
        path,
    }
}

const fn line(colour: &'static str, width: &'static str, path: &'static str) -> Shape {
    Shape {
        colour,
        width,
        path,
    }
}

/// A brand icon: background, shapes, and a name if there are no shapes.
struct BrandIcon {
    background: &'static str,
    shapes: &'static [Shape],
    name: &'static str,
}

const WHITE: &str = "#fff";

const LEFT_DISC: &str = "M8.5 12.5a6.6 6.6 0 1 0 13.2 0a6.6 6.6 0 1 0-13.2 0";
const RIGHT_DISC: &str = "M16.3 12.5a6.6 6.6 0 1 0 13.2 0a6.6 6.6 0 1 0-13.2 0";
const LENS: &str = "M19 7.2a6.6 6.6 0 0 1 0 10.6a6.6 6.6 0 0 1 0-10.6";

static VISA: [Shape; 1] = [line(
    "#1434cb",
    "2.3",
    "M6.6 8.2l2.6 8.2l4.2-8.2M16.8 8l-1.7 8.6M23.6 9.3c-1.5-1.3-4.4-.9-4.4 1c0 1.9 3.4 1.7 3.2 \
     4c-.2 2.2-3.5 2.4-5 .9M23.4 16.6l5.2-8.2l1.9 8.2M26 13.6h4",
)];
static MASTERCARD: [Shape; 3] = [
    fill("#eb001b", LEFT_DISC),
    fill("#f79e1b", RIGHT_DISC),
    fill("#ff5f00", LENS),
];
static MAESTRO: [Shape; 3] = [
    fill("#eb001b", LEFT_DISC),
    fill("#00a2e5", RIGHT_DISC),
    fill("#7375cf", LENS),
];
static AMERICAN_EXPRESS: [Shape; 1] = [line(
    WHITE,
    "1.9",
    "M3.8 16.7l3-8.4l3 8.4M4.9 13.9h3.8M12 16.7v-8.2l3 4.6l3-4.6v8.2M25.2 8.5h-4.3v8h4.3M20.9 \
     12.4h3.7M27.4 8.5l6.2 8.1M33.6 8.5l-6.2 8.1",
)];
static DINERS_CLUB: [Shape; 3] = [
    fill("#0069aa", "M11 12.5a8 8 0 1 0 16 0a8 8 0 1 0-16 0"),
    fill(
        WHITE,
        "M12.7 12.5a6.3 6.3 0 1 0 12.6 0a6.3 6.3 0 1 0-12.6 0",
    ),
    fill(
        "#0069aa",
        "M17.8 8v9a4.7 4.7 0 0 1 0-9M20.2 8v9a4.7 4.7 0 0 0 0-9",
    ),
];
static DISCOVER: [Shape; 1] = [fill(
    "#f47216",
    "M13 25c11-2 20-4 25-8.5v5a3.5 3.5 0 0 1-3.5 3.5z",
)];
static JCB: [Shape; 4] = [
    fill("#0b5cab", "M7.5 7a3 3 0 0 1 3-3h3.5v14a3 3 0 0 1-3 3h-3.5z"),
    fill(
        "#c8102e",
        "M15.7 7a3 3 0 0 1 3-3h3.5v14a3 3 0 0 1-3 3h-3.5z",
    ),
    fill(
        "#00843d",
        "M23.9 7a3 3 0 0 1 3-3h3.5v14a3 3 0 0 1-3 3h-3.5z",
    ),
    line(
        WHITE,
        "1.3",
        "M12.3 10v4a1.6 1.6 0 0 1-3.2 0M20.8 10.8c-3.6-1.8-3.6 5.2 0 \
         3.4M25.7 10v5h1.5a1.2 1.2 0 0 0 0-2.5h-1.5h1.3a1.2 1.2 0 0 0 0-2.5z",
    ),
];
static UNIONPAY: [Shape; 4] = [
    fill(
        "#d81e2c",
        "M9.5 4h6.5l-3.5 17h-6.5a1.8 1.8 0 0 1-1.8-2.2l3-13a2.5 2.5 0 0 1 2.3-1.8",
    ),
    fill("#0a3f7f", "M15.5 4h8.5l-3.5 17h-8.5z"),
    fill(
        "#00797f",
        "M23.5 4h8a1.8 1.8 0 0 1 1.8 2.2l-3 13a2.5 2.5 0 0 1-2.3 1.8h-8z",
    ),
    line(
        WHITE,
        "1.6",
        "M14 9.5l-.8 4c-.4 2.4 3.6 2.4 4 0l.8-4M20.3 15.5l1.2-6h2.5a1.6 1.6 0 0 1 0 3.2h-3",
    ),
];

fn brand_icon(brand: Brand) -> BrandIcon {
    let drawn = |background, shapes| BrandIcon {
        background,
        shapes,
        name: "",
    };
    let written = |background, name| BrandIcon {
        background,
        shapes: &[],
        name,
    };
    match brand {
        Brand::Visa => drawn(WHITE, &VISA),
        Brand::Mastercard => drawn(WHITE, &MASTERCARD),
        Brand::AmericanExpress => drawn("#1f72cd", &AMERICAN_EXPRESS),
        Brand::DinersClub => drawn(WHITE, &DINERS_CLUB),
        Brand::Discover => BrandIcon {
            name: "DISCOVER",
            ..drawn(WHITE, &DISCOVER)
        },
        Brand::Jcb => drawn(WHITE, &JCB),
        Brand::UnionPay => drawn(WHITE, &UNIONPAY),
        Brand::Maestro => drawn(WHITE, &MAESTRO),
        Brand::Troy => written("#00838f", "troy"),
        Brand::Naranja => written("#c24a00", "naranja"),
        Brand::Verve => written("#00425f", "verve"),
        Brand::Elo => written("#000", "elo"),
        Brand::Mir => written("#007a3d", "mir"),
        Brand::Hiper => written("#b3350a", "hiper"),
        Brand::Hipercard => written("#8f1d1d", "hiper"),
    }
}

/// The icon of a brand, or an outline of a card while it is unknown.
pub(crate) fn brand(brand: Option<Brand>) -> Html {
    let svg = element("svg").attrs("viewBox=0 0 38 25;width=38;height=25");
    let Some(brand) = brand else {
        return blank_card("M1 7.5h36M5 17.5h8").finish();
    };
    let BrandIcon {
        background,
        shapes,
        name,
    } = brand_icon(brand);
    let card = element("rect")
        .attrs("x=.5;y=.5;width=37;height=24;rx=3.5;stroke=#c9d1d8")
        .attr("fill", background);
    let mut svg = svg
        .attrs("role=img")
        .attr("aria-label", brand.name())
        .child(card);
    for shape in shapes {
        svg = svg.child(drawn(shape));
    }
    if !name.is_empty() {
        // On white the name is long, and as wide as the icon whatever the font.
        let (look, colour) = if background == WHITE {
            ("y=13.4;font-size=6.4;textLength=32", "#231f20")
        } else {
            ("y=15.8;font-size=8.5", WHITE)
        };
        let written = element("text").attrs("x=19;text-anchor=middle;font-weight=700");
        svg = svg.child(written.attrs(look).attr("fill", colour).text(name));
    }
    svg.finish()
}

/// A card without a brand, with lines on it.
fn blank_card(lines: &'static str) -> Element {
    element("svg")
        .attrs(
            "viewBox=0 0 38 25;width=38;height=25;aria-hidden=true;fill=none;stroke=currentColor",
        )
        .child(element("rect").attrs("x=.75;y=.75;width=36.5;height=23.5;rx=3.5"))
        .child(element("path").attr("d", lines))
}

/// Where the security code is printed: on the front, or beside the strip on the back.
pub(crate) fn security_code(is_on_the_front: bool) -> Html {
    let (lines, digits) = if is_on_the_front {
        ("M5 18h8", "M22.5 9.5h10")
    } else {
        ("M1 5.5h36M5 14.5h14", "M22.5 14.5h9")
    };
    let digits = element("path")
        .attrs("stroke-width=3;stroke-dasharray=2 1")
        .attr("d", digits);
    let ring = element("rect").attrs("height=8;rx=4;stroke-width=1.4");
    let ring = if is_on_the_front {
        ring.attrs("x=20.5;y=5.5;width=14")
    } else {
        ring.attrs("x=20.5;y=10.5;width=13")
    };
    blank_card(lines).child(digits).child(ring).finish()
}

fn drawn(shape: &Shape) -> Element {
    let Shape {
        colour,
        width,
        path,
    } = *shape;
    let drawn = element("path").attr("d", path);
    if width.is_empty() {
        drawn.attr("fill", colour)
    } else {
        drawn
            .attr("fill", "none")
            .attr("stroke", colour)
            .attr("stroke-width", width)
    }
}

/// An icon drawn as one line.
pub(crate) fn outline(size: &'static str, path: &'static str) -> Html {
    element("svg")
        .attrs(
            "viewBox=0 0 24 24;fill=none;stroke=currentColor;stroke-width=2.2;\
             stroke-linecap=round;stroke-linejoin=round;aria-hidden=true",
        )
        .attr("width", size)
        .attr("height", size)
        .child(element("path").attr("d", path))
        .finish()
}

/// Turns while a request is under way.
pub(crate) fn spinner() -> Html {
    element("span.spinner").finish()
}

pub(crate) fn lock() -> Html {
    outline("18", LOCK)
}

pub(crate) fn small_lock() -> Html {
    outline("16", LOCK)
}

const LOCK: &str = "M7 10v-3a5 5 0 0 1 10 0v3M6 10h12a1.5 1.5 0 0 1 1.5 1.5v7.5a2 2 0 0 1-2 2h-11a2 2 0 \
                    0 1-2-2v-7.5a1.5 1.5 0 0 1 1.5-1.5M12 14.5v2.5";

pub(crate) fn check() -> Html {
    outline("28", "M5 12.8l4.6 4.6l9.6-10.4")
}

pub(crate) fn cross() -> Html {
    outline("26", "M6.5 6.5l11 11M17.5 6.5l-11 11")
}

pub(crate) fn attention() -> Html {
    outline("28", "M12 5.5v8M12 18v.1")
}

pub(crate) fn clock() -> Html {
    outline(
        "28",
        "M12 7v5.2l3.4 2M3.5 12a8.5 8.5 0 1 0 17 0a8.5 8.5 0 1 0-17 0",
    )
}

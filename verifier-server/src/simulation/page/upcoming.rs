//! The section of the control page for what falls due. The script writes its rows.

use super::{card, table};
use maud::{Markup, html};

pub(super) fn section() -> Markup {
    card(
        "upcoming",
        "Coming up",
        &html! {
            (table("upcoming-rows", "What falls due within a year", &["Due", "What", "For", ""]))
            p .muted .small { "Going there moves the clock to that moment. Everything before it "
                "happens first, in order." }
        },
    )
}

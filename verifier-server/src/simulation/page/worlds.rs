//! The section of the control page for worlds. The script writes its rows.

use super::{card, field, table};
use maud::{Markup, html};

pub(super) fn section() -> Markup {
    card(
        "worlds",
        "Worlds",
        &html! {
            (table("world-rows", "Saved worlds", &["Name", "Saved", "Clock", "Size", ""]))
            form #world .row {
                (field("world-name", "Save as", &html! {
                    input #world-name name="name" maxlength="40" required
                        pattern="[a-z0-9][a-z0-9\\-]*" placeholder="before-refund"
                        autocomplete="off" spellcheck="false";
                }))
                button .primary { "Save world" }
            }
            p .muted .small { "A world is everything on this server: payments, events, accounts, "
                "keys and the clock. Restoring one discards what happened since, for everybody." }
        },
    )
}

//! The frame of a panel, which is shown in place of the form, and its lists.

use super::element::{Element, element};
use crate::browser::intl::{self, Moment};
use yew::{Html, NodeRef};

/// The head of a panel.
pub(crate) struct Panel<'a> {
    /// The colour of the icon.
    pub(crate) kind: Option<&'static str>,
    pub(crate) icon: Html,
    pub(crate) heading: &'static str,
    /// The heading gets the focus when the panel appears.
    pub(crate) heading_ref: &'a NodeRef,
    /// A receipt describes its heading. It is no group: a screen reader would read the focused
    /// heading twice.
    pub(crate) is_receipt: bool,
}

impl Panel<'_> {
    /// The panel with its icon and its heading; the caller appends the content.
    pub(crate) fn view(self) -> Element {
        let mut panel = element("div.panel");
        if !self.is_receipt {
            panel = panel.attrs("role=group;aria-labelledby=heading");
        }
        let seal = element("div.seal").attr_opt("data-kind", self.kind);
        let heading = element("h2")
            .attrs("id=heading;tabindex=-1")
            .attr_opt("aria-describedby", self.is_receipt.then_some("outcome"))
            .node_ref(self.heading_ref)
            .text(self.heading);
        panel.child(seal.node(self.icon)).child(heading)
    }
}

/// An empty list of names and values.
pub(crate) fn lines() -> Element {
    element("dl.receipt")
}

/// A point in time as the value of a line.
pub(crate) fn moment(locale: &str, unix_seconds: u64) -> Element {
    let Moment { words, machine } = intl::moment(locale, unix_seconds);
    let time = element("time").attr_string("datetime", machine);
    element("dd").child(element("bdi").child(time.verbatim(&words)))
}

impl Element {
    /// Appends a line.
    pub(crate) fn line(self, name: &'static str, value: &str) -> Self {
        self.line_with(name, element("dd").child(element("bdi").verbatim(value)))
    }

    /// Appends a line with a `dd` as its value.
    pub(crate) fn line_with(self, name: &'static str, value: Self) -> Self {
        self.child(element("div").child(element("dt").text(name)).child(value))
    }
}

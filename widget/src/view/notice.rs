//! The notice above the pay button.

use super::button::plain_button;
use super::element::{Element, element};
use super::msg::Msg;
use crate::i18n::{Catalog, Explanation};
use crate::payment::Notice;
use yew::{Callback, NodeRef};

/// The texts of a notice.
pub(super) fn explanation(catalog: &Catalog, notice: &Notice) -> Explanation {
    match notice {
        Notice::Declined(decline) => (catalog.decline)(decline.category),
        Notice::Code(code) => catalog.panel(code),
    }
}

/// A notice, or else a warning that the session ends.
pub(super) struct NoticeModel<'a> {
    pub(super) catalog: &'static Catalog,
    pub(super) notice: Option<&'a Notice>,
    pub(super) session_warning: Option<&'a str>,
    /// A saved card was to pay: after a decline, the shopper may enter another one.
    pub(super) offers_another_card: bool,
    /// The notice gets the focus where no field is to be corrected.
    pub(super) node_ref: &'a NodeRef,
}

impl NoticeModel<'_> {
    pub(super) fn view(&self, on: &Callback<Msg>) -> Option<Element> {
        let (kind, heading, sentence) = match (self.notice, self.session_warning) {
            (Some(notice), _) => {
                let Explanation { heading, sentence } = explanation(self.catalog, notice);
                let kind = match notice {
                    Notice::Declined(_) => "danger",
                    Notice::Code(_) => "warning",
                };
                (kind, Some(heading), sentence)
            }
            (None, Some(warning)) => ("warning", None, warning),
            (None, None) => return None,
        };
        let heading = heading.map(|heading| {
            let strong = element("strong").attrs("id=notice-heading");
            strong.text(heading)
        });
        let another_card = (kind == "danger" && self.offers_another_card).then(|| {
            plain_button("secondary", self.catalog.another_card)
                .on_click(on, || Msg::AnotherCardRequested)
        });
        let notice = element("div.notice")
            .attrs(
                "tabindex=-1;role=group;aria-labelledby=notice-heading;\
                 aria-describedby=notice-sentence",
            )
            .node_ref(self.node_ref)
            .attr("data-kind", kind)
            .child_opt(heading)
            .child(element("span").attrs("id=notice-sentence").text(sentence))
            .child_opt(another_card);
        Some(notice)
    }
}

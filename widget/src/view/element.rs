//! Elements, put together by calls.
//!
//! Yew's macro writes out the whole making of an element wherever one stands. For a form of some
//! eighty elements that is more to download than everything `pay` does; a call is a few bytes.

use super::checkout::{Checkout, Heard};
use yew::html::Scope;
use yew::virtual_dom::{AttributeOrProperty, Attributes, Listener, ListenerKind, VTag, VText};
use yew::{AttrValue, Event, Html, NodeRef};

/// Every attribute of the form. One list for all elements: that takes less code than one for each,
/// or than a map, and for so few elements nobody notices the time.
static NAMES: [&str; 43] = [
    "aria-describedby",
    "aria-disabled",
    "aria-hidden",
    "aria-invalid",
    "aria-label",
    "aria-labelledby",
    "autocomplete",
    "autocorrect",
    "class",
    "d",
    "data-kind",
    "data-look",
    "datetime",
    "dir",
    "disabled",
    "fill",
    "font-size",
    "font-weight",
    "for",
    "height",
    "hidden",
    "id",
    "inputmode",
    "name",
    "novalidate",
    "placeholder",
    "readonly",
    "required",
    "role",
    "rx",
    "spellcheck",
    "stroke",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-width",
    "tabindex",
    "text-anchor",
    "type",
    "value",
    "viewBox",
    "width",
    "x",
    "y",
];

/// An element that is being put together.
pub(super) struct Element(Box<VTag>);

/// Begins an element, with or without a class: `div.panel`.
pub(super) fn element(name: &'static str) -> Element {
    let (tag, class) = name.split_once('.').unwrap_or((name, ""));
    let mut tag = Box::new(VTag::new(AttrValue::Static(tag)));
    tag.attributes = Attributes::Dynamic {
        keys: &NAMES,
        values: Box::new([const { None }; NAMES.len()]),
    };
    Element(tag).maybe("class", (!class.is_empty()).then_some(class))
}

/// A text.
fn text(text: AttrValue) -> Html {
    VText::new(text).into()
}

impl Element {
    /// Attributes that never change, such as `class=receipt;hidden`.
    pub(super) fn with(mut self, attributes: &'static str) -> Self {
        for attribute in attributes.split(';') {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            self = self.say(name, value);
        }
        self
    }

    /// An attribute of ours.
    pub(super) fn say(self, name: &str, value: &'static str) -> Self {
        self.put(name, AttributeOrProperty::Static(value))
    }

    /// An attribute.
    pub(super) fn tell(self, name: &str, value: String) -> Self {
        self.put(name, AttributeOrProperty::Attribute(value.into()))
    }

    fn put(mut self, name: &str, value: AttributeOrProperty) -> Self {
        let place = NAMES.iter().position(|known| *known == name);
        debug_assert!(place.is_some(), "{name} is missing in the list");
        if let (Attributes::Dynamic { values, .. }, Some(place)) = (&mut self.0.attributes, place) {
            values[place] = Some(value);
        }
        self
    }

    /// An attribute that may be left out.
    pub(super) fn maybe(self, name: &'static str, value: Option<&'static str>) -> Self {
        match value {
            Some(value) => self.say(name, value),
            None => self,
        }
    }

    /// An attribute that is there or not.
    pub(super) fn when(self, is_there: bool, name: &'static str) -> Self {
        self.maybe(name, is_there.then_some(""))
    }

    /// Whether a radio button is the chosen one.
    pub(super) fn checked(mut self, is_checked: bool) -> Self {
        self.0.set_checked(is_checked);
        self
    }

    /// What is in it next.
    pub(super) fn child(mut self, child: Html) -> Self {
        self.0.add_child(child);
        self
    }

    /// An element that is in it next.
    pub(super) fn holds(self, child: Self) -> Self {
        self.child(child.done())
    }

    /// An element that is in it next, or its place: without it, what is around would be taken for
    /// another element, and lose what the shopper typed.
    pub(super) fn may_hold(self, child: Option<Self>) -> Self {
        self.child(child.map_or_else(Html::default, Self::done))
    }

    /// A text of ours that is in it next.
    pub(super) fn says(self, words: &'static str) -> Self {
        self.child(text(AttrValue::Static(words)))
    }

    /// A text that is in it next.
    pub(super) fn tells(self, words: &str) -> Self {
        self.child(text(AttrValue::from(words.to_owned())))
    }

    /// Where the element can be found later.
    pub(super) fn at(mut self, place: &NodeRef) -> Self {
        self.0.node_ref = place.clone();
        self
    }

    /// What an event means.
    fn listens(mut self, listener: On) -> Self {
        self.0.add_listener(std::rc::Rc::new(listener));
        self
    }

    /// What an event means, if anything.
    pub(super) fn on(
        self,
        kind: Kind,
        link: &Scope<Checkout>,
        meaning: impl Fn(&Event) -> Option<Heard> + 'static,
    ) -> Self {
        self.listens(On {
            kind,
            link: link.clone(),
            meaning: Box::new(meaning),
        })
    }

    /// What a press means.
    pub(super) fn pressed(self, link: &Scope<Checkout>, meaning: fn() -> Heard) -> Self {
        self.on(Kind::Press, link, move |_| Some(meaning()))
    }

    /// The finished element.
    pub(super) fn done(self) -> Html {
        Html::from(*self.0)
    }
}

/// The events that the form hears.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Press,
    MouseDown,
    Input,
    Change,
    Leave,
    Submit,
}

/// What an event means, if anything.
type Meaning = dyn Fn(&Event) -> Option<Heard>;

/// Hears events of one kind, whatever the kind.
struct On {
    kind: Kind,
    link: Scope<Checkout>,
    meaning: Box<Meaning>,
}

impl Listener for On {
    fn kind(&self) -> ListenerKind {
        match self.kind {
            Kind::Press => ListenerKind::onclick,
            Kind::MouseDown => ListenerKind::onmousedown,
            Kind::Input => ListenerKind::oninput,
            Kind::Change => ListenerKind::onchange,
            Kind::Leave => ListenerKind::onblur,
            Kind::Submit => ListenerKind::onsubmit,
        }
    }

    fn handle(&self, event: Event) {
        if let Some(heard) = (self.meaning)(&event) {
            self.link.send_message(heard);
        }
    }

    fn passive(&self) -> bool {
        false
    }
}

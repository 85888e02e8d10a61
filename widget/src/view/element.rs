//! Elements, put together by calls.
//!
//! Yew's macro writes out the whole making of an element wherever one stands. For a form of some
//! eighty elements that is more to download than everything `payment` does; a call is a few bytes.
//!
//! The document is not ours alone: page translators wrap text nodes, and extensions put elements
//! between ours. So an element has either a text or elements, never both. A text is the `textContent`
//! of its element and is replaced as a whole: no text node is ever looked for again, and none is the
//! place before which something is inserted. `static/boot.js` does the rest for elements.

use super::checkout::{Checkout, Msg};
use yew::html::Scope;
use yew::virtual_dom::{AttributeOrProperty, Attributes, Listener, ListenerKind, VNode, VTag};
use yew::{AttrValue, Event, Html, NodeRef};

/// Every attribute of the form. One list for all elements: that takes less code than one for each,
/// or than a map, and for so few elements nobody notices the time.
static NAMES: [&str; 51] = [
    "aria-describedby",
    "aria-disabled",
    "aria-hidden",
    "aria-invalid",
    "aria-label",
    "aria-labelledby",
    "autocapitalize",
    "autocomplete",
    "autocorrect",
    "class",
    "d",
    "data-kind",
    "data-look",
    "datetime",
    "dir",
    "disabled",
    "enterkeyhint",
    "fill",
    "font-size",
    "font-weight",
    "for",
    "height",
    "hidden",
    "href",
    "id",
    "inputmode",
    "name",
    "novalidate",
    "placeholder",
    "readonly",
    "rel",
    "required",
    "role",
    "rx",
    "spellcheck",
    "stroke",
    "stroke-dasharray",
    "stroke-linecap",
    "stroke-linejoin",
    "stroke-width",
    "tabindex",
    "target",
    "text-anchor",
    "textContent",
    "translate",
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

    fn is_empty(&self) -> bool {
        matches!(self.0.children(), Some(VNode::VList(list)) if list.is_empty())
    }

    fn has(&self, name: &str) -> bool {
        matches!(&self.0.attributes, Attributes::Dynamic { values, .. }
            if NAMES.iter().zip(values).any(|(known, value)| *known == name && value.is_some()))
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
        debug_assert!(!self.has("textContent"), "an element beside a text");
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

    /// Its text.
    pub(super) fn says(self, words: &str) -> Self {
        debug_assert!(self.is_empty(), "{words}: a text beside elements");
        self.put("textContent", AttributeOrProperty::Property(words.into()))
    }

    /// Its text, which is an amount, a name or a number: nobody may translate it.
    pub(super) fn quotes(self, words: &str) -> Self {
        // Some translators go by the attribute, others by the class.
        self.with("translate=no").class("notranslate").says(words)
    }

    /// One more class.
    fn class(mut self, name: &str) -> Self {
        let place = NAMES.iter().position(|known| *known == "class");
        if let (Attributes::Dynamic { values, .. }, Some(place)) = (&mut self.0.attributes, place) {
            let class = match values[place].take() {
                Some(AttributeOrProperty::Static(class)) => [class, " ", name].concat(),
                _ => name.to_owned(),
            };
            values[place] = Some(AttributeOrProperty::Attribute(class.into()));
        }
        self
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
        meaning: impl Fn(&Event) -> Option<Msg> + 'static,
    ) -> Self {
        self.listens(On {
            kind,
            link: link.clone(),
            meaning: Box::new(meaning),
        })
    }

    /// What a press means.
    pub(super) fn pressed(self, link: &Scope<Checkout>, meaning: fn() -> Msg) -> Self {
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
    Composed,
    Change,
    Leave,
    Submit,
}

/// What an event means, if anything.
type Meaning = dyn Fn(&Event) -> Option<Msg>;

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
            Kind::Composed => ListenerKind::other("compositionend".into()),
            Kind::Change => ListenerKind::onchange,
            Kind::Leave => ListenerKind::onblur,
            Kind::Submit => ListenerKind::onsubmit,
        }
    }

    fn handle(&self, event: Event) {
        if let Some(link) = (self.meaning)(&event) {
            self.link.send_message(link);
        }
    }

    fn passive(&self) -> bool {
        false
    }
}

//! A builder for elements, in place of `html!`.
//!
//! The macro expands the construction of an element at every use; a call is a few bytes.
//! `docs/adr/0027-element-builder.md` has the figures.
//!
//! Page translators wrap text nodes, and extensions insert elements between those of the form. So
//! an element has either a text or child elements, never both, and a text is the `textContent` of
//! its element: it is replaced as a whole, and no text node is ever looked up again.
//! `static/boot.js` handles moved elements.

use super::msg::Msg;
use std::rc::Rc;
use yew::virtual_dom::{AttributeOrProperty, Attributes, Listener, ListenerKind, VNode, VTag};
use yew::{AttrValue, Callback, Event, Html, NodeRef};

/// Every attribute of the form. One list for all elements takes less code than one for each, or
/// than a map, and is quick enough for so few elements.
static NAMES: [&str; 52] = [
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
    "textLength",
    "translate",
    "type",
    "value",
    "viewBox",
    "width",
    "x",
    "y",
];

/// An element under construction.
pub(crate) struct Element(Box<VTag>);

/// Starts an element from its tag and, after a dot, its classes: `div.panel`.
pub(crate) fn element(name: &'static str) -> Element {
    let (tag, class) = name.split_once('.').unwrap_or((name, ""));
    let mut tag = Box::new(VTag::new(AttrValue::Static(tag)));
    tag.attributes = Attributes::Dynamic {
        keys: &NAMES,
        values: Box::new([const { None }; NAMES.len()]),
    };
    Element(tag).attr_opt("class", (!class.is_empty()).then_some(class))
}

impl Element {
    /// Constant attributes, such as `class=receipt;hidden`.
    pub(crate) fn attrs(mut self, attributes: &'static str) -> Self {
        for attribute in attributes.split(';') {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            self = self.attr(name, value);
        }
        self
    }

    /// An attribute.
    pub(crate) fn attr(self, name: &str, value: &'static str) -> Self {
        self.set(name, AttributeOrProperty::Static(value))
    }

    /// An attribute with a computed value.
    pub(crate) fn attr_string(self, name: &str, value: String) -> Self {
        self.set(name, AttributeOrProperty::Attribute(value.into()))
    }

    /// An attribute that may be absent.
    pub(crate) fn attr_opt(self, name: &'static str, value: Option<&'static str>) -> Self {
        match value {
            Some(value) => self.attr(name, value),
            None => self,
        }
    }

    /// A boolean attribute.
    pub(crate) fn attr_if(self, name: &'static str, is_set: bool) -> Self {
        self.attr_opt(name, is_set.then_some(""))
    }

    fn set(mut self, name: &str, value: AttributeOrProperty) -> Self {
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

    /// Whether a radio button or a box is checked.
    pub(crate) fn checked(mut self, is_checked: bool) -> Self {
        self.0.set_checked(is_checked);
        self
    }

    /// Appends a finished node.
    pub(crate) fn node(mut self, child: Html) -> Self {
        debug_assert!(!self.has("textContent"), "an element beside a text");
        self.0.add_child(child);
        self
    }

    /// Appends an element.
    pub(crate) fn child(self, child: Self) -> Self {
        self.node(child.finish())
    }

    /// Appends an element or its placeholder: without one, Yew would take the elements after it for
    /// others, and the shopper would lose their contents.
    pub(crate) fn child_opt(self, child: Option<Self>) -> Self {
        self.node(child.map_or_else(Html::default, Self::finish))
    }

    /// Sets the text.
    pub(crate) fn text(self, text: &str) -> Self {
        debug_assert!(self.is_empty(), "{text}: a text beside elements");
        self.set("textContent", AttributeOrProperty::Property(text.into()))
    }

    /// Sets a text that must not be translated: an amount, a name or a number.
    pub(crate) fn verbatim(self, text: &str) -> Self {
        // Some translators respect the attribute, others the class.
        self.attrs("translate=no").class("notranslate").text(text)
    }

    /// Adds a class.
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

    /// Binds the element to a reference.
    pub(crate) fn node_ref(mut self, node_ref: &NodeRef) -> Self {
        self.0.node_ref = node_ref.clone();
        self
    }

    /// Listens for an event, which may result in a message.
    pub(crate) fn on(
        mut self,
        kind: Kind,
        on: &Callback<Msg>,
        message: impl Fn(&Event) -> Option<Msg> + 'static,
    ) -> Self {
        self.0.add_listener(Rc::new(EventListener {
            kind,
            on: on.clone(),
            message: Box::new(message),
        }));
        self
    }

    /// Sends a message on a click.
    pub(crate) fn on_click(self, on: &Callback<Msg>, message: fn() -> Msg) -> Self {
        self.on(Kind::Click, on, move |_| Some(message()))
    }

    /// The finished element.
    pub(crate) fn finish(self) -> Html {
        Html::from(*self.0)
    }
}

/// The events that the form listens for.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Click,
    MouseDown,
    Input,
    CompositionEnd,
    Change,
    Blur,
    Submit,
}

/// The message that results from an event, if any.
type MessageOf = dyn Fn(&Event) -> Option<Msg>;

/// One type for all kinds of events, so that one vtable serves them all.
struct EventListener {
    kind: Kind,
    on: Callback<Msg>,
    message: Box<MessageOf>,
}

impl Listener for EventListener {
    fn kind(&self) -> ListenerKind {
        match self.kind {
            Kind::Click => ListenerKind::onclick,
            Kind::MouseDown => ListenerKind::onmousedown,
            Kind::Input => ListenerKind::oninput,
            Kind::CompositionEnd => ListenerKind::other("compositionend".into()),
            Kind::Change => ListenerKind::onchange,
            Kind::Blur => ListenerKind::onblur,
            Kind::Submit => ListenerKind::onsubmit,
        }
    }

    fn handle(&self, event: Event) {
        if let Some(message) = (self.message)(&event) {
            self.on.emit(message);
        }
    }

    fn passive(&self) -> bool {
        false
    }
}

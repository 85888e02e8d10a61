//! A parser for the subset of XML 1.0 that the reports use; rejects everything else.

#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
}

impl Element {
    /// The first child of each name along a path.
    pub(super) fn at(&self, path: &[&str]) -> Option<&Element> {
        path.iter().try_fold(self, |element, name| {
            element.children.iter().find(|child| child.name == *name)
        })
    }

    pub(super) fn text_at(&self, path: &[&str]) -> &str {
        &self
            .at(path)
            .unwrap_or_else(|| panic!("no {path:?} in {}", self.name))
            .text
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

/// The root element of a document.
pub(super) fn read(text: &str) -> Element {
    let rest = text
        .strip_prefix("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
        .unwrap();
    for c in rest.chars() {
        let is_allowed = c == '\n' || (' '..='\u{7e}').contains(&c) || c >= '\u{a0}';
        assert!(
            is_allowed && !matches!(c, '\u{fffe}' | '\u{ffff}'),
            "{c:?} is not for XML"
        );
    }
    let (root, rest) = element(rest);
    assert_eq!(rest.trim(), "", "something stands after the document");
    root
}

fn element(text: &str) -> (Element, &str) {
    let (tag, mut rest) = text.strip_prefix('<').unwrap().split_once('>').unwrap();
    let mut words = tag.split(' ');
    let mut element = Element {
        name: words.next().unwrap().to_owned(),
        ..Element::default()
    };
    assert!(
        element.name.bytes().all(|c| c.is_ascii_alphanumeric()),
        "{tag}"
    );
    for word in words {
        let (name, value) = word.split_once('=').unwrap();
        let value = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap();
        element.attributes.push((name.to_owned(), plain(value)));
    }
    let mut text = String::new();
    loop {
        let (before, _) = rest.split_once('<').unwrap();
        assert!(!before.contains('>'), "a bare > in {before:?}");
        text.push_str(&plain(before));
        rest = &rest[before.len()..];
        let end = format!("</{}>", element.name);
        if let Some(after) = rest.strip_prefix(&end) {
            if element.children.is_empty() {
                element.text = text;
            } else {
                assert_eq!(text.trim(), "", "text between elements");
            }
            return (element, after);
        }
        let (child, after) = self::element(rest);
        element.children.push(child);
        rest = after;
    }
}

/// Text without references.
fn plain(text: &str) -> String {
    let mut parts = text.split('&');
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let (name, rest) = part.split_once(';').expect("a reference has an end");
        plain.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            _ => {
                let number = name.strip_prefix('#').unwrap().parse().unwrap();
                char::from_u32(number).unwrap()
            }
        });
        plain.push_str(rest);
    }
    plain
}

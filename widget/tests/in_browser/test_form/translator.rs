//! Page translators.

use wasm_bindgen::JsValue;
use web_sys::Element;

/// What page translators do: they replace each text node by elements around a text of their own, now
/// and whenever the document changes.
const TRANSLATOR: &str = "
    const wrap = (node) => {
      if (node.nodeType === Node.TEXT_NODE) {
        if (!node.data.trim() || node.parentNode?.localName === 'font') return;
        const outer = document.createElement('font');
        const inner = outer.appendChild(document.createElement('font'));
        inner.textContent = node.data;
        node.replaceWith(outer);
      } else {
        [...node.childNodes].forEach(wrap);
      }
    };
    new MutationObserver((changes) => {
      for (const { target, addedNodes } of changes) {
        target.nodeType === Node.TEXT_NODE ? wrap(target) : addedNodes.forEach(wrap);
      }
    }).observe(root, { childList: true, characterData: true, subtree: true });
    wrap(root);";

/// Translates the document, now and later, so that every test is also one of a translated form.
pub(super) fn translate(root: &Element) {
    let translator = js_sys::Function::new_with_args("root", TRANSLATOR);
    translator.call1(&JsValue::NULL, root).unwrap();
}

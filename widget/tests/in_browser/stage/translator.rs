//! What translators of pages do to a form.

use wasm_bindgen::JsValue;
use web_sys::Element;

/// What page translators do: each text node gives way to elements around a text of their own, and
/// what is drawn later is treated alike.
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

/// Has everything in the document translated, now and later: every test of a state is one of a
/// state that somebody translates.
pub(super) fn translate(root: &Element) {
    let translator = js_sys::Function::new_with_args("root", TRANSLATOR);
    translator.call1(&JsValue::NULL, root).unwrap();
}

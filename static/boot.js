// Starts the widget, and reports failures before it runs and after it has crashed. A separate file
// because the document's CSP forbids inline scripts. URLs are resolved against this file, so a
// versioned folder stays self-contained.

const here = import.meta.url;
const ours = new URL('.', here).href;

// Texts for the shopper and the host page, by code. After a crash the request may already have been
// sent: whether it was paid is then unknown, and only opening the order again can tell.
const FAILURES = {
  crashed: {
    heading: 'Something went wrong',
    sentence: 'Don’t pay again – reload to see whether your payment went through.',
    button: 'Reload',
  },
  start_failed: {
    heading: 'The payment form could not start',
    sentence: 'You haven’t been charged. Check your connection or content blocker, then try again.',
    button: 'Try again',
  },
  webassembly_unavailable: {
    heading: 'This browser can’t show the payment form',
    sentence: 'You haven’t been charged. A security setting of this browser has turned '
      + 'WebAssembly off. Allow it for this site, or use another browser or way to pay.',
  },
};

let port = null;
let failure = null;

// The page transfers a port after each hello: after ours and after the widget's.
addEventListener('message', ({ source, data, ports }) => {
  if (source !== parent || data?.sealpay !== 'connect' || !ports[0]) return;
  [port] = ports;
  if (failure) tell();
  else sketch(data);
});

function bone(name) {
  const element = document.createElement('i');
  element.className = `bone ${name}`;
  return element;
}

// The skeleton has the form's colour scheme and parts, so that the form replaces it without a jump.
// The order is unverified here and used for the layout only.
function sketch({ order, colorScheme, appearance }) {
  const skeleton = document.querySelector('#skeleton:not([data-kind])');
  if (!skeleton) return;
  skeleton.dataset.kind = 'sketched';
  document.documentElement.dataset.colorScheme = colorScheme ?? 'light';
  let claims = {};
  try {
    claims = JSON.parse(atob(order.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')));
  } catch {
    // The widget reports its own errors.
  }
  const { items, methods, agreement } = claims;
  // Only a card can be charged again later.
  const isLater = agreement && agreement.type !== 'card_on_file';
  const summary = skeleton.querySelector('.summary');
  if (appearance?.summary === false) {
    summary.remove();
  } else if (Array.isArray(items)) {
    for (const _ of items.slice(0, 5)) summary.lastElementChild.before(bone('bone-item'));
  }
  if (appearance?.button === false) skeleton.querySelector('.bone-button').remove();
  if (Array.isArray(methods) && methods.length > 1 && !isLater) {
    const rows = methods.map(() => bone('bone-method'));
    skeleton.querySelector('.payment').prepend(bone('bone-label'), ...rows);
  }
}

function tell() {
  if (!port) return;
  const { code, sentence, element } = failure;
  const post = MessagePort.prototype.postMessage.bind(port);
  // A crashed widget must not send further messages.
  port.postMessage = () => {};
  const recoverable = code !== 'webassembly_unavailable';
  post({ type: 'error', code, message: sentence, recoverable });
  // Reports the height again when a narrower page makes it grow: the frame cannot scroll.
  new ResizeObserver(() => {
    post({ type: 'resize', height: Math.ceil(element.getBoundingClientRect().height) });
  }).observe(element);
}

function made(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

// Replaces the whole content, including event listeners: the widget receives no more events.
function fail(code) {
  if (failure) return;
  const { heading, sentence, button } = FAILURES[code];
  const element = made('div', '');
  element.className = 'sheet panel';
  element.setAttribute('role', 'alert');
  const title = made('h1', heading);
  title.tabIndex = -1;
  element.append(title, made('p', sentence));
  if (button) {
    const again = made('button', button);
    again.type = 'button';
    again.onclick = () => location.reload();
    element.append(again);
  }
  const main = made('main', '');
  main.id = 'checkout';
  main.append(element);
  document.body.replaceChildren(main);
  failure = { code, sentence, element };
  if (document.hasFocus()) title.focus();
  tell();
}

// Whether an error came from the widget. Browser extensions also fail in this document, and those
// errors are not crashes. A panic is a WebAssembly trap; a browser exception that passed through
// the widget was thrown by one of our files.
function isOurs(error) {
  if (error instanceof WebAssembly.RuntimeError) return true;
  const [origin = ''] = String(error?.stack).match(/[a-z-]+:\/[^\s)]+/) ?? [];
  return origin.startsWith(ours) || origin.startsWith('wasm:');
}

// Translators and extensions move nodes of this document. The widget inserts and removes nodes at
// their current position, not where it originally put them.
function tolerateMovedNodes() {
  const { insertBefore, removeChild } = Node.prototype;
  Node.prototype.insertBefore = function (node, next) {
    let place = next;
    while (place && place.parentNode !== this) place = place.parentNode;
    return insertBefore.call(this, node, place ?? null);
  };
  Node.prototype.removeChild = function (node) {
    return node.parentNode ? removeChild.call(node.parentNode, node) : node;
  };
}

// Immediately: until then the page cannot tell the form from an error page, and shows nothing.
if (parent !== window) parent.postMessage({ sealpay: 'hello', version: 1, from: 'document' }, '*');

if (typeof WebAssembly === 'undefined') {
  fail('webassembly_unavailable');
} else {
  addEventListener('error', ({ error }) => { if (isOurs(error)) fail('crashed'); });
  addEventListener('unhandledrejection', ({ reason }) => { if (isOurs(reason)) fail('crashed'); });
  tolerateMovedNodes();
  try {
    const widget = await import(new URL('./sealpay-widget.js', here).href);
    await widget.default({ module_or_path: new URL('./sealpay-widget_bg.wasm', here) });
  } catch (error) {
    console.error('The payment form could not start.', error);
    fail('start_failed');
  }
}

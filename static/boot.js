// Starts the widget, and speaks for it where it cannot: before it runs, and after it has crashed.
// It is a file of its own because the document allows no inline script. Everything is resolved
// against this file, so a versioned folder stays one.

const here = import.meta.url;
const ours = new URL('.', here).href;

// What the shopper reads, and the page is told, by code. A crash may have come after the request
// left: then nobody here knows whether it was paid, and only opening the order again tells.
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

// The page hands over a port after each greeting: after ours and after the widget's.
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

// The skeleton has the scheme and the parts that the form will have, so that the form takes its
// place quietly. What the order says is only drawn, not believed.
function sketch({ order, colorScheme, appearance }) {
  const skeleton = document.querySelector('#skeleton:not([data-kind])');
  if (!skeleton) return;
  skeleton.dataset.kind = 'sketched';
  document.documentElement.dataset.colorScheme = colorScheme ?? 'light';
  let claims = {};
  try {
    claims = JSON.parse(atob(order.split('.')[1].replace(/-/g, '+').replace(/_/g, '/')));
  } catch {
    // The widget says what is wrong with it.
  }
  const { items, methods } = claims;
  const summary = skeleton.querySelector('.summary');
  if (appearance?.summary === false) {
    summary.remove();
  } else if (Array.isArray(items)) {
    for (const _ of items.slice(0, 5)) summary.lastElementChild.before(bone('bone-item'));
  }
  if (appearance?.button === false) skeleton.querySelector('.bone-button').remove();
  if (Array.isArray(methods) && methods.length > 1) {
    const rows = methods.map(() => bone('bone-method'));
    skeleton.querySelector('.payment').prepend(bone('bone-label'), ...rows);
  }
}

function tell() {
  if (!port) return;
  const { code, sentence, element } = failure;
  const post = MessagePort.prototype.postMessage.bind(port);
  // What is left of the widget has nothing more to say.
  port.postMessage = () => {};
  const recoverable = code !== 'webassembly_unavailable';
  post({ type: 'error', code, message: sentence, recoverable });
  // Again when it becomes higher in a narrower page: nothing of it can be scrolled to in the frame.
  new ResizeObserver(() => {
    post({ type: 'resize', height: Math.ceil(element.getBoundingClientRect().height) });
  }).observe(element);
}

function made(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

// Takes the place of everything, also of what listened: the widget is not asked anything any more.
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

// Whether an error came out of the widget. Scripts of extensions fail in this document too, and
// that is nobody's crash. A panic is a trap of WebAssembly; an exception of the browser's that
// passed through the widget was thrown by a file of ours.
function isOurs(error) {
  if (error instanceof WebAssembly.RuntimeError) return true;
  const [origin = ''] = String(error?.stack).match(/[a-z-]+:\/[^\s)]+/) ?? [];
  return origin.startsWith(ours) || origin.startsWith('wasm:');
}

// Translators and extensions move what is in this document. The widget inserts before, and removes,
// where its elements are now, and not where it once put them.
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

// At once: the page shows nothing before it knows that this is the form, and not an error page.
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

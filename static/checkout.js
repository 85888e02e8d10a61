/*
 * Sealpay checkout loader, protocol version 1. No dependency, nothing global but `window.Sealpay`.
 *
 *   <script src="https://pay.example/checkout.js" data-order="<JWS>" async></script>
 *     also: data-target="#id" data-locale data-color-scheme="light|dark|auto" data-timeout (ms)
 *           data-accent, -background, -text, -border, -danger, -radius, -spacing, -size, -font,
 *           -density, -frame, data-summary="false", data-button="false" (the look)
 *           data-on-complete-url (cancel `sealpay:complete` to stay on the page) data-return-url
 *           data-verifier (the verifier's origin, where a copy of this file is served by another)
 *           data-manual (elements of the page do not mount by themselves)
 *   <sealpay-checkout order="<JWS>"></sealpay-checkout>     the same names, without `data-`
 *   Sealpay.mount(target, {order, locale, colorScheme, appearance, completeUrl, returnUrl,
 *                          renewOrder, timeout, on})
 *     → {ready, on, off, focus, submit, update, unmount, element}; `on` is {ready: (detail) => …, …}
 *
 * Events, as handlers and as bubbling `sealpay:*` events of the container:
 *   ready {}   change {complete, brand}   resize {height}   challenge {kind}
 *   complete {payment, order_ref, state, mandate}  pending {payment, order_ref, method}
 *   decline {payment, advice}             expired {code}
 *   error {code, message, detail, param, request_id, recoverable}
 * They are hints for the page. Whether an order is paid, only the webhook says.
 *
 * A merchant's policy needs the verifier in `script-src` and `frame-src`, and nothing inline.
 */
(() => {
  "use strict";

  const VERSION = 1;
  const EVENTS = ["ready", "change", "resize", "challenge", "complete", "pending", "decline",
    "expired", "error"];
  const UNLOADED = "The payment form could not be loaded. "
    + "Check your connection or content blocker, then try again.";
  const BROKEN = "Something is wrong with this order. Please contact the shop.";
  // How long a loaded document may be silent. Ours sends a hello first; an error page of the
  // browser or of a proxy never does.
  const SILENCE_MS = 3000;
  // Codes of orders that are over; not an error of the page.
  const OVER = ["session_expired", "too_many_attempts", "order_reused"];
  // How long the receipt stays before the page redirects, so that it can be read and heard.
  const STAY_MS = 3000;
  // The margin around the form, pixels; see style.css.
  const RIM = 4;
  // Maximum automatic renewals of an order.
  const RENEWALS = 5;
  // The key of the instance on its container; shared by all copies of this script.
  const INSTANCE = Symbol.for("sealpay.instance");

  // An element with an id or name hides the property of `document` with that name, and a page may
  // contain elements from others. Properties read through the prototype cannot be hidden.
  const inDocument = (name) => {
    const found = Reflect.get(Document.prototype, name, document);
    return typeof found === "function" ? found.bind(document) : found;
  };
  const make = (tag) => inDocument("createElement")(tag);
  const root = () => inDocument("documentElement");
  // Optimizers run this file as a module or from another script: then the tag is searched for.
  const running = inDocument("currentScript");
  const script = running instanceof HTMLScriptElement ? running
    : [...inDocument("scripts")].reverse().find(({ src }) => /\/checkout\.js(?:[?#]|$)/.test(src));
  if (!script || !script.src) {
    tellPage("script_without_src", "Load checkout.js by a classic script tag with a src.");
    return;
  }
  const verifierOrigin = originOf(script.dataset.verifier || script.src);

  function originOf(address) {
    return new URL(address, inDocument("baseURI")).origin;
  }

  function problem(code, message, more) {
    return Object.assign(new Error(message), { code }, more);
  }

  // For developers, in the console; shoppers read sentences of their own.
  function explain({ code, detail, message, param, request_id: request }) {
    const where = param ? `${param}: ` : "";
    const which = request ? ` (request ${request})` : "";
    console.error(`[Sealpay] ${code}: ${where}${detail || message}${which}`);
  }

  // Reports errors that occur before there is a form to show them.
  function tellPage(code, message) {
    const detail = {
      code, message, detail: null, param: null, request_id: null, recoverable: false };
    explain(detail);
    inDocument("dispatchEvent")(new CustomEvent("sealpay:error", { detail }));
  }

  // Through the CSSOM, because a policy without 'unsafe-inline' forbids style attributes.
  function styled(element, rules) {
    Object.assign(element.style, rules);
    return element;
  }

  // Reads the claims without verification: they only choose the document and its first height. The
  // verifier checks the order.
  function claimsOf(order) {
    try {
      const parts = order.split(".");
      const binary = atob(parts[1].replace(/-/g, "+").replace(/_/g, "/"));
      const claims = JSON.parse(binary);
      const whole = parts.length === 3 && /^mer_[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(claims.iss);
      return whole ? claims : null;
    } catch {
      return null;
    }
  }

  // The origins around the frame, this page's first: no other page may frame the document.
  function parents() {
    const around = [self.origin, ...(location.ancestorOrigins || [])];
    return new URLSearchParams([...new Set(around)].map((origin) => ["parent", origin]));
  }

  // Estimates the height of this order's form in this width, so that the page moves little later.
  // The measures are those of style.css; a test compares the estimate with the form.
  function heightOf({ methods, items, description, agreement }, width, look) {
    const isWide = width >= 760;
    // Only a card can be charged again later.
    const isLater = agreement && agreement.type !== "card_on_file";
    const offered = Array.isArray(methods) && !isLater ? methods : ["card"];
    const hasCard = offered.includes("card");
    const textLines = isWide ? 1 : 2;
    const choice = offered.length > 1 ? 56 + 48 * offered.length : hasCard ? 36 : 26;
    const fields = hasCard ? 304 + 20 * textLines : 26 + 24 * textLines;
    const consent = agreement && hasCard ? 58 + 20 * textLines : 0;
    const form = choice + fields + consent + (look.button === false ? 0 : 50);
    if (look.summary === false) return form + (look.button === false ? 70 : 36);
    const count = Array.isArray(items) ? items.length : 0;
    const rows = count ? 23 + 27 * Math.min(count, 5) + (count > 5 ? 33 : 0) : 0;
    const summary = 104 + rows + (description ? 21 : 0);
    const frame = look.frame === "card" ? (isWide ? 58 : 36) : 0;
    return frame + (isWide ? Math.max(form, summary - 41) : form + summary);
  }

  // The options of the appearance, as attributes and in `appearance`.
  const LOOK = ["accent", "background", "text", "border", "danger", "radius", "spacing", "size",
    "font", "density", "frame", "summary", "button"];

  // Attributes are strings; the form needs numbers and booleans.
  function lookOf(element, prefix) {
    const look = {};
    for (const name of LOOK) {
      const value = element.getAttribute(prefix + name);
      if (value === null) continue;
      const isWord = !/^(?:true|false|\d+)$/.test(value);
      look[name] = isWord ? value : JSON.parse(value);
    }
    return look;
  }

  // The language that the page declares for its container.
  function languageOf(container) {
    const said = container.closest("[lang]:not([lang=''])") || root();
    return said.lang || null;
  }

  // The colour scheme of the container, however the page sets it. If the page follows the device,
  // so does the form, because the device may change while the form is open.
  function schemeOf(container) {
    const meta = inDocument("querySelector")('meta[name="color-scheme" i]');
    const own = getComputedStyle(container).colorScheme;
    const known = own === "normal" ? (meta && meta.content) || "" : own;
    if (/\blight\b/.test(known) && /\bdark\b/.test(known)) return "auto";
    const probe = styled(make("span"), { color: "CanvasText" });
    container.append(probe);
    const [red = 0] = getComputedStyle(probe).color.match(/\d+/g) || [];
    probe.remove();
    return Number(red) > 127 ? "dark" : "light";
  }

  function text(value) {
    return typeof value === "string" ? value : null;
  }

  // The details of each message that are passed to the page; null drops members outside the
  // contract.
  const DETAILS = {
    ready: () => ({}),
    challenge: ({ kind }) => ["code", "passkey", "wallet"].includes(kind) ? { kind } : null,
    change: (message) => ({ complete: message.complete === true, brand: text(message.brand) }),
    resize: ({ height }) => {
      const sane = Number.isFinite(height) && height > 0 && height <= 8000;
      return sane ? { height: Math.round(height) } : null;
    },
    complete: ({ payment, order_ref, state, mandate }) =>
      ["captured", "authorized", "pending"].includes(state)
        ? { payment: text(payment), order_ref: text(order_ref), state, mandate: text(mandate) }
        : null,
    pending: ({ payment, order_ref, method }) =>
      ({ payment: text(payment), order_ref: text(order_ref), method: text(method) }),
    decline: ({ payment, advice }) => ({ payment: text(payment), advice: text(advice) }),
    expired: ({ code }) => ({ code: text(code) }),
    error: ({ code, message, detail, param, request_id, recoverable }) => ({
      code: text(code), message: text(message), detail: text(detail), param: text(param),
      request_id: text(request_id), recoverable: recoverable === true }),
  };

  // Ids made by frameworks, such as `:r1:`, are not valid selectors without escapes.
  function elementOf(target) {
    if (typeof target !== "string") return target;
    const byId = target.startsWith("#") && inDocument("getElementById")(target.slice(1));
    if (byId) return byId;
    try { return inDocument("querySelector")(target); } catch { return null; }
  }

  function mount(target, options = {}) {
    const container = elementOf(target);
    if (!container || container.nodeType !== 1) {
      const named = typeof target === "string" ? ` ${target}` : "";
      throw problem("target_missing", `There is no element${named} for the payment form. `
        + "Mount when the element is in the document, or hand over the element itself.");
    }
    if (container[INSTANCE]) container[INSTANCE].unmount();

    let { order } = options;
    const { timeout = 20000, returnUrl, renewOrder } = options;
    const locale = options.locale || languageOf(container);
    const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    const { summary, button } = options;
    const appearance = JSON.parse(JSON.stringify({ summary, button, ...options.appearance }));
    const handlers = {};
    for (const type of EVENTS) handlers[type] = new Set();
    let mounted = true, frame = null, port = null, notice = null, colorScheme = null;
    let leaves = false, isSpoken = false, renewals = 0, timer, silence, departure, settle;

    const ready = new Promise((resolve, reject) => { settle = { resolve, reject }; });
    ready.catch(() => {}); // Avoids an unhandled rejection; the error event reports it too.

    // Returns false if a listener cancelled the event. A handler that throws does not affect the
    // others.
    function emit(type, detail) {
      for (const handler of [...handlers[type]]) {
        try { handler(detail); } catch (error) { setTimeout(() => { throw error; }); }
      }
      const manners = { bubbles: true, composed: true, cancelable: true, detail };
      return container.dispatchEvent(new CustomEvent(`sealpay:${type}`, manners));
    }

    function load() {
      const claims = claimsOf(order);
      if (!claims) {
        // A malformed order cannot be fixed by retrying, so there is no button.
        fail("malformed_order", BROKEN, "The order is no compact JWS of a merchant.", false);
        return;
      }
      const wanted = options.colorScheme;
      colorScheme = ["light", "dark", "auto"].includes(wanted) ? wanted : schemeOf(container);
      // Wider than the container by the margin that focus rings need, unless that would exceed the
      // window and make the page scroll sideways.
      const { left, right } = container.getBoundingClientRect();
      const hasRoom = left >= RIM && right + RIM <= root().clientWidth;
      const rim = hasRoom ? RIM : 0;
      const height = heightOf(claims, container.clientWidth, appearance) + 2 * RIM;
      frame = styled(make("iframe"), {
        display: "block", width: `calc(100% + ${2 * rim}px)`, maxWidth: "none",
        margin: `-${rim}px`, height: `${height}px`, border: "0", colorScheme: schemeOfFrame(), visibility: "hidden" });
      frame.title = "Secure payment form";
      // Permits the verifier even if the frame is navigated.
      frame.allow = `payment ${verifierOrigin}; publickey-credentials-get ${verifierOrigin}; `
        + `publickey-credentials-create ${verifierOrigin}; clipboard-write ${verifierOrigin}`;
      frame.referrerPolicy = "strict-origin";
      // The widget has another origin than this page, so `allow-same-origin` grants it nothing
      // here; without it the verifier could not identify the origin of its requests. A wallet's
      // page opens in a window of its own and must not inherit the sandbox.
      frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups "
        + "allow-popups-to-escape-sandbox");
      frame.onerror = () => fail("load_failed", UNLOADED, hint(), true);
      // An error page also fires `load`, but sends no hello.
      frame.onload = () => {
        clearTimeout(silence);
        if (!isSpoken) silence = setTimeout(frame.onerror, SILENCE_MS);
      };
      frame.src = `${verifierOrigin}/checkout/${claims.iss}?${parents()}`;
      addEventListener("message", greet);
      inDocument("addEventListener")("securitypolicyviolation", refused);
      timer = setTimeout(() => fail("load_timeout", UNLOADED, hint(), true), timeout);
      container.append(frame);
    }

    function hint() {
      return `${verifierOrigin} did not show its form in ${location.origin}. Register this origin `
        + `with \`verifier-server merchant add-origin\`, name it in the order's parent_origins, and `
        + "load checkout.js from the verifier.";
    }

    // The frame is transparent only while it has the same colour scheme as the document inside.
    function schemeOfFrame() {
      return colorScheme === "auto" ? "light dark" : colorScheme || "light dark";
    }

    function clear() {
      removeEventListener("message", greet);
      removeEventListener("online", leave);
      inDocument("removeEventListener")("securitypolicyviolation", refused);
      for (const running of [timer, silence, departure]) clearTimeout(running);
      if (port) port.close();
      if (frame) frame.remove();
      if (notice) notice.remove();
      port = frame = notice = null;
      isSpoken = false;
    }

    // Each document in the frame sends a hello when it loads, and again when the widget runs; each
    // gets its own channel. The response names the hello that it answers, because a widget that
    // starts quickly may also see the response to the document's hello, whose channel is closed by
    // then.
    function greet({ source, origin, data }) {
      if (source !== frame.contentWindow || origin !== verifierOrigin) return;
      if (!data || data.sealpay !== "hello" || data.version !== VERSION) return;
      isSpoken = true;
      clearTimeout(silence);
      frame.style.visibility = "";
      if (port) port.close();
      const channel = new MessageChannel();
      port = channel.port1;
      port.onmessage = receive;
      const connect = { sealpay: "connect", version: VERSION, to: data.from, instance: id, order, locale,
        colorScheme, appearance, canReturn: Boolean(returnUrl), canRenew: Boolean(renewOrder) };
      frame.contentWindow.postMessage(connect, verifierOrigin, [channel.port2]);
    }

    function receive({ data }) {
      const type = data && data.type;
      // The receipt contains an offer; the page must not redirect while the shopper considers it.
      if (type === "offer") {
        clearTimeout(departure);
        if (leaves && data.settled) depart(1000);
      }
      // Sent only if the page offered it: a button of the form.
      if (type === "return" && returnUrl) go(returnUrl);
      if (type === "renew" && renewOrder) renew();
      if (type === "reveal") reveal(data);
      const detail = EVENTS.includes(type) ? DETAILS[type](data) : null;
      if (!detail) return;
      if (type === "resize") frame.style.height = `${detail.height}px`;
      // Either way the widget is running and reports its own errors: the timer is no longer needed.
      if (type === "ready" || type === "error") clearTimeout(timer);
      if (type === "ready") settle.resolve(instance);
      if (type === "error") {
        if (detail.param && !OVER.includes(detail.code)) explain(detail);
        settle.reject(problem(detail.code, detail.message, detail));
      }
      const stay = !emit(type, detail);
      if (type === "expired" && mounted && !stay && renewOrder && renewals < RENEWALS) {
        renewals += 1;
        renew();
      }
      if (type === "complete" && mounted && !stay && options.completeUrl) {
        leaves = true;
        // No time limit while the shopper has a decision to make (WCAG 2.2.1).
        if (!data.has_offer) depart(STAY_MS);
      }
    }

    // Scrolls a part of the form into view, which only this page can do. A phone's keyboard leaves
    // less of the window than `innerHeight` says.
    function reveal({ top, bottom }) {
      if (!Number.isFinite(top) || !Number.isFinite(bottom)) return;
      const { top: start } = frame.getBoundingClientRect();
      const { height = innerHeight } = window.visualViewport || {};
      if (start + top >= 0 && start + bottom <= height) return;
      // An element of the page, so that `scrollIntoView` respects scroll containers and
      // `scroll-padding`.
      const mark = styled(make("span"), {
        position: "absolute", width: "1px", height: `${Math.min(bottom - top, height)}px`,
        marginTop: `${top - RIM}px`, visibility: "hidden", scrollMargin: "16px" });
      frame.before(mark);
      const block = bottom - top > height / 2 ? "start" : "center";
      mark.scrollIntoView({ block, inline: "nearest" });
      mark.remove();
    }

    // Shows the receipt for a moment, then opens the page that the merchant chose. Without a
    // network the browser would replace the receipt with its own error page.
    function depart(delay) {
      departure = setTimeout(() => {
        if (navigator.onLine === false) addEventListener("online", leave, { once: true });
        else leave();
      }, delay);
    }

    function leave() {
      if (mounted) go(options.completeUrl);
    }

    function go(address) {
      const url = new URL(address, inDocument("baseURI"));
      if (/^https?:$/.test(url.protocol)) location.assign(url);
    }

    // Replaces an expired order; the fields keep their contents.
    function renew() {
      new Promise((resolve) => resolve(renewOrder())).then((next) => {
        if (mounted && text(next)) instance.update({ order: next });
      }, (error) => setTimeout(() => { throw error; }));
    }

    // Reports a policy that blocks the verifier at once instead of after the timeout.
    function refused({ blockedURI, effectiveDirective, disposition }) {
      if (disposition !== "enforce" || effectiveDirective !== "frame-src") return;
      if (blockedURI.startsWith(verifierOrigin)) {
        fail("blocked_by_policy", UNLOADED, `frame-src has to name ${verifierOrigin}.`, true);
      }
    }

    function fail(code, message, detail, recoverable) {
      clear();
      notice = styled(make("div"), {
        boxSizing: "border-box", padding: "20px", border: "1px solid GrayText", borderRadius: "8px",
        background: "Canvas", color: "CanvasText", colorScheme: schemeOfFrame(),
        font: "16px/1.5 system-ui, sans-serif" });
      notice.setAttribute("role", "alert");
      const sentence = styled(make("p"), { margin: "0" });
      sentence.textContent = message;
      notice.append(sentence);
      if (recoverable) {
        const button = styled(make("button"), {
          minHeight: "44px", marginTop: "16px", padding: "8px 20px", font: "inherit" });
        button.type = "button";
        button.textContent = "Try again";
        button.onclick = () => { clear(); load(); if (frame) frame.focus(); };
        notice.append(button);
      }
      container.append(notice);
      const told = { code, message, detail, param: null, request_id: null, recoverable };
      explain(told);
      settle.reject(problem(code, message, told));
      emit("error", told);
    }

    function known(type) {
      if (!handlers[type]) throw problem("event_unknown", `There is no event ${type}.`);
      return handlers[type];
    }

    const instance = {
      ready,
      element: container,
      on(type, handler) { known(type).add(handler); return instance; },
      off(type, handler) { known(type).delete(handler); return instance; },
      focus() {
        if (frame) frame.focus();
        if (port) port.postMessage({ type: "focus" });
      },
      update(changes) {
        if (!mounted || !changes || !text(changes.order)) return instance;
        ({ order } = changes);
        if (port) port.postMessage({ type: "update", order });
        else if (notice) { clear(); load(); }
        return instance;
      },
      // For a pay button of the page in place of the form's.
      submit() {
        if (port) port.postMessage({ type: "submit" });
      },
      unmount() {
        if (!mounted) return;
        mounted = false;
        if (port) port.postMessage({ type: "unmount" });
        clear();
        if (container[INSTANCE] === instance) delete container[INSTANCE];
        settle.reject(problem("unmounted", "The payment form was removed before it was ready."));
      },
    };
    for (const [type, handler] of Object.entries(options.on || {})) instance.on(type, handler);
    container[INSTANCE] = instance;
    const start = () => { if (mounted) load(); };
    // A prerendered page loads no cross-origin frames, so the timeout starts when it is shown.
    // Otherwise it starts after the caller could attach listeners, because an invalid order is
    // reported at once.
    if (inDocument("prerendering")) {
      inDocument("addEventListener")("prerenderingchange", start, { once: true });
    } else {
      queueMicrotask(start);
    }
    return instance;
  }

  // Attributes, with the names of the element's properties for them.
  const ATTRIBUTES = { order: "order", locale: "locale", colorScheme: "color-scheme",
    completeUrl: "on-complete-url", returnUrl: "return-url", timeout: "timeout" };

  function attributesOf(element, prefix) {
    const options = {};
    for (const [option, name] of Object.entries(ATTRIBUTES)) {
      options[option] = element.getAttribute(prefix + name) || undefined;
    }
    options.timeout = Number(options.timeout) || undefined;
    options.appearance = lookOf(element, prefix);
    return options;
  }

  const isManual = script.hasAttribute("data-manual");
  // An element with the id "Sealpay" also defines `window.Sealpay`.
  const isThere = window.Sealpay && typeof window.Sealpay.mount === "function";
  if (!isThere) window.Sealpay = Object.freeze({ mount, version: VERSION });

  // Without an order there is nothing to show yet; frameworks set it later.
  function show(element) {
    if (element[INSTANCE]) element[INSTANCE].unmount();
    if (element.isConnected && element.hasAttribute("order")) {
      const { appearance, renewOrder } = element;
      const options = attributesOf(element, "");
      Object.assign(options.appearance, appearance);
      mount(element, { ...options, renewOrder });
    }
  }

  class SealpayCheckout extends HTMLElement {
    static get observedAttributes() { return ["order"]; }

    connectedCallback() {
      // A property that was set before the element was upgraded hides the property of the class.
      for (const option of Object.keys(ATTRIBUTES)) {
        if (!Object.prototype.hasOwnProperty.call(this, option)) continue;
        const value = this[option];
        delete this[option];
        this[option] = value;
      }
      if (getComputedStyle(this).display === "inline") this.style.display = "block";
      // An element that was parsed before this script ran has already been mounted by its
      // attribute.
      if (!this[INSTANCE]) show(this);
    }

    attributeChangedCallback(name, before, now) {
      if (before !== now) show(this);
    }

    disconnectedCallback() {
      show(this);
    }

    focus() {
      if (this[INSTANCE]) this[INSTANCE].focus();
    }
  }
  for (const [option, name] of Object.entries(ATTRIBUTES)) {
    Object.defineProperty(SealpayCheckout.prototype, option, {
      configurable: true,
      get() { return this.getAttribute(name); },
      set(value) {
        if (value === null || value === undefined) this.removeAttribute(name);
        else this.setAttribute(name, value);
      },
    });
  }

  if (!isManual && !customElements.get("sealpay-checkout")) {
    customElements.define("sealpay-checkout", SealpayCheckout);
  }

  if (script.hasAttribute("data-order")) {
    const selector = script.dataset.target;
    const start = () => {
      let target = selector;
      // Nothing is visible in the head: a script there must name its target.
      if (!target && !script.closest("head")) script.after(target = make("div"));
      try {
        mount(target, attributesOf(script, "data-"));
      } catch (error) {
        tellPage(error.code || "mount_failed", error.message);
      }
    };
    // The target may come after a script that is loaded early.
    const parsing = inDocument("readyState") === "loading";
    const early = parsing && selector && !elementOf(selector);
    if (early) inDocument("addEventListener")("DOMContentLoaded", start, { once: true });
    else start();
  }
})();

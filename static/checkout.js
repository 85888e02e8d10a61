/*
 * Sealpay checkout loader, protocol version 1. No dependency, nothing global but `window.Sealpay`.
 *
 *   <script src="https://pay.example/checkout.js" data-order="<JWS>" async></script>
 *     also: data-target="#id" data-locale data-color-scheme="light|dark|auto" data-timeout (ms)
 *           data-on-complete-url (cancel `sealpay:complete` to stay on the page)
 *   <sealpay-checkout order="<JWS>"></sealpay-checkout>     the same names, without `data-`
 *   Sealpay.mount(target, {order, locale, colorScheme, appearance, completeUrl, timeout, on})
 *     → {ready, on, off, focus, unmount, element}; `on` is {ready: (detail) => …, …}
 *
 * Events, as handlers and as bubbling `sealpay:*` events of the container:
 *   ready {}   change {complete, brand}   resize {height}   challenge {kind}
 *   complete {payment, order_ref, state}  pending {payment, order_ref, method}
 *   decline {payment, advice}             error {code, message}
 * They are hints for the page. Whether an order is paid, only the webhook says.
 *
 * A merchant's policy needs the verifier in `script-src` and `frame-src`, and nothing inline.
 */
(() => {
  "use strict";

  const VERSION = 1;
  const EVENTS = [
    "ready", "change", "resize", "challenge", "complete", "pending", "decline", "error"];
  const UNLOADED = "The payment form could not be loaded. "
    + "Check your connection or content blocker, then try again.";
  // The mark of the instance on its container; every copy of this script finds the same one.
  const INSTANCE = Symbol.for("sealpay.instance");

  const script = document.currentScript;
  if (!script || !script.src) {
    throw problem("script_without_src", "Load checkout.js by a classic script tag with a src.");
  }
  const verifierOrigin = new URL(script.src).origin;

  function problem(code, message) {
    return Object.assign(new Error(message), { code });
  }

  // Through the CSSOM: a policy without 'unsafe-inline' forbids style attributes, not this.
  function styled(element, rules) {
    Object.assign(element.style, rules);
    return element;
  }

  // Reads `iss` and believes nothing: it only chooses the document, the verifier checks the order.
  function merchantOf(order) {
    try {
      const parts = order.split(".");
      const payload = atob(parts[1].replace(/-/g, "+").replace(/_/g, "/"));
      const { iss } = JSON.parse(payload);
      const whole = parts.length === 3 && /^mer_[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(iss);
      return whole ? iss : null;
    } catch {
      return null;
    }
  }

  // The pages around the frame, this one first: no other page may frame the document.
  function parents() {
    const around = [self.origin, ...(location.ancestorOrigins || [])];
    return new URLSearchParams([...new Set(around)].map((origin) => ["parent", origin]));
  }

  function text(value) {
    return typeof value === "string" ? value : null;
  }

  // What a message of the widget may tell the page; null drops what is not in the contract.
  const DETAILS = {
    ready: () => ({}),
    challenge: ({ kind }) => ["code", "passkey", "wallet"].includes(kind) ? { kind } : null,
    change: (message) => ({ complete: message.complete === true, brand: text(message.brand) }),
    resize: ({ height }) => {
      const sane = Number.isFinite(height) && height >= 0 && height <= 4000;
      return sane ? { height: Math.round(height) } : null;
    },
    complete: ({ payment, order_ref, state }) =>
      ["captured", "authorized"].includes(state)
        ? { payment: text(payment), order_ref: text(order_ref), state } : null,
    pending: ({ payment, order_ref, method }) =>
      ({ payment: text(payment), order_ref: text(order_ref), method: text(method) }),
    decline: ({ payment, advice }) => ({ payment: text(payment), advice: text(advice) }),
    error: ({ code, message }) => ({ code: text(code), message: text(message) }),
  };

  function mount(target, options = {}) {
    const container = typeof target === "string" ? document.querySelector(target) : target;
    if (!container || container.nodeType !== 1) {
      throw problem("target_missing", `There is no element ${target} for the payment form.`);
    }
    if (container[INSTANCE]) container[INSTANCE].unmount();

    const { order, locale = null, timeout = 20000 } = options;
    const fixed = ["light", "dark"].includes(options.colorScheme);
    const colorScheme = fixed ? options.colorScheme : "auto";
    // The frame stays transparent only while its scheme is that of the document inside.
    const cssScheme = fixed ? colorScheme : "light dark";
    const appearance = options.appearance ? JSON.parse(JSON.stringify(options.appearance)) : null;
    const id = crypto.getRandomValues(new Uint32Array(2)).join("-");
    const handlers = {};
    for (const type of EVENTS) handlers[type] = new Set();
    let mounted = true, frame = null, port = null, notice = null;
    let leaves = false, timer, departure, settle;

    const ready = new Promise((resolve, reject) => { settle = { resolve, reject }; });
    ready.catch(() => {}); // Nobody has to listen; a rejection is told by the error event too.

    // False when a listener cancelled the event. A handler that throws disturbs nobody else.
    function emit(type, detail) {
      for (const handler of [...handlers[type]]) {
        try { handler(detail); } catch (error) { setTimeout(() => { throw error; }); }
      }
      const manners = { bubbles: true, composed: true, cancelable: true, detail };
      return container.dispatchEvent(new CustomEvent(`sealpay:${type}`, manners));
    }

    function load() {
      const merchant = merchantOf(order);
      if (!merchant) {
        // Retrying cannot mend an order, so there is no button.
        fail("order_malformed", "This order cannot be paid: it was not made correctly.", false);
        return;
      }
      // As high as the form of a small order is in that width, so that the page moves little later.
      const height = container.clientWidth < 760 ? "562px" : "492px";
      frame = styled(document.createElement("iframe"), {
        display: "block", width: "100%", height, border: "0", colorScheme: cssScheme });
      frame.title = "Secure card payment";
      // To the verifier, wherever the frame may be led.
      frame.allow = `payment ${verifierOrigin}; publickey-credentials-get ${verifierOrigin}; `
        + `publickey-credentials-create ${verifierOrigin}`;
      frame.referrerPolicy = "strict-origin";
      // The widget is of another origin than this page: keeping its own frees it from nothing here,
      // and without it the verifier could not tell its requests from anyone's. A wallet's page,
      // which opens in a window of its own, is nobody's frame and not confined like one.
      frame.setAttribute("sandbox", "allow-scripts allow-same-origin allow-forms allow-popups "
        + "allow-popups-to-escape-sandbox");
      frame.onerror = () => fail("load_failed", UNLOADED, true);
      frame.src = `${verifierOrigin}/checkout/${merchant}?${parents()}`;
      addEventListener("message", greet);
      document.addEventListener("securitypolicyviolation", refused);
      timer = setTimeout(() => fail("load_timeout", UNLOADED, true), timeout);
      container.append(frame);
    }

    function clear() {
      removeEventListener("message", greet);
      document.removeEventListener("securitypolicyviolation", refused);
      clearTimeout(timer);
      clearTimeout(departure);
      if (port) port.close();
      if (frame) frame.remove();
      if (notice) notice.remove();
      port = frame = notice = null;
    }

    // Each document in the frame says hello once; a reloaded one gets a channel of its own.
    function greet({ source, origin, data }) {
      if (source !== frame.contentWindow || origin !== verifierOrigin) return;
      if (!data || data.sealpay !== "hello" || data.version !== VERSION) return;
      if (port) port.close();
      const channel = new MessageChannel();
      port = channel.port1;
      port.onmessage = receive;
      const connect = { sealpay: "connect", version: VERSION, instance: id, order };
      frame.contentWindow.postMessage(
        { ...connect, locale, colorScheme, appearance }, verifierOrigin, [channel.port2]);
    }

    function receive({ data }) {
      const type = data && data.type;
      // The form offers something with the receipt. Whoever looks at it is not sent elsewhere.
      if (type === "offer") {
        clearTimeout(departure);
        if (leaves && data.settled) depart(1000);
      }
      const detail = EVENTS.includes(type) ? DETAILS[type](data) : null;
      if (!detail) return;
      if (type === "resize") frame.style.height = `${detail.height}px`;
      // Either way the widget is alive and speaks for itself: the timer has no more to say.
      if (type === "ready" || type === "error") clearTimeout(timer);
      if (type === "ready") settle.resolve(instance);
      if (type === "error") settle.reject(problem(detail.code, detail.message));
      const stay = !emit(type, detail);
      if (type === "complete" && mounted && !stay && options.completeUrl) {
        leaves = true;
        depart(data.has_offer ? 15000 : 1000);
      }
    }

    // A moment to see and hear that the payment went through, then the page the merchant chose.
    function depart(delay) {
      const url = new URL(options.completeUrl, document.baseURI);
      if (!/^https?:$/.test(url.protocol)) return;
      departure = setTimeout(() => location.assign(url), delay);
    }

    // A policy that does not know the verifier is told at once, not after the timeout.
    function refused({ blockedURI, effectiveDirective, disposition }) {
      if (disposition !== "enforce" || effectiveDirective !== "frame-src") return;
      if (blockedURI.startsWith(verifierOrigin)) fail("blocked_by_policy", UNLOADED, true);
    }

    function fail(code, message, retry) {
      clear();
      notice = styled(document.createElement("div"), {
        boxSizing: "border-box", padding: "20px", border: "1px solid GrayText", borderRadius: "8px",
        background: "Canvas", color: "CanvasText", colorScheme: cssScheme,
        font: "16px/1.5 system-ui, sans-serif" });
      notice.setAttribute("role", "alert");
      const sentence = styled(document.createElement("p"), { margin: "0" });
      sentence.textContent = message;
      notice.append(sentence);
      if (retry) {
        const button = styled(document.createElement("button"), {
          minHeight: "44px", marginTop: "16px", padding: "8px 20px", font: "inherit" });
        button.type = "button";
        button.textContent = "Try again";
        button.onclick = () => { clear(); load(); if (frame) frame.focus(); };
        notice.append(button);
      }
      container.append(notice);
      settle.reject(problem(code, message));
      emit("error", { code, message });
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
    // Not before the caller had the time to listen: a wrong order is told at once.
    queueMicrotask(() => { if (mounted) load(); });
    return instance;
  }

  function attributesOf(element, prefix) {
    const read = (name) => element.getAttribute(prefix + name) || undefined;
    return {
      order: read("order"), locale: read("locale"), colorScheme: read("color-scheme"),
      completeUrl: read("on-complete-url"), timeout: Number(read("timeout")) || undefined,
    };
  }

  if (!window.Sealpay) window.Sealpay = Object.freeze({ mount, version: VERSION });

  // Without an order there is nothing to show yet; frameworks set it when they have it.
  function show(element) {
    if (element[INSTANCE]) element[INSTANCE].unmount();
    if (element.isConnected && element.hasAttribute("order")) {
      mount(element, attributesOf(element, ""));
    }
  }

  if (!customElements.get("sealpay-checkout")) {
    customElements.define("sealpay-checkout", class extends HTMLElement {
      static get observedAttributes() { return ["order"]; }

      connectedCallback() {
        if (getComputedStyle(this).display === "inline") this.style.display = "block";
        // An element that the parser made before this script ran has mounted by its attribute.
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
    });
  }

  if (script.hasAttribute("data-order")) {
    const selector = script.dataset.target;
    const start = () => {
      let target = selector;
      // In the head nothing is visible: such a script has to name its target.
      if (!target && !script.closest("head")) script.after(target = document.createElement("div"));
      mount(target, attributesOf(script, "data-"));
    };
    // The target may stand below a script that is loaded early.
    const parsing = document.readyState === "loading";
    const early = parsing && selector && !document.querySelector(selector);
    if (early) document.addEventListener("DOMContentLoaded", start, { once: true });
    else start();
  }
})();

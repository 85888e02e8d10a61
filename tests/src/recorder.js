// Runs in every page before anything of the page's own, and remembers what reaches the page from
// the payment form: messages to the window, messages through ports, events, and what was blocked.
(() => {
  if (window !== window.top) return;
  const heard = { messages: [], port: [], events: [], violations: [], rejections: [] };
  Object.defineProperty(window, "heard", { value: heard });

  addEventListener("message", ({ origin, data, source }) => {
    const frames = [...document.querySelectorAll("iframe")];
    const frame = frames.findIndex(({ contentWindow }) => contentWindow === source);
    heard.messages.push({ origin, data, frame });
  }, true);

  const Channel = window.MessageChannel;
  window.MessageChannel = class extends Channel {
    constructor() {
      super();
      this.port1.addEventListener("message", ({ data }) => heard.port.push(data));
    }
  };

  const types = [
    "ready", "change", "resize", "challenge", "complete", "pending", "decline", "error"];
  for (const type of types) {
    document.addEventListener(`sealpay:${type}`, ({ target, detail }) => {
      heard.events.push({ type, detail, target: target.id });
    });
  }

  document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
    heard.violations.push(`${violatedDirective} ${blockedURI}`);
  });
  addEventListener("unhandledrejection", ({ reason }) => heard.rejections.push(String(reason)));
})();

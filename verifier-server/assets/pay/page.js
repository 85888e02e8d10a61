// Keeps the page true to what happens in the form: after a payment, when the order expires, and when
// the invoice has changed meanwhile. Without this script the form works as well.
"use strict";

(() => {
  const form = document.getElementById("payment");
  const page = location.href;

  // The receipt is in the form; what the page asked for is done.
  form.addEventListener("sealpay:complete", () => {
    document.body.dataset.state = "paid";
  });

  // Only the server can say what became of the invoice.
  form.addEventListener("sealpay:error", ({ detail }) => {
    if (/^invoice_/.test(detail.code)) location.reload();
  });

  // The page mints a new order each time; with it the entered card stays in the form.
  form.addEventListener("sealpay:expired", async ({ detail }) => {
    if (detail.code !== "session_expired") return;
    try {
      const response = await fetch(page, { cache: "no-store" });
      const [, order] = /data-order="([\w.-]+)"/.exec(await response.text()) || [];
      if (!response.ok || !order) throw new Error("there is nothing to pay any more");
      form[Symbol.for("sealpay.instance")].update({ order });
    } catch {
      location.reload();
    }
  });
})();

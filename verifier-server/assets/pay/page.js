// Keeps the page true to what happens in the form: after a payment, when the order expires, and when
// the invoice has changed meanwhile. Without this script the form works as well. It runs before the
// loader, which reads `renewOrder` when it mounts the form.
"use strict";

(() => {
  const form = document.querySelector("sealpay-checkout");

  // The page has a new order each time it is loaded. The form continues with it and keeps the input.
  form.renewOrder = async () => {
    const response = await fetch(location.href, { cache: "no-store" });
    const [, order] = / order="([\w.-]+)"/.exec(await response.text()) || [];
    if (response.ok && order) return order;
    // It is paid, or closed: the page says so.
    location.reload();
    return null;
  };

  // After the last attempt the form says so first, and the customer continues with a button.
  form.addEventListener("sealpay:expired", (event) => {
    if (event.detail.code === "too_many_attempts") event.preventDefault();
  });

  // The receipt is in the form; what the page asked for is done.
  form.addEventListener("sealpay:complete", () => {
    const heading = document.querySelector("h1");
    heading.textContent = heading.dataset.paid;
    document.title = heading.dataset.paid;
    document.body.dataset.state = "paid";
  });

  // Only the server can say what became of the invoice.
  form.addEventListener("sealpay:error", ({ detail }) => {
    if (/^invoice_/.test(detail.code)) location.reload();
  });
})();

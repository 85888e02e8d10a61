// Paper Lantern. `renewOrders` belongs to the integration: it gives the payment form another signed
// order when its own is over. The rest keeps the pages current.
(() => {
  "use strict";

  // Times in the reader's zone and language.
  const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: "medium" });
  function localTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const format = "day" in time.dataset ? calendar : clock;
      time.textContent = format.format(new Date(time.dateTime));
    }
  }

  // Asks whether a webhook changed the order, often at first, and swaps the part that shows it.
  function watchOrder(live) {
    let pause = 500;

    async function swap() {
      const response = await fetch(location.href, { cache: "no-store" });
      if (!response.ok) return;
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = page.querySelector("[data-live]");
      if (!fresh) return;
      localTimes(fresh);
      // The status stays the same element and only its content changes, so that it is announced.
      const status = live.querySelector("[role=status]");
      const freshStatus = fresh.querySelector("[role=status]");
      status.className = freshStatus.className;
      status.replaceChildren(...freshStatus.childNodes);
      freshStatus.remove();
      while (status.nextSibling) status.nextSibling.remove();
      status.after(...fresh.childNodes);
      live.dataset.revision = fresh.dataset.revision;
      document.title = page.title;
    }

    async function ask() {
      try {
        const response = await fetch(live.dataset.live, { cache: "no-store" });
        const { revision } = await response.json();
        if (response.ok && revision !== live.dataset.revision) {
          await swap();
          pause = 500;
        }
      } catch {
        // The shop does not respond just now; the next round may find it again.
      }
      pause = Math.min(pause * 1.15, 10000);
      setTimeout(ask, pause);
    }

    setTimeout(ask, pause);
  }

  // On the document, because the live part of the order page is swapped as a whole.
  function offerCopying() {
    document.documentElement.classList.add("scripted");
    const status = document.createElement("p");
    status.className = "unseen";
    status.setAttribute("role", "status");
    document.body.append(status);
    document.addEventListener("click", async ({ target }) => {
      const button = target.closest("[data-copy]");
      if (!button) return;
      const word = button.querySelector("[data-copy-word]");
      try {
        await navigator.clipboard.writeText(button.dataset.copy);
        word.textContent = "Copied";
      } catch {
        // Without the clipboard the value is selected, ready for the keyboard.
        getSelection().selectAllChildren(button.closest("tr, dd").querySelector("code"));
        word.textContent = "Selected";
      }
      status.textContent = word.textContent;
      button.classList.add("done");
      setTimeout(() => {
        word.textContent = "Copy";
        status.textContent = "";
        button.classList.remove("done");
      }, 1600);
    });
  }

  function offerPrinting(button) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  function offerSearch(cards) {
    const groups = [...cards.querySelectorAll("details")];
    const input = cards.querySelector("input");
    cards.querySelector("[data-search]").hidden = false;
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const group of groups) {
        const rows = [...group.querySelectorAll("tbody tr")];
        for (const row of rows) {
          const text = `${row.textContent} ${row.dataset.foundBy}`.toLowerCase();
          row.hidden = !words.every((word) => text.includes(word));
        }
        const count = rows.filter((row) => !row.hidden).length;
        group.hidden = count === 0;
        group.open = words.length > 0 || group === groups[0];
        found += count;
      }
      const result = cards.querySelector("[data-search-result]");
      result.textContent = words.length > 0 ? `Cards found: ${found}` : "";
    });
  }

  // The loader says when its form does not load. When the loader itself is blocked, the page does.
  function watchLoader(payment) {
    const check = () => {
      if (!window.Sealpay) payment.querySelector("[data-payment-missing]").hidden = false;
    };
    if (document.readyState === "complete") check();
    else addEventListener("load", check);
  }

  // The form says what there is to do. The page repeats it beside the form, and says where the order
  // can be followed while a transfer is pending.
  function watchForm(payment) {
    const status = document.querySelector("[data-payment-status]");
    const show = (name) => {
      for (const part of status.children) part.hidden = part.dataset.status !== name;
    };
    payment.addEventListener("sealpay:challenge", ({ detail }) => {
      show(detail && detail.kind === "wallet" ? "wallet" : "bank");
    });
    payment.addEventListener("sealpay:pending", () => show("pending"));
    for (const type of ["complete", "decline", "error"]) {
      payment.addEventListener(`sealpay:${type}`, () => show(null));
    }
  }

  // An order expires after half an hour. The form continues with a new one and keeps the input.
  function renewOrders(form) {
    let order = form.getAttribute("order");
    form.renewOrder = async () => {
      const response = await fetch(form.dataset.sign, { method: "POST", body: order });
      if (response.ok) order = await response.text();
      // It is paid, or a payment is under way: the order's page says which.
      else location.assign(form.getAttribute("return-url"));
      return response.ok ? order : null;
    };
    // After the last attempt the form says so first, and the shopper continues with a button.
    form.addEventListener("sealpay:expired", (event) => {
      if (event.detail.code === "too_many_attempts") event.preventDefault();
    });
  }

  function begin(selector, start) {
    const element = document.querySelector(selector);
    if (element) start(element);
  }

  localTimes(document);
  offerCopying();
  begin("[data-live]", watchOrder);
  begin("[data-print]", offerPrinting);
  begin("[data-cards]", offerSearch);
  begin("[data-payment]", watchLoader);
  begin("[data-payment]", watchForm);
  begin("sealpay-checkout", renewOrders);
})();

// Paper Lantern: without this file the shop still sells. Missing are the live order page, the copying,
// and another order for a form that was open for too long.
(() => {
  "use strict";

  // Times in the reader's zone and language.
  const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  function localTimes(root) {
    for (const time of root.querySelectorAll("time[datetime]")) {
      time.textContent = clock.format(new Date(time.dateTime));
    }
  }

  // Asks whether a webhook changed the order, often at first, and swaps the part that shows it.
  function watchOrder(live) {
    let pause = 500;

    async function swap() {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
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
        const answer = await fetch(live.dataset.live, { cache: "no-store" });
        const { revision } = await answer.json();
        if (answer.ok && revision !== live.dataset.revision) {
          await swap();
          pause = 500;
        }
      } catch {
        // The shop does not answer just now; the next round may find it again.
      }
      pause = Math.min(pause * 1.15, 10000);
      setTimeout(ask, pause);
    }

    setTimeout(ask, pause);
  }

  // On the document, because the live part of the order page is swapped as a whole.
  function offerCopying() {
    document.documentElement.classList.add("scripted");
    const told = document.createElement("p");
    told.className = "unseen";
    told.setAttribute("role", "status");
    document.body.append(told);
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
      told.textContent = word.textContent;
      button.classList.add("done");
      setTimeout(() => {
        word.textContent = "Copy";
        told.textContent = "";
        button.classList.remove("done");
      }, 1600);
    });
  }

  function offerPrinting(button) {
    button.hidden = false;
    button.addEventListener("click", () => print());
  }

  function offerSearch(cards) {
    const box = cards.querySelector("[data-search]");
    const input = box.querySelector("input");
    const result = cards.querySelector("[data-search-result]");
    const groups = [...cards.querySelectorAll("details")];
    const opened = new Map();
    // On a phone the cards stand under the form, where an open group would be a long way down.
    if (matchMedia("(max-width: 919px)").matches) {
      for (const group of groups) group.open = false;
    }
    box.hidden = false;

    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let found = 0;
      for (const group of groups) {
        if (!opened.has(group)) opened.set(group, group.open);
        let here = 0;
        for (const row of group.querySelectorAll("tbody tr")) {
          const text = `${row.textContent} ${row.dataset.foundBy}`.toLowerCase();
          row.hidden = !words.every((word) => text.includes(word));
          if (!row.hidden) here += 1;
        }
        group.hidden = here === 0;
        group.querySelector("[data-count]").textContent = here;
        group.open = words.length ? here > 0 : opened.get(group);
        found += here;
      }
      if (!words.length) opened.clear();
      const told = found === 1 ? "1 card found" : `${found} cards found`;
      result.textContent = words.length ? told : "";
    });
  }

  // The loader tells when its form does not come. When the loader itself is blocked, we have to.
  function watchLoader(payment) {
    const tell = () => {
      if (!window.Sealpay) payment.querySelector("[data-payment-missing]").hidden = false;
    };
    if (document.readyState === "complete") tell();
    else addEventListener("load", tell);
  }

  // The form says itself what there is to do. The page repeats it outside of the form, for whoever
  // looks away, and says where the order can be followed while the money is on its way.
  function watchForm(payment) {
    const news = document.querySelector("[data-payment-news]");
    if (!news) return;
    const tell = (name) => {
      for (const part of news.children) part.hidden = part.dataset.news !== name;
    };
    payment.addEventListener("sealpay:challenge", ({ detail }) => {
      tell(detail && detail.kind === "wallet" ? "wallet" : "bank");
    });
    payment.addEventListener("sealpay:pending", () => tell("pending"));
    for (const type of ["complete", "decline", "error"]) {
      payment.addEventListener(`sealpay:${type}`, () => tell(null));
    }
  }

  // An order expires after half an hour. The form continues with a new one and keeps the input.
  function renewOrders(form) {
    let order = form.getAttribute("order");
    form.renewOrder = async () => {
      const answer = await fetch(form.dataset.sign, { method: "POST", body: order });
      if (answer.ok) order = await answer.text();
      // It is paid, or a payment is under way: the order's page says which.
      else location.assign(form.getAttribute("return-url"));
      return answer.ok ? order : null;
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

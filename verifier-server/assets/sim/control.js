// Shows the simulated world every second and commands it. Everything that comes from the server is
// written as text: nothing here makes markup of data.
"use strict";

(() => {
  const find = (selector) => document.querySelector(selector);
  const exponents = new Map(
    document.body.dataset.exponents.split(" ").map((entry) => entry.split(":")),
  );
  let world = null;
  // The whole numbers of test cards, by persona: an account itself tells four digits.
  const numbers = new Map();
  fetch("/sim/personas").then((answer) => answer.json()).then(({ data }) => {
    for (const { name, number } of data) numbers.set(name, number);
  }).catch(() => { /* The search knows the last four digits all the same. */ });

  // Making elements

  function make(name, properties = {}, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties)) {
      if (key === "data") Object.assign(element.dataset, value);
      else if (key === "label") element.setAttribute("aria-label", value);
      else element[key] = value;
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  const small = (text) => (text ? make("small", {}, text) : null);
  const words = (name) => name.replaceAll("_", " ");

  const BRANDS = { jcb: "JCB", unionpay: "UnionPay" };
  const brandOf = (slug) => BRANDS[slug]
    ?? slug.replace(/(^|-)([a-z])/g, (_, gap, letter) => `${gap ? " " : ""}${letter.toUpperCase()}`);
  // The dots and the digits stay on one line.
  const cardOf = ({ brand, last4 }) => `${brandOf(brand)} ••\u00a0${last4}`;

  // Writes anew only what has changed, and leaves the keyboard where it was.
  const shown = new Map();
  function show(selector, data, elements) {
    const text = JSON.stringify(data);
    if (shown.get(selector) === text) return;
    shown.set(selector, text);
    const place = find(selector);
    const key = place.contains(document.activeElement) && document.activeElement.dataset.key;
    place.replaceChildren(...elements());
    if (key) place.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  }

  function row(columns) {
    const cells = columns.map(([label, ...content]) => {
      const kept = content.filter((child) => child !== null && child !== undefined && child !== "");
      const cell = make("td", { data: { label } }, make("div", {}, ...kept));
      if (!kept.length) cell.classList.add("empty");
      if (["Amount", "Balance", "Available", "Time", "Arrives"].includes(label)) {
        cell.classList.add("number");
      }
      return cell;
    });
    return make("tr", {}, ...cells);
  }

  const nothing = (columns, text) =>
    [make("tr", {}, make("td", { colSpan: columns, className: "nothing" }, text))];

  const GOOD = ["captured", "partially_captured", "authorized", "matched", "active", "allow",
    "authenticated", "delivered", "won", "current"];
  const OVER = ["voided", "refunded", "partially_refunded", "revoked"];
  const WAIT = ["pending", "needs_response", "under_review", "authorizing", "requires_action", "unknown", "scheduled", "arrived", "review",
    "step_up", "attempted", "unavailable", "not_activated", "replaced", "contact_cardholder"];
  function badge(state) {
    const kinds = [["good", GOOD], ["wait", WAIT], ["over", OVER]];
    const kind = kinds.find(([, states]) => states.includes(state))?.[0] ?? "bad";
    const text = words(state);
    return make("span", { className: `state ${kind}` }, text[0].toUpperCase() + text.slice(1));
  }

  // Writing amounts and times

  function money(minor, currency) {
    const exponent = Number(exponents.get(currency) ?? 2);
    const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
    const whole = digits.slice(0, digits.length - exponent).replace(/\B(?=(\d{3})+$)/g, "\u202f");
    const part = exponent ? `.${digits.slice(-exponent)}` : "";
    return `${minor < 0 ? "−" : ""}${whole}${part} ${currency}`;
  }

  // `24.90` and 2490, each from the other; what is no amount is left to the server to refuse.
  function decimal(minor, currency) {
    const exponent = Number(exponents.get(currency) ?? 2);
    const digits = String(Math.abs(minor)).padStart(exponent + 1, "0");
    const whole = (minor < 0 ? "-" : "") + digits.slice(0, digits.length - exponent);
    return exponent ? `${whole}.${digits.slice(-exponent)}` : whole;
  }

  function minor(text, currency) {
    const exponent = Number(exponents.get(currency) ?? 2);
    const [whole, part = ""] = String(text).trim().replace(",", ".").split(".");
    if (part.length > exponent) return undefined;
    return Number(whole + part.padEnd(exponent, "0"));
  }

  const two = (number) => String(number).padStart(2, "0");
  const time = (date) =>
    `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const day = new Intl.DateTimeFormat("en-GB", {
    timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric",
  });
  const shortDay = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });

  // The time of the world's present day; another day is named.
  function moment(seconds) {
    const date = new Date(seconds * 1000);
    const today = new Date(world.clock.now * 1000).toDateString() === date.toDateString();
    return today ? time(date) : `${shortDay.format(date)} ${time(date)}`;
  }

  function span(seconds) {
    const parts = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
    const said = [];
    for (const [size, name] of parts) {
      const count = Math.floor(seconds / size);
      seconds %= size;
      if (count) said.push(`${count} ${name}${count === 1 ? "" : "s"}`);
    }
    return said.slice(0, 2).join(" ");
  }

  // Showing

  function showClock({ now, ahead_seconds }) {
    const date = new Date(now * 1000);
    const element = find("#now");
    element.dateTime = date.toISOString();
    element.replaceChildren(`${time(date)} UTC`, make("span", { className: "day" }, day.format(date)));
    find("#ahead").textContent = ahead_seconds
      ? `${span(ahead_seconds)} ahead of the system clock`
      : "Same as the system clock";
  }

  // A payment by its order, as long as it is one of those on the page.
  function nameOf(id) {
    const payment = world.payments.data.find((payment) => payment.id === id);
    return payment ? `${payment.order_ref} · ${id}` : id;
  }

  const CODE_STATES = { valid: "", used: "Used", replaced: "Replaced by a newer code",
    expired: "Expired" };
  function aboutOf({ payment, code_state: state }) {
    const parts = [CODE_STATES[state] ?? "", payment ? `For ${nameOf(payment)}` : ""];
    return parts.filter(Boolean).join(" · ");
  }

  const owner = (message) => (message.persona ? words(message.persona) : "unknown card");

  function showPhone({ data }) {
    const [newest, ...earlier] = data;
    find("#newest").hidden = !newest;
    find("#silent").hidden = Boolean(newest);
    if (newest) {
      const { code_state: state } = newest;
      find("#newest-about").textContent = aboutOf(newest);
      find("#code").classList.toggle("spent", state !== "valid");
      find("#newest-to").textContent = `${moment(newest.sent_at)} · ${newest.phone} · ${owner(newest)}`;
      find("#newest-text").textContent = newest.text;
      const code = find("#code");
      code.hidden = !newest.code;
      show("#code", newest.id, () => {
        code.setAttribute("aria-label", `${newest.code ?? ""} Copy the code`);
        return [newest.code ?? "", make("span", {}, "Copy")];
      });
    }
    const shownWith = [earlier, earlier.map(aboutOf)];
    show("#messages", shownWith, () => earlier.map((message) =>
      make("li", {}, message.text, make("small", { className: "muted small" },
        ` ${moment(message.sent_at)} · ${owner(message)}`), small(aboutOf(message)))));
  }

  function paidWith({ method, card }) {
    return card ? cardOf(card) : words(method);
  }

  function shopper(authentication) {
    if (!authentication) return [];
    const { status, eci, challenge, reasons } = authentication;
    const by = challenge ? `by ${challenge} · ECI ${eci}` : `ECI ${eci}`;
    return [badge(status), small(by), small(reasons.map(words).join(", "))];
  }

  function showPayments({ data }) {
    const shownWith = [data, Math.floor(world.clock.now / 86400)];
    show("#payment-rows", shownWith, () => data.length ? data.map((payment) => {
      const { decline, risk, route } = payment;
      return row([
        ["Time", moment(payment.created_at)],
        ["Order", make("button", {
          type: "button",
          className: "link",
          data: { key: payment.id },
          label: `${payment.order_ref}: events and deliveries`,
          onclick: () => openPayment(payment.id),
        }, payment.order_ref), small(payment.id)],
        ["Amount", money(payment.amount, payment.currency), small(
          payment.capture === "manual" ? "manual capture" : "")],
        ["Paid with", paidWith(payment)],
        ["State", badge(payment.state), small(decline?.code),
          small(decline?.response_code ? `response code ${decline.response_code}` : "")],
        ["Route", words(route.provider || "none"), small(words(route.reason).replace("european", "European"))],
        ["Risk", ...(risk ? [badge(risk.outcome), small(`score ${risk.score}`),
          small(risk.reasons.map(words).join(", "))] : [])],
        ["Authentication", ...shopper(payment.authentication)],
      ]);
    }) : nothing(8, "No payments yet."));
  }

  function showTransfers({ data }) {
    const shownWith = [data, Math.floor(world.clock.now / 86400)];
    show("#transfer-rows", shownWith, () => data.length ? data.map((transfer) => row([
      ["Arrives", moment(transfer.arrives_at)],
      ["Reference", make("code", {}, transfer.reference)],
      ["Amount", money(transfer.amount, transfer.currency)],
      ["State", badge(transfer.state)],
    ])) : nothing(4, "No incoming transfers."));
    const waiting = world.payments.data.filter(({ state, transfer }) =>
      transfer && state === "requires_action");
    show("#awaited", waiting, () => waiting.map((payment) => {
      const due = payment.amount - payment.transfer.received;
      const { reference } = payment.transfer;
      return make("button", {
        type: "button",
        className: "quiet",
        data: { key: payment.id },
        label: `Fill in ${money(due, payment.currency)} for ${payment.order_ref}`,
        onclick() {
          find("#send-reference").value = reference;
          find("#send-amount").value = decimal(due, payment.currency);
          find("#send-currency").value = payment.currency;
          find("#send-amount").focus();
        },
      }, `${payment.order_ref} awaiting payment`, make("span", { className: "number" }, money(due, payment.currency)));
    }));
  }

  function limitsOf(account) {
    const { currency } = account;
    const said = [];
    const limit = (value, text) => {
      if (value !== null) said.push(text(value));
    };
    limit(account.per_transaction_limit_minor, (minor) => `${money(minor, currency)} per payment`);
    limit(account.daily_count_limit, (count) => `${count} payments a day (${account.day_count} made)`);
    limit(account.daily_sum_limit_minor, (minor) => `${money(minor, currency)} a day`);
    return said.map(small);
  }

  function showAccounts({ data }) {
    const wanted = find("#search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const digits = find("#search").value.replace(/[\s-]/g, "");
    const fits = (account) => {
      const number = numbers.get(account.persona) ?? "";
      if (/^\d{5,}$/.test(digits)) return number.startsWith(digits);
      const text = [...Object.values(account), number].join(" ").toLowerCase();
      return wanted.every((word) => text.includes(word));
    };
    const fitting = data.filter(fits);
    show("#account-rows", fitting, () => fitting.length ? fitting.map((account) => {
      const { currency } = account;
      const edit = make("button", {
        type: "button",
        className: "quiet",
        data: { key: account.id },
        label: `Edit the account of ${account.holder}, ${account.last4}`,
        onclick: () => editAccount(account),
      }, "Edit");
      return row([
        ["Holder", account.holder, small(account.persona ? account.persona : "no test persona")],
        ["Card", cardOf(account), small(`${account.issuer}, ${account.country}`)],
        ["Balance", money(account.balance_minor, currency), small(account.kind)],
        ["Available", account.available_minor === null ? "no limit" : money(account.available_minor, currency),
          small(account.held_minor ? `${money(account.held_minor, currency)} held` : "")],
        ["Status", badge(account.locked ? "locked" : account.status)],
        ["Enrolment", words(account.enrolment),
          small(account.wrong_codes ? `${account.wrong_codes} wrong codes` : "")],
        ["Limits", ...limitsOf(account)],
        ["", edit],
      ]);
    }) : nothing(8, "No matching accounts."));
    const told = `${fitting.length} of ${data.length}`;
    if (find("#found").textContent !== told) find("#found").textContent = told;
  }

  function faultOf({ kind, min_ms: least, max_ms: most, target }, how) {
    const took = kind === "latency" ? `, ${least}–${most} ms` : "";
    return `${words(kind)}${took} · ${words(target)} · ${how}`;
  }

  function showFaults({ data, spent }) {
    find("#no-faults").hidden = data.length > 0;
    const named = [...data, ...spent].map(({ last_struck: id }) => id && nameOf(id));
    show("#spent-list", [spent, named], () => spent.map((fault) =>
      make("li", {}, faultOf(fault, `used by ${nameOf(fault.last_struck)}`))));
    show("#fault-list", [data, named], () => data.map((fault) => {
      const how = fault.remaining === null
        ? `${fault.share_per_mille} in 1,000 requests, seed ${fault.seed ?? 0}`
        : `the next ${fault.remaining}`;
      const text = faultOf(fault, how);
      const last = fault.last_struck && small(`last used by ${nameOf(fault.last_struck)}`);
      return make("li", {}, make("span", {}, text, last), make("button", {
        type: "button",
        className: "quiet",
        data: { key: fault.id },
        label: `Remove: ${text}`,
        onclick: () => command("DELETE", `/sim/faults/${fault.id}`, undefined, "Fault removed."),
      }, "Remove"));
    }));
  }

  function showWebhooks(settings) {
    const said = [];
    if (settings.duplicate) said.push(`${settings.duplicate} in 1,000 are delivered twice`);
    if (settings.delay_ms) said.push(`each is delayed by ${settings.delay_ms} ms`);
    if (settings.reorder) said.push("events are delivered out of order");
    if (settings.drop_first) said.push(`the next ${settings.drop_first} deliveries fail`);
    const line = find("#webhook_faults");
    line.classList.toggle("on", said.length > 0);
    const text = said.join(", ");
    line.textContent = text ? `${text[0].toUpperCase()}${text.slice(1)}.`
      : "Webhooks are delivered once and in order.";
  }

  function showUpcoming({ data }) {
    show("#upcoming-rows", data, () => data.length ? data.map((item, place) => {
      const date = new Date(item.at * 1000);
      return row([
        ["Due", `${day.format(date)} ${time(date)}`],
        ["What", words(item.type)],
        ["For", item.description || item.resource, small(item.description ? item.resource : "")],
        ["", make("button", {
          type: "button",
          className: "quiet",
          data: { key: `upcoming-${place}` },
          label: `Go to ${day.format(date)}, ${words(item.type)}`,
          onclick: ({ target }) => busy(target, () => advance(item.at - world.clock.now)),
        }, "Go there")],
      ]);
    }) : nothing(4, "Nothing is planned."));
  }

  function showAll() {
    showClock(world.clock);
    showUpcoming(world.upcoming);
    showPhone(world.phone);
    showPayments(world.payments);
    showTransfers(world.transfers);
    showAccounts(world.accounts);
    showFaults(world.faults);
    showWebhooks(world.webhooks);
  }

  // A payment with what happened to it

  let opened = null;

  function deliveryOf({ endpoint, state, attempts, last_status: status, last_error: error,
    next_at: next }) {
    const count = `${attempts} attempt${attempts === 1 ? "" : "s"}`;
    const parts = [endpoint, count, status && `HTTP ${status}`, error,
      next && `next at ${moment(next)}`].filter(Boolean);
    return make("div", { className: "delivery" }, badge(state), small(parts.join(" · ")));
  }

  function showPayment({ payment, events, disputes }) {
    const sum = money(payment.amount, payment.currency);
    find("#payment-title").textContent = payment.order_ref;
    find("#payment-about").textContent = `${payment.id} · ${sum} · ${words(payment.state)}`;
    find("#no-events").hidden = events.length > 0;
    find("#no-disputes").hidden = disputes.length > 0;
    show("#payment-events", [payment.id, events], () => events.map((event) => make("li", {},
      make("strong", {}, event.type), small(`${moment(event.created_at)} · ${event.id}`),
      ...(event.deliveries.length ? event.deliveries.map(deliveryOf)
        : [small("No webhook endpoint receives this event.")]))));
    show("#payment-disputes", [payment.id, disputes], () => disputes.map((dispute) => make("li", {},
      badge(dispute.state), small(`${money(dispute.amount, dispute.currency)} · `
        + `${words(dispute.reason)} · ${dispute.id} · evidence until ${moment(dispute.evidence_due_at)}`))));
  }

  async function lookAtPayment() {
    const id = opened;
    if (!id) return;
    const answer = await fetch(`/sim/payments/${id}`, {
      cache: "no-store", signal: AbortSignal.timeout(5000) });
    if (!answer.ok) {
      opened = null;
      tell("There is no such payment.");
    } else {
      const told = await answer.json();
      if (opened !== id) return;
      showPayment(told);
      if (!find("#payment").open) find("#payment").showModal();
    }
  }

  function openPayment(id) {
    opened = id;
    history.replaceState(null, "", `#${id}`);
    lookAtPayment().catch(() => tell("The server didn’t respond."));
  }
  find("#payment").addEventListener("close", () => {
    opened = null;
    history.replaceState(null, "", location.pathname);
  });
  // `/sim#pay_…` opens that payment.
  if (location.hash.startsWith("#pay_")) opened = location.hash.slice(1);

  // Asking and commanding

  function live(works, text) {
    const element = find("#live");
    element.className = `live ${works ? "on" : "off"}`;
    if (element.textContent !== text) element.textContent = text;
  }

  let asked = 0;
  async function look() {
    const turn = ++asked;
    try {
      const answer = await fetch("/sim/state", { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const fresh = await answer.json();
      // An older answer that comes late is passed over.
      if (turn !== asked) return;
      world = fresh;
      showAll();
      await lookAtPayment();
      live(true, "Live");
    } catch {
      if (turn === asked) live(false, "No response; retrying");
    }
  }

  let pause = 0;
  function tell(text) {
    const notice = find("#notice");
    notice.textContent = text;
    clearTimeout(pause);
    pause = setTimeout(() => { notice.textContent = ""; }, 6000);
  }

  function sentenceOf(problem) {
    const at = problem.param ? `${words(problem.param)}: ` : "";
    return `${at}${problem.detail ?? "The server couldn’t process the request."}`;
  }

  // Says whether it was done; what went wrong is told where `complain` says.
  async function command(method, path, body, done, complain = tell) {
    const request = { method, signal: AbortSignal.timeout(60000) };
    if (body !== undefined) {
      request.headers = { "content-type": "application/json" };
      request.body = JSON.stringify(body);
    }
    try {
      const answer = await fetch(path, request);
      if (!answer.ok) {
        complain(sentenceOf(await answer.json()));
        return false;
      }
      const told = answer.status === 204 ? null : await answer.json();
      tell(typeof done === "function" ? done(told) : done);
      await look();
      return true;
    } catch {
      complain("The server didn’t respond.");
      return false;
    }
  }

  // While a command is under way its button waits, so that nothing is done twice.
  async function busy(button, work) {
    if (button.disabled) return;
    const had = document.activeElement === button;
    button.disabled = true;
    try {
      await work();
    } finally {
      button.disabled = false;
      if (had && document.activeElement === document.body) button.focus();
    }
  }

  function onSubmit(selector, work) {
    const form = find(selector);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      busy(event.submitter ?? form.querySelector("button"), () => work(new FormData(form)));
    });
  }

  const number = (data, name) => {
    const text = String(data.get(name) ?? "").trim();
    return text === "" ? undefined : Number(text);
  };

  // A week cannot be taken back, and everybody on this server lives through it.
  const CONFIRMED_FROM = 7 * 86400;
  const advance = (seconds) => (seconds < CONFIRMED_FROM
    || confirm(`Move the clock forward ${span(seconds)}? Only restoring a world moves it back.`)) && command("POST", "/sim/clock", { advance_seconds: seconds },
    `The clock moved forward ${span(seconds)}.`);

  for (const button of document.querySelectorAll("[data-advance]")) {
    button.addEventListener("click", () =>
      busy(button, () => advance(Number(button.dataset.advance))));
  }
  onSubmit("#advance", (data) => advance(number(data, "count") * number(data, "unit")));

  find("#code").addEventListener("click", async () => {
    const code = world?.phone.data[0]?.code;
    const word = find("#code span");
    try {
      await navigator.clipboard.writeText(code);
      word.textContent = "Copied";
    } catch {
      // Without the clipboard the code is selected, ready for the keyboard.
      getSelection().selectAllChildren(find("#code"));
      word.textContent = "Selected";
    }
    setTimeout(() => { word.textContent = "Copy"; }, 1600);
  });

  onSubmit("#send", (data) => command("POST", "/sim/transfers", {
    reference: data.get("reference"),
    amount: minor(data.get("amount"), data.get("currency")),
    currency: data.get("currency"),
  }, (transfer) => transfer.state === "matched"
    ? "The transfer was matched to a payment."
    : "No payment matches this reference. The transfer was returned."));

  find("#search").addEventListener("input", () => { if (world) showAccounts(world.accounts); });

  function showFaultFields() {
    const latency = find("#fault-kind").value === "latency";
    const share = find("#fault-scope").value === "share_per_mille";
    for (const [selector, used] of [["#fault-min", latency], ["#fault-max", latency], ["#fault-seed", share]]) {
      find(selector).closest(".field").hidden = !used;
      find(selector).disabled = !used;
    }
    find("#fault-min").required = latency;
    find("#fault-count").max = share ? 1000 : 1000000;
    find("label[for=fault-count]").textContent = share ? "Requests in 1,000" : "How many";
  }
  find("#fault-kind").addEventListener("change", showFaultFields);
  find("#fault-scope").addEventListener("change", showFaultFields);
  showFaultFields();

  onSubmit("#fault", (data) => command("POST", "/sim/faults", {
    kind: data.get("kind"),
    target: data.get("target"),
    min_ms: number(data, "min_ms"),
    max_ms: number(data, "max_ms"),
    [data.get("scope")]: number(data, "count"),
    seed: number(data, "seed"),
  }, "Fault added."));
  find("#mend").addEventListener("click", () => busy(find("#mend"), () =>
    command("DELETE", "/sim/faults", undefined, "All faults cleared.")));

  onSubmit("#webhook", (data) => command("POST", "/sim/webhooks", {
    duplicate: number(data, "duplicate") ?? 0,
    delay_ms: number(data, "delay_ms") ?? 0,
    drop_first: number(data, "drop_first") ?? 0,
    reorder: data.get("reorder") === "on",
  }, "Webhook settings applied."));
  find("#behave").addEventListener("click", () => busy(find("#behave"), async () => {
    find("#webhook").reset();
    await command("POST", "/sim/webhooks", {}, "Webhook settings reset.");
  }));

  // Editing an account: only what was changed is sent.

  const LIMITS = ["credit_limit_minor", "per_transaction_limit_minor", "daily_count_limit",
    "daily_sum_limit_minor"];
  const NUMBERS = ["balance_minor", "wrong_codes"];
  const isAmount = (name) => name.endsWith("_minor");
  const TEXTS = ["status", "enrolment", "phone"];
  let edited = null;

  function editAccount(account) {
    edited = account;
    const fields = find("#account-form").elements;
    for (const name of [...LIMITS, ...NUMBERS, ...TEXTS]) {
      const value = account[name] ?? "";
      const isMoney = isAmount(name) && value !== "";
      fields[name].value = isMoney ? decimal(value, account.currency) : value;
    }
    fields.credit_limit_minor.disabled = account.kind === "debit";
    find("#account-title").textContent = account.holder;
    find("#account-about").textContent = `${cardOf(account)} · ${account.issuer} · `
      + `${account.kind} account in ${account.currency}`;
    find("#account-problem").textContent = "";
    showCredentials(account);
    find("#account").showModal();
  }

  // The stored cards of an account, and what its issuer can do to them.
  function showCredentials({ credentials }) {
    find("#account-credentials").replaceChildren(...credentials.map((credential) => {
      const { acquirer, last4, expiry, charges, status } = credential;
      const count = `${charges} ${charges === 1 ? "charge" : "charges"} by the merchant`;
      return make("li", {}, `${acquirer} ···· ${last4}, ${expiry} `, badge(status), small(count));
    }));
    find("#no-credentials").hidden = credentials.length > 0;
  }

  for (const [button, action, done] of [
    ["#account-replace", "replace", "Card replaced."],
    ["#account-end", "close", "Account closed."],
    ["#account-contact", "contact", "The cardholder has to be asked."],
  ]) {
    find(button).addEventListener("click", () => busy(find(button), async () => {
      const path = `/sim/accounts/${encodeURIComponent(edited.persona ?? edited.id)}/${action}`;
      const complain = (text) => { find("#account-problem").textContent = text; };
      if (await command("POST", path, undefined, done, complain)) find("#account").close();
    }));
  }

  function changesOf(data) {
    const changes = {};
    for (const name of TEXTS) {
      if (data.get(name) !== edited[name]) changes[name] = data.get(name);
    }
    for (const name of [...LIMITS, ...NUMBERS]) {
      if (!data.has(name)) continue;
      const typed = String(data.get(name)).trim();
      const read = isAmount(name) ? minor(typed, edited.currency) : Number(typed);
      const none = LIMITS.includes(name) ? null : edited[name];
      const value = typed === "" ? none : read;
      if (value !== edited[name]) changes[name] = value;
    }
    return changes;
  }

  onSubmit("#account-form", async (data) => {
    const path = `/sim/accounts/${encodeURIComponent(edited.persona ?? edited.id)}`;
    const complain = (text) => { find("#account-problem").textContent = text; };
    const changes = changesOf(data);
    const unread = Object.keys(changes).find((name) => changes[name] === undefined);
    if (unread) {
      const label = find(`[for=${CSS.escape(find("#account-form").elements[unread].id)}]`).textContent;
      complain(`${label}: enter an amount such as ${decimal(1250, edited.currency)}.`);
      return;
    }
    const done = await command("PUT", path, changes, "Account saved.", complain);
    if (done) find("#account").close();
  });
  find("#account-close").addEventListener("click", () => find("#account").close());

  // Worlds change only by command, here or elsewhere, so they are read less often.

  const ROWS_OF_WORLDS = 5;
  const size = (bytes) => `${(bytes / 1048576).toFixed(1)} MB`;
  const stamp = (seconds) => seconds === null ? null
    : new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ");

  async function lookAtWorlds() {
    try {
      const answer = await fetch("/sim/worlds", { cache: "no-store", signal: AbortSignal.timeout(5000) });
      if (answer.ok) showWorlds((await answer.json()).data);
    } catch { /* The next look may succeed; the page says elsewhere that it has no connection. */ }
  }

  function showWorlds(worlds) {
    show("#world-rows", worlds, () => worlds.length
      ? worlds.map(worldRow) : nothing(ROWS_OF_WORLDS, "No saved worlds."));
  }

  function worldRow({ name, state, bytes, created_at: created, now }) {
    const restore = make("button", { type: "button", textContent: "Restore", label: `Restore ${name}`,
      disabled: state !== "complete", data: { key: `restore-${name}` } });
    restore.addEventListener("click", () => busy(restore, () => restoreWorld(name)));
    const remove = make("button", { type: "button", textContent: "Delete", label: `Delete ${name}`,
      data: { key: `delete-${name}` } });
    remove.addEventListener("click", () => busy(remove, async () => {
      if (!confirm(`Delete the world ${name}?`)) return;
      await command("DELETE", `/sim/worlds/${name}`, undefined, "World deleted.");
      await lookAtWorlds();
    }));
    const usable = state === "complete" ? null : badge(state);
    return row([["Name", name, usable], ["Saved", stamp(created)], ["Clock", stamp(now)],
      ["Size", size(bytes)], ["", restore, remove]]);
  }

  async function restoreWorld(name) {
    if (!confirm(`Restore the world ${name}? Everything since it was saved is discarded.`)) return;
    await command("POST", `/sim/worlds/${name}/restore`, undefined, "World restored.");
  }

  onSubmit("#world", async (data) => {
    const saved = await command("POST", "/sim/worlds", { name: data.get("name") }, "World saved.");
    if (saved) find("#world").reset();
    await lookAtWorlds();
  });

  // A page that nobody sees asks nothing.

  function later() {
    setTimeout(async () => {
      if (!document.hidden) await look();
      later();
    }, 1000);
  }
  function laterAtWorlds() {
    setTimeout(async () => {
      if (!document.hidden) await lookAtWorlds();
      laterAtWorlds();
    }, 10000);
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
  look();
  later();
  lookAtWorlds();
  laterAtWorlds();
})();

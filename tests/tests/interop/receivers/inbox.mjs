// The inbox of the receiver for Node.js with work that fails, and with work that takes its time.
// Says as JSON what it answered and how often it worked.

import { pathToFileURL } from "node:url";

const { Inbox } = await import(pathToFileURL(process.argv[2]).href);
const event = { type: "x", data: { sequence: 1, payment: { id: "pay_1" } } };
const worked = [];
let isBusy = true;
const inbox = new Inbox(async (id) => {
  await new Promise((resolve) => setTimeout(resolve, 50));
  worked.push(id);
  if (isBusy) throw new Error("busy");
});
const failed = await inbox.take("evt_1", event).catch((error) => error.message);
isBusy = false;
const together = await Promise.all(["evt_1", "evt_1", "evt_2"].map((id) => inbox.take(id, event)));
console.log(JSON.stringify([failed, together, worked]));

// Receives the webhooks of Sealpay with plain Node.js (18 or later) and no package.
//
//   SEALPAY_MERCHANT=mer_… SEALPAY_WEBHOOK_SECRETS=whsec_… SEALPAY_VERIFIER=https://pay.example node receive.mjs
//
// SEALPAY_MERCHANT         the merchant whose events are taken
// SEALPAY_MODE             live, which it is when missing, or test: events of the other mode are refused
// SEALPAY_WEBHOOK_SECRETS  the endpoint's secrets, separated by spaces: two while one is rotated
// SEALPAY_WEBHOOK_KEYS     the verifier's keys, whpk_…, separated by spaces, …
// SEALPAY_VERIFIER         … or its origin: the keys are fetched there once, at the start
// HOST, PORT               where to listen: 127.0.0.1 and 8989

import { createHmac, createPublicKey, timingSafeEqual, verify as ed25519Verify } from "node:crypto";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

// ---- Paste this part into a server of your own. ---------------------------------------------

const TOLERANCE_SECONDS = 300;
const SIGNATURE_CHARACTERS = 4096;

/** A delivery that is not to be believed; the message may be told to the sender. */
export class Refused extends Error {}

/** Standard base64 of exactly so many bytes, and nothing that merely decodes to them. */
function fromBase64(text, length) {
  const bytes = Buffer.from(text, "base64");
  return bytes.length === length && bytes.toString("base64") === text ? bytes : null;
}

/** Reads `whsec_…`. */
export function readSecret(text) {
  const bytes = text.startsWith("whsec_") && fromBase64(text.slice(6), 32);
  // The text is not repeated: this message ends in a log.
  if (!bytes) throw new TypeError("a secret is written whsec_ and base64 of 32 bytes");
  return bytes;
}

/** Reads `whpk_…`. */
export function readKey(text) {
  const bytes = text.startsWith("whpk_") && fromBase64(text.slice(5), 32);
  if (!bytes) throw new TypeError(`${text} is not whpk_ and base64 of 32 bytes`);
  const x = bytes.toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}

/**
 * Verifies a delivery over its raw body and returns the event in it.
 *
 * Both signatures have to fit: a `v1` one of the accepted secrets and a `v1a` one of the accepted
 * keys. The header may list several of each, and schemes that are not known yet. The event has to be
 * the merchant's: the verifier signs for every merchant with the same keys, so `v1a` proves who sent it
 * and not to whom. And it has to be of the mode that is taken: a test's event pays for nothing.
 *
 * @param headers the values of webhook-id, webhook-timestamp and webhook-signature
 * @param body a Buffer of the bytes that came, neither parsed nor decoded
 * @param accepted {merchant, livemode, secrets, keys}: you, mer_…, whether money is real, and what readSecret and readKey give
 * @param now seconds since 1970
 */
export function verify({ id, timestamp, signature }, body, accepted, now) {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id ?? "")) throw new Refused("webhook-id is missing or malformed");
  if (!/^[0-9]{1,12}$/.test(timestamp ?? "")) throw new Refused("webhook-timestamp is missing or malformed");
  if (!signature || signature.length > SIGNATURE_CHARACTERS) {
    throw new Refused("webhook-signature is missing or malformed");
  }
  if (Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS) {
    throw new Refused("the timestamp is too far from the clock");
  }
  const message = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const listed = (scheme, length) =>
    signature
      .split(" ")
      .filter((entry) => entry.startsWith(`${scheme},`))
      .map((entry) => fromBase64(entry.slice(scheme.length + 1), length))
      .filter((bytes) => bytes !== null);
  const macs = accepted.secrets.map((secret) => createHmac("sha256", secret).update(message).digest());
  if (!listed("v1", 32).some((given) => macs.some((mac) => timingSafeEqual(mac, given)))) {
    throw new Refused("no v1 signature fits an accepted secret");
  }
  const fits = (given) => accepted.keys.some((key) => ed25519Verify(null, message, key, given));
  if (!listed("v1a", 64).some(fits)) throw new Refused("no v1a signature fits an accepted key");
  const event = readEvent(body);
  if (event.merchant !== accepted.merchant) throw new Refused("the event is of another merchant");
  // An event that does not say that money moved is a test's.
  if ((event.livemode === true) !== accepted.livemode) throw new Refused("the event is of the other mode");
  return event;
}

function readEvent(body) {
  let event;
  try {
    event = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new Refused("the body is signed, but it is not an event");
  }
  const named = typeof event?.type === "string" && typeof event.merchant === "string";
  if (!named || typeof event.data !== "object" || event.data === null) {
    throw new Refused("the body is signed, but it is not an event");
  }
  return event;
}

// ---- A server around it. --------------------------------------------------------------------

const BODY_BYTES = 64 * 1024;

const SUBJECTS = [
  "payment", "subscription", "invoice", "agreement", "customer", "instrument", "payout", "settlement", "webhook_endpoint",
];

/** The resource that an event is about, and its place among the events of that resource. */
function counted({ data }) {
  const name = SUBJECTS.find((name) => data[name]);
  const { id } = data[name] ?? {};
  return typeof id === "string" && Number.isSafeInteger(data.sequence) ? [id, data.sequence] : [null, 0];
}

/**
 * Hands each event to `work` once, and none that is older than the last one about its resource.
 *
 * It is in memory and never forgets. A shop keeps both in its database instead, in the transaction that
 * does the work: a unique column for webhook-id, and the last sequence on the order's row.
 */
export class Inbox {
  #done = new Set();
  #sequences = new Map();
  #turn = Promise.resolve();

  constructor(work) {
    this.work = work;
  }

  /** One after the other, so that a duplicate waits for the first and does not overtake it. */
  take(id, event) {
    const taken = this.#turn.then(() => this.#takeInTurn(id, event));
    this.#turn = taken.catch(() => {});
    return taken;
  }

  async #takeInTurn(id, event) {
    if (this.#done.has(id)) return "duplicate";
    const [subject, sequence] = counted(event);
    const stale = subject !== null && sequence <= (this.#sequences.get(subject) ?? 0);
    // What throws is not remembered: the verifier sends it again.
    if (!stale) await this.work(id, event);
    this.#done.add(id);
    if (stale) return "stale";
    if (subject !== null) this.#sequences.set(subject, sequence);
    return "processed";
  }
}

function rawBody(request) {
  const tooLong = new Refused(`the body is longer than ${BODY_BYTES} bytes`);
  if (Number(request.headers["content-length"] ?? 0) > BODY_BYTES) return Promise.reject(tooLong);
  return new Promise((resolve, reject) => {
    let chunks = [];
    let length = 0;
    request.on("data", (chunk) => {
      length += chunk.length;
      if (length <= BODY_BYTES) return void chunks.push(chunk);
      chunks = [];
      reject(tooLong);
    });
    request.on("end", () => resolve(Buffer.concat(chunks)));
    request.on("error", () => reject(new Refused("the body did not arrive")));
  });
}

/** The one value of a header: where there are two, nobody knows which was signed. */
function header(request, name) {
  const values = request.rawHeaders.filter((_, at, all) => at % 2 === 1 && all[at - 1].toLowerCase() === name);
  return values.length === 1 ? values[0] : undefined;
}

async function answerTo(request, accepted, inbox) {
  if (request.url.split("?")[0] !== "/webhooks/sealpay") return [404, "there is nothing here"];
  if (request.method !== "POST") return [405, "webhooks are posted"];
  try {
    const delivery = {
      id: header(request, "webhook-id"),
      timestamp: header(request, "webhook-timestamp"),
      signature: header(request, "webhook-signature"),
    };
    const body = await rawBody(request);
    const event = verify(delivery, body, accepted, Math.floor(Date.now() / 1000));
    // The verifier sends nothing else until it has this back: that proves that the endpoint is yours.
    if (event.type === "webhook_endpoint.verification") return [200, { challenge: event.data.challenge }];
    const what = await inbox.take(delivery.id, event);
    if (what !== "processed") console.log(`${what} ${delivery.id} ${event.type}`);
    return [204, ""];
  } catch (error) {
    if (error instanceof Refused) return [400, error.message];
    console.error(`not processed: ${error}`);
    return [500, "the event could not be processed; send it again"];
  }
}

export function serve(accepted, inbox) {
  const server = createServer(async (request, response) => {
    const [status, reason] = await answerTo(request, accepted, inbox);
    if (status === 200) {
      response.writeHead(200, { "content-type": "application/json" });
      return void response.end(JSON.stringify(reason));
    }
    // What was not read to its end cannot be followed by another request.
    if (status !== 204) response.setHeader("connection", "close");
    response.writeHead(status, status === 204 ? {} : { "content-type": "text/plain; charset=utf-8" });
    response.end(status === 204 ? undefined : `${reason}\n`);
  });
  server.requestTimeout = 10_000;
  server.headersTimeout = 5_000;
  return server;
}

const words = (text) => (text ?? "").split(/\s+/).filter((word) => word !== "");

async function acceptedFrom(environment) {
  const merchant = environment.SEALPAY_MERCHANT ?? "";
  if (!merchant.startsWith("mer_")) throw new Error("SEALPAY_MERCHANT has to be the merchant's id, mer_…");
  const mode = environment.SEALPAY_MODE || "live";
  if (mode !== "live" && mode !== "test") throw new Error("SEALPAY_MODE has to be live or test");
  const secrets = words(environment.SEALPAY_WEBHOOK_SECRETS).map(readSecret);
  const keys = words(environment.SEALPAY_WEBHOOK_KEYS).map(readKey);
  if (environment.SEALPAY_VERIFIER) {
    const url = new URL("/v1/keys", environment.SEALPAY_VERIFIER);
    const answer = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
    keys.push(...(await answer.json()).webhook_keys.map((key) => readKey(key.public_key)));
  }
  if (secrets.length === 0) throw new Error("SEALPAY_WEBHOOK_SECRETS has no secret");
  if (keys.length === 0) throw new Error("there is no key: set SEALPAY_WEBHOOK_KEYS or SEALPAY_VERIFIER");
  return { merchant, livemode: mode === "live", secrets, keys };
}

/** What a shop does with an event: here it says that it came. Throw, and it comes again. */
async function work(id, event) {
  const [subject, sequence] = counted(event);
  console.log(`processed ${id} ${event.type} ${subject ?? "-"} ${sequence}`);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    const server = serve(await acceptedFrom(process.env), new Inbox(work));
    const { HOST: host = "127.0.0.1", PORT: port = "8989" } = process.env;
    server.on("error", (error) => {
      console.error(error.message);
      process.exit(1);
    });
    server.listen(Number(port), host, () => {
      console.log(`listening on http://${host}:${server.address().port}/webhooks/sealpay`);
    });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}

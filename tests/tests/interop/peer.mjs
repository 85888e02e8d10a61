// What independent JavaScript libraries say about our messages: a filter with JSON lines on stdin and
// JSON lines on stdout. A line is {"ask": <name>, …}; the answer is {"ok": <value>} or {"refused": <why>}.

import { createHmac, createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Chacha20Poly1305 } from "@hpke/chacha20poly1305";
import { CipherSuite, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { httpbis } from "http-message-signatures";
import * as jose from "jose";
import { Webhook } from "standardwebhooks";

const suite = new CipherSuite({
  kem: new XWing(),
  kdf: new HkdfSha256(),
  aead: new Chacha20Poly1305(),
});

const fromHex = (text) => new Uint8Array(Buffer.from(text, "hex"));
const fromBase64url = (text) => new Uint8Array(Buffer.from(text, "base64url"));
const hex = (bytes) => Buffer.from(bytes).toString("hex");
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

async function open({ seed, sealed, info, associated_data }) {
  const recipientKey = await suite.kem.deserializePrivateKey(fromHex(seed));
  const recipient = await suite.createRecipientContext({
    recipientKey,
    enc: fromBase64url(sealed.enc),
    info: fromHex(info),
  });
  return hex(await recipient.open(fromBase64url(sealed.ct), fromHex(associated_data)));
}

async function seal({ public_key, info, associated_data, plaintext }) {
  const recipientPublicKey = await suite.kem.deserializePublicKey(fromBase64url(public_key));
  const sender = await suite.createSenderContext({ recipientPublicKey, info: fromHex(info) });
  const ct = await sender.seal(fromHex(plaintext), fromHex(associated_data));
  return { enc: base64url(sender.enc), ct: base64url(ct) };
}

const components = [
  "@method",
  "@authority",
  "@path",
  "@query",
  "content-type",
  "content-digest",
  "idempotency-key",
  "sealpay-session",
];
const parameters = ["created", "expires", "nonce", "alg", "keyid", "tag"];

const publicKey = (jwk) => createPublicKey({ key: jwk, format: "jwk" });

// `clock_tolerance` in seconds lets old vectors pass; their times are checked elsewhere.
async function verifyRequest({ request, key, keyid, clock_tolerance }) {
  const verified = await httpbis.verifyMessage(
    {
      tolerance: clock_tolerance ?? 0,
      requiredFields: components,
      requiredParams: parameters,
      keyLookup: async (found) =>
        found.keyid === keyid
          ? {
              id: keyid,
              algs: ["ed25519"],
              verify: async (data, signature) => verify(null, data, publicKey(key), signature),
            }
          : null,
    },
    request,
  );
  if (verified !== true) throw new Error(`the request was not verified: ${verified}`);
  return true;
}

async function signRequest({ request, key, keyid, created, nonce }) {
  const privateKey = createPrivateKey({ key, format: "jwk" });
  const signed = await httpbis.signMessage(
    {
      name: "sig",
      fields: components,
      params: parameters,
      paramValues: {
        created: new Date(created * 1000),
        expires: new Date((created + 60) * 1000),
        nonce,
        tag: "sealpay-v1",
      },
      key: { id: keyid, alg: "ed25519", sign: async (data) => sign(null, data, privateKey) },
    },
    request,
  );
  const header = (name) => signed.headers[name] ?? signed.headers[name.toLowerCase()];
  return { signature_input: header("Signature-Input"), signature: header("Signature") };
}

async function verifyOrder({ order, key }) {
  const imported = await jose.importJWK(key, "Ed25519");
  const options = { algorithms: ["Ed25519", "EdDSA"] };
  const { protectedHeader, payload } = await jose.compactVerify(order, imported, options);
  return { header: protectedHeader, claims: JSON.parse(Buffer.from(payload).toString("utf8")) };
}

async function signOrder({ header, claims, key }) {
  const imported = await jose.importJWK(key, header.alg);
  const payload = Buffer.from(JSON.stringify(claims), "utf8");
  return new jose.CompactSign(payload).setProtectedHeader(header).sign(imported);
}

const thumbprint = ({ key }) => jose.calculateJwkThumbprint(key, "sha256");

function verifyWebhook({ secret, headers, body }) {
  return new Webhook(secret).verify(body, headers) !== undefined;
}

// Every vector of the file, recomputed or checked by other people's code.
async function vectors({ file }) {
  const all = JSON.parse(readFileSync(file, "utf8"));
  let checked = 0;
  const check = (good, what) => {
    if (!good) throw new Error(what);
    checked += 1;
  };
  for (const { seed, key, thumbprint: expected } of [all.ephemeral_key, all.merchant_key]) {
    check((await thumbprint({ key })) === expected, `thumbprint of ${seed}`);
  }
  for (const { order, payload } of all.orders) {
    const { claims } = await verifyOrder({ order, key: all.merchant_key.key });
    check(JSON.stringify(claims) === JSON.stringify(JSON.parse(payload)), order);
  }
  for (const vector of all.sealed_cards) {
    const plaintext = await open({ seed: all.sealing_key.seed, ...vector });
    check(plaintext === vector.plaintext, vector.name);
  }
  for (const vector of all.requests) {
    const query = vector.query === null ? "" : `?${vector.query}`;
    const scheme = vector.authority.startsWith("localhost") ? "http" : "https";
    const request = {
      method: vector.method,
      url: `${scheme}://${vector.authority}${vector.path}${query}`,
      headers: {
        "content-type": vector.content_type,
        "content-digest": vector.content_digest,
        "idempotency-key": vector.idempotency_key,
        "sealpay-session": vector.session,
        "signature-input": vector.signature_input,
        signature: vector.signature,
      },
    };
    const { key, thumbprint: keyid } = all.ephemeral_key;
    check(await verifyRequest({ request, key, keyid, clock_tolerance: 4e9 }), vector.name);
  }
  for (const vector of all.webhooks) {
    const message = `${vector.id}.${vector.timestamp}.${vector.body}`;
    const macs = vector.secrets.map((secret) => {
      const bytes = Buffer.from(secret.slice("whsec_".length), "base64");
      return `v1,${createHmac("sha256", bytes).update(message).digest("base64")}`;
    });
    check(macs.every((mac) => vector.signature.split(" ").includes(mac)), vector.name);
  }
  return checked;
}

const answers = {
  open,
  seal,
  verify_request: verifyRequest,
  sign_request: signRequest,
  verify_order: verifyOrder,
  sign_order: signOrder,
  thumbprint,
  verify_webhook: verifyWebhook,
  vectors,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { ask, ...question } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: await answers[ask](question) };
  } catch (error) {
    answer = { refused: String(error) };
  }
  console.log(JSON.stringify(answer));
}

"""Receives the webhooks of Sealpay with Python 3.10 or later, its standard library and `cryptography`.

    SEALPAY_MERCHANT=mer_… SEALPAY_WEBHOOK_SECRETS=whsec_… SEALPAY_VERIFIER=https://pay.example python3 receive.py

SEALPAY_MERCHANT         the merchant whose events are taken
SEALPAY_MODE             live, which it is when missing, or test: events of the other mode are refused
SEALPAY_WEBHOOK_SECRETS  the endpoint's secrets, separated by spaces: two while one is rotated
SEALPAY_WEBHOOK_KEYS     the verifier's keys, whpk_…, separated by spaces, …
SEALPAY_VERIFIER         … or its origin: the keys are fetched there once, at the start
HOST, PORT               where to listen: 127.0.0.1 and 8989
"""

import base64
import binascii
import hmac
import json
import os
import re
import sys
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# ---- Paste this part into a server of your own. ----------------------------------------------

TOLERANCE_SECONDS = 300
SIGNATURE_CHARACTERS = 4096


class Refused(Exception):
    """A delivery that is not to be believed; the text may be told to the sender."""


def from_base64(text, length):
    """Standard base64 of exactly so many bytes, and nothing that merely decodes to them."""
    try:
        found = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return found if len(found) == length and base64.b64encode(found).decode() == text else None


def read_secret(text):
    """Reads `whsec_…`."""
    found = from_base64(text[6:], 32) if text.startswith("whsec_") else None
    if found is None:
        # The text is not repeated: this message ends in a log.
        raise ValueError("a secret is written whsec_ and base64 of 32 bytes")
    return found


def read_key(text):
    """Reads `whpk_…`."""
    found = from_base64(text[5:], 32) if text.startswith("whpk_") else None
    if found is None:
        raise ValueError(f"{text} is not whpk_ and base64 of 32 bytes")
    return Ed25519PublicKey.from_public_bytes(found)


def key_fits(key, message, signature):
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True


def verify(webhook_id, timestamp, signature, body, merchant, livemode, secrets, keys, now):
    """Verifies a delivery over its raw body and returns the event in it.

    Both signatures have to fit: a `v1` one of the accepted secrets and a `v1a` one of the accepted
    keys. The header may list several of each, and schemes that are not known yet. The event has to
    be the merchant's: the verifier signs for every merchant with the same keys, so `v1a` proves who
    sent it and not to whom. The first three are the values of webhook-id, webhook-timestamp and
    webhook-signature; `body` is the bytes that came, neither parsed nor decoded; `merchant` is you,
    mer_…; `livemode` is whether events of real money are taken, or those of a test; `now` is in seconds since 1970.
    """
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", webhook_id or ""):
        raise Refused("webhook-id is missing or malformed")
    if not re.fullmatch(r"[0-9]{1,12}", timestamp or ""):
        raise Refused("webhook-timestamp is missing or malformed")
    if not signature or len(signature) > SIGNATURE_CHARACTERS:
        raise Refused("webhook-signature is missing or malformed")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise Refused("the timestamp is too far from the clock")
    message = f"{webhook_id}.{timestamp}.".encode() + body
    entries = [entry.partition(",") for entry in signature.split(" ")]

    def listed(wanted, length):
        found = [from_base64(text, length) for scheme, _, text in entries if scheme == wanted]
        return [given for given in found if given is not None]

    macs = [hmac.digest(secret, message, "sha256") for secret in secrets]
    if not any(hmac.compare_digest(mac, given) for given in listed("v1", 32) for mac in macs):
        raise Refused("no v1 signature fits an accepted secret")
    if not any(key_fits(key, message, given) for given in listed("v1a", 64) for key in keys):
        raise Refused("no v1a signature fits an accepted key")
    event = read_event(body)
    if event["merchant"] != merchant:
        raise Refused("the event is of another merchant")
    # An event that does not say that money moved is a test's.
    if (event.get("livemode") is True) != livemode:
        raise Refused("the event is of the other mode")
    return event


def read_event(body):
    try:
        event = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        event = None
    named = isinstance(event, dict) and all(isinstance(event.get(name), str) for name in ("type", "merchant"))
    if not named or not isinstance(event.get("data"), dict):
        raise Refused("the body is signed, but it is not an event")
    return event


# ---- A server around it. ---------------------------------------------------------------------

BODY_BYTES = 64 * 1024


SUBJECTS = (
    "payment", "subscription", "invoice", "agreement", "customer", "instrument", "payout", "settlement", "webhook_endpoint",
)


def counted(event):
    """The resource that an event is about, and its place among the events of that resource."""
    data = event["data"]
    for name in SUBJECTS:
        subject = data[name].get("id") if isinstance(data.get(name), dict) else None
        if isinstance(subject, str) and type(data.get("sequence")) is int:
            return subject, data["sequence"]
    return None, 0


class Inbox:
    """Hands each event to `work` once, and none that is older than what its payment, or payout, already told.

    It is in memory and never forgets. A shop keeps both in its database instead, in the transaction
    that does the work: a unique column for webhook-id, and the last sequence on the order's row.
    """

    def __init__(self, work):
        self._work = work
        self._done = set()
        self._sequences = {}
        self._turn = threading.Lock()

    def take(self, webhook_id, event):
        # One after the other, so that a duplicate waits for the first and does not overtake it.
        with self._turn:
            if webhook_id in self._done:
                return "duplicate"
            subject, sequence = counted(event)
            stale = subject is not None and sequence <= self._sequences.get(subject, 0)
            if not stale:
                # What raises is not remembered: the verifier sends it again.
                self._work(webhook_id, event)
                if subject is not None:
                    self._sequences[subject] = sequence
            self._done.add(webhook_id)
            return "stale" if stale else "processed"


class Receiver(BaseHTTPRequestHandler):
    """One connection. `accepted` is (merchant, livemode, secrets, keys), and `inbox` takes what was verified."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "receiver", ""
    timeout = 10
    accepted = ("", True, (), ())
    inbox = None

    def do_POST(self):
        if self.path.partition("?")[0] != "/webhooks/sealpay":
            return self.answer(404, "there is nothing here")
        try:
            webhook_id = self.header("webhook-id")
            timestamp, signature = self.header("webhook-timestamp"), self.header("webhook-signature")
            merchant, livemode, secrets, keys = self.accepted
            body = self.raw_body()
            now = int(time.time())
            event = verify(webhook_id, timestamp, signature, body, merchant, livemode, secrets, keys, now)
            # The verifier sends nothing else until it has this back: that proves that the endpoint is yours.
            if event["type"] == "webhook_endpoint.verification":
                return self.answer_json({"challenge": event["data"].get("challenge")})
            what = self.inbox.take(webhook_id, event)
        except Refused as refused:
            return self.answer(400, str(refused))
        except Exception as error:
            print(f"not processed: {error}", file=sys.stderr, flush=True)
            return self.answer(500, "the event could not be processed; send it again")
        if what != "processed":
            print(what, webhook_id, event["type"], flush=True)
        return self.answer(204, "")

    def do_GET(self):
        self.answer(405, "webhooks are posted")

    def header(self, name):
        """The one value of a header: where there are two, nobody knows which was signed."""
        values = self.headers.get_all(name) or []
        return values[0] if len(values) == 1 else None

    def raw_body(self):
        length = self.header("content-length") if "content-length" in self.headers else "0"
        if "transfer-encoding" in self.headers or not re.fullmatch(r"[0-9]{1,12}", length or ""):
            raise Refused("the body has no length")
        if int(length) > BODY_BYTES:
            raise Refused(f"the body is longer than {BODY_BYTES} bytes")
        try:
            body = self.rfile.read(int(length))
        except OSError:
            body = b""
        if len(body) != int(length):
            raise Refused("the body did not arrive")
        return body

    def answer(self, status, reason):
        text = f"{reason}\n".encode() if reason else b""
        self.send_response(status)
        if text:
            # What was not read to its end cannot be followed by another request.
            self.close_connection = True
            self.send_header("connection", "close")
            self.send_header("content-type", "text/plain; charset=utf-8")
            self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def answer_json(self, value):
        text = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """The lines of `work` are enough."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def fetched_keys(verifier):
    opener = urllib.request.build_opener(NoRedirect)
    with opener.open(verifier.rstrip("/") + "/v1/keys", timeout=10) as answer:
        return [key["public_key"] for key in json.load(answer)["webhook_keys"]]


def accepted_from(environment):
    merchant = environment.get("SEALPAY_MERCHANT", "")
    if not merchant.startswith("mer_"):
        raise ValueError("SEALPAY_MERCHANT has to be the merchant's id, mer_…")
    mode = environment.get("SEALPAY_MODE") or "live"
    if mode not in ("live", "test"):
        raise ValueError("SEALPAY_MODE has to be live or test")
    secrets = [read_secret(text) for text in environment.get("SEALPAY_WEBHOOK_SECRETS", "").split()]
    keys = environment.get("SEALPAY_WEBHOOK_KEYS", "").split()
    if environment.get("SEALPAY_VERIFIER"):
        keys += fetched_keys(environment["SEALPAY_VERIFIER"])
    if not secrets:
        raise ValueError("SEALPAY_WEBHOOK_SECRETS has no secret")
    if not keys:
        raise ValueError("there is no key: set SEALPAY_WEBHOOK_KEYS or SEALPAY_VERIFIER")
    return merchant, mode == "live", secrets, [read_key(text) for text in keys]


def work(webhook_id, event):
    """What a shop does with an event: here it says that it came. Raise, and it comes again."""
    subject, sequence = counted(event)
    print("processed", webhook_id, event["type"], subject or "-", sequence, flush=True)


def main():
    try:
        Receiver.accepted = accepted_from(os.environ)
        Receiver.inbox = Inbox(work)
        address = (os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8989")))
        server = ThreadingHTTPServer(address, Receiver)
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    host, port = server.server_address[:2]
    print(f"listening on http://{host}:{port}/webhooks/sealpay", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()

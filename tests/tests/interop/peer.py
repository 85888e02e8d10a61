"""What independent Python libraries say about our messages: a filter with JSON lines on stdin and JSON
lines on stdout. A line is {"ask": <name>, ...}; the answer is {"ok": value} or {"refused": why}."""

import base64
import hashlib
import hmac
import json
import sys
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from dateutil.relativedelta import relativedelta
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms
from schwifty import registry
from standardwebhooks.webhooks import Webhook


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Request:
    def __init__(self, method, url, headers):
        self.method, self.url, self.headers = method, url, headers


class OneKey(HTTPSignatureKeyResolver):
    def __init__(self, keyid, key):
        self.keyid, self.key = keyid, key

    def resolve_public_key(self, key_id):
        if key_id != self.keyid:
            raise ValueError(f"there is no key {key_id}")
        return Ed25519PublicKey.from_public_bytes(from_base64url(self.key["x"]))

    def resolve_private_key(self, key_id):
        raise NotImplementedError


def verify_request(question):
    verifier = HTTPMessageVerifier(
        signature_algorithm=algorithms.ED25519,
        key_resolver=OneKey(question["keyid"], question["key"]),
    )
    results = verifier.verify(Request(**question["request"]))
    return [str(name) for result in results for name in result.covered_components]


def verify_webhook(question):
    Webhook(question["secret"]).verify(question["body"], question["headers"])
    return True


def verify_v1a(question):
    """Standard Webhooks by its text: no published library reads v1a."""
    headers = question["headers"]
    signed = ".".join([headers["webhook-id"], headers["webhook-timestamp"], question["body"]])
    key = base64.b64decode(question["public_key"].removeprefix("whpk_"), validate=True)
    for entry in headers["webhook-signature"].split(" "):
        scheme, _, signature = entry.partition(",")
        if scheme == "v1a":
            signature = base64.b64decode(signature, validate=True)
            Ed25519PublicKey.from_public_bytes(key).verify(signature, signed.encode())
            return True
    raise ValueError("there is no v1a in the list")


def vectors(question):
    with open(question["file"], encoding="utf-8") as file:
        everything = json.load(file)
    checked = 0
    merchant = Ed25519PublicKey.from_public_bytes(from_base64url(everything["merchant_key"]["key"]["x"]))
    for vector in everything["orders"]:
        signed, _, signature = vector["order"].rpartition(".")
        merchant.verify(from_base64url(signature), signed.encode())
        assert hashlib.sha256(vector["order"].encode()).hexdigest() == vector["order_digest"]
        checked += 1
    ephemeral = Ed25519PublicKey.from_public_bytes(from_base64url(everything["ephemeral_key"]["key"]["x"]))
    for vector in everything["requests"]:
        digest = base64.b64encode(hashlib.sha256(vector["body"].encode()).digest()).decode()
        assert vector["content_digest"] == f"sha-256=:{digest}:", vector["name"]
        signature = base64.b64decode(vector["signature"].removeprefix("sig=:").removesuffix(":"))
        ephemeral.verify(signature, vector["signature_base"].encode())
        checked += 1
    for vector in everything["sealed_cards"]:
        checked += check_associated_data(vector, everything["sealing_key"]["kid"])
    keys = {key["seed"]: key["public_key"] for key in everything["webhook_keys"]}
    for vector in everything["webhooks"]:
        entries = vector["signature"].split(" ")
        headers = {"webhook-id": vector["id"], "webhook-timestamp": str(vector["timestamp"])}
        for seed, entry in zip(vector["seeds"], entries):
            headers["webhook-signature"] = entry
            verify_v1a({"headers": headers, "body": vector["body"], "public_key": keys[seed]})
        message = f"{vector['id']}.{vector['timestamp']}.{vector['body']}".encode()
        for secret in vector["secrets"]:
            key = base64.b64decode(secret.removeprefix("whsec_"))
            mac = base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
            assert f"v1,{mac}" in entries, vector["name"]
        checked += 1
    return checked


def check_associated_data(vector, kid):
    """PROTOCOL section 6, written once more from its text."""
    context = vector["context"]
    fields = [
        b"sealpay-aad-v1",
        context["verifier_origin"].encode(),
        context["merchant"].encode(),
        context["session"].encode(),
        str(context["amount"]).encode(),
        context["currency"].encode(),
        str(context["session_expires_at"]).encode(),
        kid.encode(),
        context["attempt"].encode(),
        context["thumbprint"].encode(),
        bytes.fromhex(context["order_digest"]),
    ]
    expected = b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    assert expected.hex() == vector["associated_data"], vector["name"]
    card = vector["card"]
    fields = [card["number"], card["expiry"], card["security_code"], card["holder"] or ""]
    fields = [field.encode() for field in fields]
    expected = b"\x01" + b"".join(bytes([len(field)]) + field for field in fields)
    assert expected.ljust(256, b"\0").hex() == vector["plaintext"], vector["name"]
    return 1


def first_instant(zone, local):
    """The first second at which the zone's clocks show this time or a later one, found by looking at
    clocks only."""

    def shows(instant):
        return instant.astimezone(zone).replace(tzinfo=None) >= local

    instant = local.replace(tzinfo=timezone.utc) - timedelta(hours=26)
    while not shows(instant + timedelta(minutes=1)):
        instant += timedelta(minutes=1)
    while not shows(instant):
        instant += timedelta(seconds=1)
    return instant


def day_exists(zone, day):
    noon = datetime.combine(day, time(12), timezone.utc)
    hours = (noon + timedelta(hours=hour) for hour in range(-26, 27))
    return any(hour.astimezone(zone).date() == day for hour in hours)


def period_start(zone, anchor, day, unit, units):
    if unit == "W":
        return anchor + relativedelta(weeks=units)
    if unit in "MY":
        months = relativedelta(months=units) if unit == "M" else relativedelta(years=units)
        return anchor.replace(day=1) + months + relativedelta(day=day)
    # Days are walked one by one, so that days that the zone left out do not count.
    step = timedelta(days=1 if units > 0 else -1)
    while not day_exists(zone, anchor):
        anchor += timedelta(days=1)
    for _ in range(abs(units)):
        anchor += step
        while not day_exists(zone, anchor):
            anchor += step
    return anchor


def period_starts(question):
    zone, anchor, day, local, length, first = question["row"].split(" ")
    zone, anchor, local = ZoneInfo(zone), date.fromisoformat(anchor), time.fromisoformat(local)
    unit, count = length[-1], int(length[1:-1])
    starts = []
    for index in range(int(first), int(first) + question["count"]):
        on = period_start(zone, anchor, int(day), unit, index * count)
        start = first_instant(zone, datetime.combine(on, local))
        starts.append(start.strftime("%Y-%m-%dT%H:%M:%S").removesuffix(":00"))
    return starts


def iban(question):
    spec = registry.get_iban_spec(question["country"])
    return {"length": spec.iban_length, "in_sepa": bool(spec.in_sepa_zone)}


ANSWERS = {
    "iban": iban,
    "period_starts": period_starts,
    "verify_request": verify_request,
    "verify_webhook": verify_webhook,
    "verify_v1a": verify_v1a,
    "vectors": vectors,
}

for line in sys.stdin:
    question = json.loads(line)
    try:
        answer = {"ok": ANSWERS[question.pop("ask")](question)}
    except Exception as error:  # whatever a library raises is its way to refuse
        answer = {"refused": repr(error)}
    print(json.dumps(answer), flush=True)

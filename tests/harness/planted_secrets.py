"""Secrets to plant in exchanges: one in each place, and what must become of it."""

from __future__ import annotations

import base64
import gzip
import json
import random
import string
import zlib
from dataclasses import dataclass, field
from urllib.parse import quote

import brotli
import zstandard

from harness.record import eventstream

BASE62 = string.ascii_letters + string.digits
URL = "https://api.test/v1/chat/completions"


def made(length: int, alphabet: str = BASE62, seed: int = 7) -> str:
    """Random text, so that this file holds nothing that looks like a secret."""
    return "".join(random.Random(seed).choices(alphabet, k=length))


KEY = "sk-" + "proj-" + made(40)
JWT = "eyJ" + made(20) + ".eyJ" + made(40, seed=2) + "." + made(43, seed=3)
HEX = made(32, "0123456789abcdef")
RANDOM = made(40, seed=11)
ACCOUNT = made(12, "23456789")
PERSON = "jane." + made(6, string.ascii_lowercase) + "@acme.io"


@dataclass(frozen=True)
class Planted:
    """One exchange with one secret in it, and what must become of it."""

    value: str
    outcome: str = "masked"
    url: str = URL
    headers: dict[str, str] = field(default_factory=dict)
    request: bytes = b'{"model":"m","stream":true}'
    answer: bytes = b"data: [DONE]\n\n"
    answer_headers: dict[str, str] = field(default_factory=dict)
    reason: str = "OK"


def sse(*texts: str) -> bytes:
    return b"".join(
        b"data: " + json.dumps({"choices": [{"delta": {"content": text}}]}, separators=(",", ":")).encode() + b"\n\n"
        for text in texts
    )


def deltas(text: str, size: int = 3) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def coded(name: str, value: str) -> Planted:
    clear = sse("your key is ", value, "!")
    body = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstandard.compress}[name](
        clear
    )
    return Planted(value, answer=body, answer_headers={"content-encoding": name})


def in_bedrock(value: str) -> bytes:
    body = json.dumps({"delta": {"text": f"key {value}"}}).encode()
    return eventstream.event("chunk", body) + eventstream.event("messageStop", b"{}")


def in_invoke(*values: str) -> bytes:
    return b"".join(
        eventstream.event("chunk", json.dumps({"bytes": base64.b64encode(sse(value)[6:-2]).decode()}).encode())
        for value in values
    )


AWS_STREAM = {"content-type": "application/vnd.amazon.eventstream"}
REFUSED = "refused"
PLANTED: dict[str, Planted] = {
    # headers
    "authorization": Planted(KEY, headers={"authorization": f"Bearer {KEY}"}, answer=sse(f"you are {KEY}")),
    "authorization-of-no-known-shape": Planted(HEX, headers={"authorization": f"Bearer {HEX}"}, answer=sse(f"{HEX}?")),
    "x-api-key": Planted(HEX, headers={"x-api-key": HEX}, answer=sse(HEX)),
    "api-key": Planted(HEX, headers={"api-key": HEX}, request=json.dumps({"prompt": HEX}).encode()),
    "x-goog-api-key": Planted(
        HEX, headers={"x-goog-api-key": HEX}, answer=b'{"error":{"message":"bad key %s"}}' % HEX.encode()
    ),
    "basic": Planted(
        HEX, headers={"authorization": "Basic " + base64.b64encode(f"me:{HEX}".encode()).decode()}, answer=sse(HEX)
    ),
    "cookie": Planted(HEX, headers={"cookie": f"session={HEX}; theme=dark"}, answer=sse(f"session {HEX}")),
    "unknown-request-header": Planted(HEX, headers={"x-tenant-token": HEX}),
    "user-agent": Planted(KEY, headers={"user-agent": f"app/1 ({KEY})"}),
    "organization-header": Planted("acme-corp-17", headers={"openai-organization": "acme-corp-17"}),
    "set-cookie": Planted(HEX, answer_headers={"set-cookie": f"__cf_bm={HEX}"}),
    "unknown-response-header": Planted(RANDOM, answer_headers={"x-amzn-trace": RANDOM}),
    "kept-response-header": Planted(KEY, answer_headers={"server": f"edge {KEY}"}),
    "random-in-a-kept-header": Planted(RANDOM, REFUSED, answer_headers={"server": RANDOM}),
    "reason": Planted(KEY, reason=f"OK {KEY}"),
    # address
    "query-key": Planted(HEX, url=f"{URL}?key={HEX}&alt=sse"),
    "query-signature": Planted(HEX, url=f"{URL}?v=1&X-Amz-Signature={HEX}"),
    "query-of-no-known-name": Planted(RANDOM, REFUSED, url=f"{URL}?ticket={RANDOM}"),
    "query-echoed": Planted(HEX, url=f"{URL}?api-key={HEX}", answer=sse(f"?api-key={HEX}")),
    "userinfo": Planted(HEX, url=f"https://me:{HEX}@api.test/v1/chat/completions"),
    "path": Planted(RANDOM, REFUSED, url=f"https://api.test/{RANDOM}/v1/chat/completions"),
    "project-in-path": Planted(
        "acme-prod-4711", url="https://g.test/v1/projects/acme-prod-4711/locations/eu/models/m:x"
    ),
    "account-in-arn": Planted(
        ACCOUNT, url=f"https://b.test/model/arn%3Aaws%3Abedrock%3Aeu%3A{ACCOUNT}%3Aprofile%2Fm/invoke"
    ),
    "azure-host": Planted(
        "acme-prod-eu", url="https://acme-prod-eu.openai.azure.com/openai/deployments/d/chat/completions"
    ),
    # bodies
    "prompt": Planted(KEY, request=json.dumps({"messages": [{"content": f"my key: {KEY}"}]}).encode()),
    "env-in-prompt": Planted(HEX, request=json.dumps({"prompt": f"MY_API_KEY={HEX}"}).encode()),
    "named-in-request": Planted(HEX, request=json.dumps({"connector": {"api_key": HEX}}).encode()),
    "password": Planted("c0rrect-horse", answer=b'{"password": "c0rrect-horse"}'),
    "private-key": Planted(
        made(64, seed=5),
        request=json.dumps(
            {"key": f"-----BEGIN PRIVATE KEY-----\n{made(64, seed=5)}\n-----END PRIVATE KEY-----\n"}
        ).encode(),
    ),
    "jwt": Planted(JWT, answer=sse(f"token {JWT} end")),
    "aws": Planted(
        "AK" + "IA" + made(16, string.ascii_uppercase + string.digits),
        answer=sse("AK" + "IA" + made(16, string.ascii_uppercase + string.digits)),
    ),
    "github": Planted("gh" + "p_" + made(36), answer=sse("gh" + "p_" + made(36))),
    "google": Planted("AI" + "za" + made(35), answer=sse("AI" + "za" + made(35))),
    "user": Planted("customer-4711", request=b'{"model":"m","user":"customer-4711"}'),
    "organization": Planted("acme-corp-17", answer=b'{"error":{"organization": "acme-corp-17"}}'),
    "organization-by-shape": Planted(
        "org-" + made(24), answer=b'{"error":{"message":"in org-%s."}}' % made(24).encode()
    ),
    "account-number": Planted(ACCOUNT, answer=b'{"account_id": %s, "n": 1}' % ACCOUNT.encode()),
    "email": Planted(PERSON, answer=sse(f"write to {PERSON}")),
    "tool-arguments": Planted(HEX, answer=sse(json.dumps({"api_key": HEX}))),
    "echo-percent-encoded": Planted(
        "a/b+c=" + HEX, headers={"x-api-key": "a/b+c=" + HEX}, answer=quote("a/b+c=" + HEX).encode()
    ),
    "echo-in-base64": Planted(HEX, headers={"x-api-key": HEX}, answer=base64.b64encode(HEX.encode())),
    "echo-within-base64": Planted(
        HEX, REFUSED, headers={"x-api-key": HEX}, answer=b'{"data":"%s"}' % base64.b64encode(b"xy: " + HEX.encode())
    ),
    "random": Planted(RANDOM, REFUSED, answer=sse(f"the answer is {RANDOM}")),
    # behind codings
    "gzip": coded("gzip", KEY),
    "deflate": coded("deflate", KEY),
    "br": coded("br", KEY),
    "zstd": coded("zstd", KEY),
    "random-in-gzip": Planted(
        RANDOM, REFUSED, answer=gzip.compress(sse(RANDOM)), answer_headers={"content-encoding": "gzip"}
    ),
    "gzip-nobody-named": Planted(KEY, REFUSED, answer=gzip.compress(sse(KEY))),
    "gzip-in-request": Planted(
        KEY, headers={"content-encoding": "gzip"}, request=gzip.compress(json.dumps({"prompt": KEY}).encode())
    ),
    "base64": Planted(KEY, REFUSED, answer=b'{"data":"%s"}' % base64.b64encode(b"key: " + KEY.encode())),
    "gzip-in-base64": Planted(KEY, REFUSED, answer=b'{"data":"%s"}' % base64.b64encode(gzip.compress(KEY.encode()))),
    "json-escapes": Planted(
        KEY, REFUSED, answer=b'{"content":"' + "".join(f"\\u{ord(char):04x}" for char in KEY).encode() + b'"}'
    ),
    "percent-escapes": Planted(KEY, REFUSED, answer="".join(f"%{ord(char):02X}" for char in KEY).encode()),
    # over several events
    "spelled": Planted(KEY, answer=sse("key ", *deltas(KEY), ".")),
    "spelled-arguments": Planted(HEX, answer=sse(*deltas(json.dumps({"client_secret": HEX})))),
    "spelled-credential": Planted(HEX, headers={"x-api-key": HEX}, answer=sse(*deltas(HEX))),
    "bedrock": Planted(KEY, answer=in_bedrock(KEY), answer_headers=AWS_STREAM),
    "bedrock-base64": Planted(KEY, answer=in_invoke(f"key {KEY}"), answer_headers=AWS_STREAM),
    "bedrock-spelled": Planted(KEY, answer=in_invoke("key ", *deltas(KEY)), answer_headers=AWS_STREAM),
}


def messages(*texts: str) -> bytes:
    """The arguments of a tool as Anthropic streams them."""
    deltas = ({"type": "input_json_delta", "partial_json": text} for text in texts)
    events = ({"type": "content_block_delta", "index": 1, "delta": delta} for delta in deltas)
    return b"".join(b"event: content_block_delta\ndata: " + json.dumps(event).encode() + b"\n\n" for event in events)


def side_by_side(*texts: str) -> bytes:
    """Two choices in turn, of which one spells the texts."""
    choices = [choice for text in texts for choice in ((0, text), (1, "so "))]
    chunks = ({"choices": [{"index": index, "delta": {"content": text}}]} for index, text in choices)
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


@dataclass(frozen=True)
class Shape:
    """A secret that a model can spell: what stands before it, what must go, and whether the request carries it too."""

    before: str
    secret: str
    carried: bool = False


SHAPES = {
    "openai": Shape("sk-" + "proj-", made(40)),
    "anthropic": Shape("sk-" + "ant-api03-", made(60, seed=4)),
    "jwt": Shape("eyJ" + made(20) + ".eyJ", made(30, seed=2) + "." + made(43, seed=3)),
    "google": Shape("AI" + "za", made(35)),
    "github": Shape("gh" + "p_", made(36, seed=6)),
    "environment": Shape("MY_API_KEY=", HEX),
    "bearer": Shape("Bearer ", made(30, seed=8)),
    "carried": Shape("", HEX, carried=True),
}
TELLINGS = {"chat": sse, "messages": messages, "side-by-side": side_by_side, "bedrock": in_invoke}

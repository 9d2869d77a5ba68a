"""Amazon Web Services: requests signed by Signature Version 4, by botocore; or a key of Bedrock's own."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from harness.exits import USAGE
from harness.record.live.keys import MASK, Carried, Open, Place, key_in, missing
from harness.record.redaction import redact_text
from harness.record.wire import RecordError

BEARER = "AWS_BEARER_TOKEN_BEDROCK"
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
SERVICE = "bedrock"
"""What signatures for ``bedrock-runtime`` hosts are scoped to (botocore, signing name of the service)."""
_FILES = ("shared-credentials-file", "config-file")
"""The parts of botocore's chain that read keys from files."""
_WAYS = ("role_arn", "sso_session", "sso_start_url", "credential_process", "web_identity_token_file", "login_session")
"""What a profile can have in place of keys (AWS SDKs and Tools Reference Guide, settings reference)."""


@dataclass(frozen=True, slots=True)
class AwsKeys:
    """``AWS_BEARER_TOKEN_BEDROCK``, else botocore's chain: environment, profile files, SSO, roles."""

    def places(self) -> tuple[Place, ...]:
        bearer = Place(f"environment variable {BEARER}", bool(os.environ.get(BEARER)))
        try:
            session = _session()
        except RecordError:
            return (bearer, Place("AWS credentials (botocore is not installed: streamparity[aws])", False))
        profile = session.get_config_variable("profile") or "default"
        return (
            bearer,
            Place("environment variables AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY", _has(session, "env")),
            Place(f"AWS profile {profile!r} in the credentials or config file", _has_profile(session)),
        )

    def headers(self) -> Mapping[str, str]:
        if os.environ.get(BEARER):
            return {"authorization": f"Bearer {MASK}"}
        return {"authorization": f"AWS4-HMAC-SHA256 {MASK}", "x-amz-date": MASK}

    def open(self, _: httpx.BaseTransport, /) -> Open:
        if token := key_in(BEARER):
            return Open(Carried({"authorization": f"Bearer {token}"}), (token,))
        session = _session()
        from botocore.exceptions import BotoCoreError

        try:
            found = session.get_credentials()
            keys = found.get_frozen_credentials() if found else None
        except BotoCoreError as error:
            said = redact_text(" ".join(str(error).split())[:300])
            raise RecordError(f"no AWS credentials: {said}", exit_code=USAGE) from None
        if keys is None:
            where = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or " + BEARER
            raise RecordError(f"no AWS credentials: {where}", exit_code=USAGE)
        secrets = tuple(part for part in (keys.access_key, keys.secret_key, keys.token) if part)
        return Open(_Signed(found), secrets)


def region() -> str:
    """The region to ask, from the environment or the profile; us-east-1 if none says, as most models are there."""
    named = next((os.environ[name] for name in REGIONS if os.environ.get(name)), "")
    if named:
        return named
    try:
        return str(_session().get_config_variable("region") or "us-east-1")
    except RecordError:
        return "us-east-1"


class _Signed(httpx.Auth):
    """Signs what is sent: method, address, host, media type, the digest of the body, and the time."""

    requires_request_body = True

    def __init__(self, credentials: Any) -> None:
        self._credentials = credentials

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.exceptions import BotoCoreError

        # Only what no later step changes: the recording transport asks for another content coding.
        headers = {"host": request.headers["host"], "content-type": request.headers["content-type"]}
        signed = AWSRequest(request.method, str(request.url), headers=headers, data=request.content)
        try:
            keys = self._credentials.get_frozen_credentials()  # anew each time: those of a role run out
        except BotoCoreError as error:
            raise RecordError(f"AWS gave no new credentials ({type(error).__name__})") from None
        SigV4Auth(keys, SERVICE, _region_in(request)).add_auth(signed)
        for name, value in signed.headers.items():
            request.headers[name] = value
        yield request


def _region_in(request: httpx.Request) -> str:
    """The region that a host names (``bedrock-runtime.eu-west-1.amazonaws.com``), else the one that is set."""
    labels = (urlsplit(str(request.url)).hostname or "").split(".")
    return labels[1] if labels[0].startswith("bedrock-runtime") and len(labels) > 2 else region()


def _session() -> Any:
    try:
        import botocore.session
    except ImportError as error:
        raise missing("aws", "botocore", "bedrock") from error
    return botocore.session.Session()


def _has(session: Any, method: str) -> bool:
    from botocore.exceptions import BotoCoreError

    try:
        return session.get_component("credential_provider").get_provider(method).load() is not None
    except BotoCoreError:
        return False


def _has_profile(session: Any) -> bool:
    """Whether the profile is there: with keys, or with a way to them (a role, SSO, a process)."""
    from botocore.exceptions import BotoCoreError

    try:
        profile = session.get_scoped_config()
        return any(_has(session, method) for method in _FILES) or any(way in profile for way in _WAYS)
    except BotoCoreError:
        return False

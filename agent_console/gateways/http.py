"""Outgoing HTTP: to hosts that are allowed, at addresses that were checked, within limits.

Built on httpcore, not on a client above it: what such a client adds (redirects, cookies, proxies
from the environment) is what must not happen here.
"""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from time import monotonic, time

import httpcore

from agent_console.domain import trace
from agent_console.domain.destinations import (
    Address,
    AllowedHost,
    Destination,
    Network,
    allowed_host,
    check_address,
    check_allowed,
    destination,
    name_server,
)
from agent_console.domain.errors import ConsoleError, Misconfigured
from agent_console.domain.jobs import Json
from agent_console.domain.payload import canonical, loads
from agent_console.domain.records import BreakerState
from agent_console.gateways import signing
from agent_console.gateways.breakers import Breakers
from agent_console.gateways.http_wire import (
    CheckedBackend,
    NameServer,
    NotResolved,
    Resolver,
    system_resolver,
)
from agent_console.gateways.keystore import EnvironmentKeystore, Keystore, open_keystore
from agent_console.settings import Settings


class HttpFailed(ConsoleError):
    """The other side could not be reached, or did not answer as it should."""

    code = "http_failed"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """An answer. Names of ``headers`` are in lower case; redirects are not followed."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text; what is no UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Json:
        """Return the body as JSON.

        Raises:
            HttpFailed: it is none.
        """
        try:
            return loads(self.body.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise HttpFailed("The answer is not JSON.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRules:
    """What outgoing requests may do. ``timeout`` is seconds for a whole call, in bytes the rest.

    ``signing_keys`` names the secrets that requests may be signed with; the first is the default.
    """

    allow: tuple[AllowedHost, ...] = ()
    private: tuple[Network, ...] = ()
    timeout: float = 30.0
    max_response: int = 1_048_576
    signing_keys: tuple[str, ...] = ()


@dataclass(slots=True)
class HttpGateway:
    """The one way out. Without rules nothing is allowed. Used from any number of threads."""

    rules: HttpRules = field(default_factory=HttpRules)
    keystore: Keystore = field(default_factory=EnvironmentKeystore)
    resolve: Resolver = system_resolver
    breakers: Breakers = field(default_factory=Breakers)

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        signing_key: str | None = None,
        message_id: str = "",
    ) -> HttpResponse:
        """Return the answer to a GET, signed like a ``post``; see ``request``."""
        signed = self._signature(signing_key, message_id, b"")
        return self.request("GET", url, headers={**(headers or {})} | signed, timeout=timeout)

    def post(
        self,
        url: str,
        json: Json,
        *,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        signing_key: str | None = None,
        message_id: str = "",
    ) -> HttpResponse:
        """Return the answer to a POST of ``json``; see ``request``.

        With a ``message_id``, which stays the same in repetitions, it is signed: with the secret
        ``signing_key``, one of the rules' names, by default the first; without any it is not.
        """
        body = canonical(json).encode()
        named = {"content-type": "application/json", **(headers or {})}
        signed = self._signature(signing_key, message_id, body)
        return self.request("POST", url, headers=named | signed, body=body, timeout=timeout)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
        timeout: float | None = None,
    ) -> HttpResponse:
        """Call ``url`` and return the answer, whatever its status; ``timeout`` is seconds.

        Raises:
            Invalid: ``url`` is none.
            Refused: the settings do not allow it.
            CircuitOpen: the host is left alone for a while.
            HttpFailed: no answer, or one that is too slow or too large.
        """
        to = destination(url)
        entry = check_allowed(to, self.rules.allow)
        limit = min(timeout or self.rules.timeout, self.rules.timeout)
        with self.breakers.guard(entry.label, to.authority) as attempt:
            response = self._call(method, to, headers or {}, body, limit)
            attempt.failed = response.status >= 500
        return response

    def states(self) -> dict[str, BreakerState]:
        """Return the state of the circuit breaker of each allowlist entry called so far."""
        return self.breakers.states()

    def _signature(self, name: str | None, message_id: str, body: bytes) -> dict[str, str]:
        allowed = self.rules.signing_keys
        if not message_id or (name is None and not allowed):
            return {}
        name = name or allowed[0]
        if name not in allowed:
            raise Misconfigured(
                f"{name!r} is not a key for signing (AGENT_CONSOLE_HTTP_SIGNING_KEYS)."
            )
        secrets = self.keystore.versions(name)
        if not secrets:
            raise Misconfigured(f"The keystore has no secret {name!r} to sign the request with.")
        return signing.headers(secrets, message_id, int(time()), body)

    def _call(
        self, method: str, to: Destination, headers: Mapping[str, str], body: bytes, limit: float
    ) -> HttpResponse:
        deadline = monotonic() + limit
        backend = CheckedBackend(self.resolve, self._check, deadline)
        try:
            with (
                # A connection per call: the next one looks up and checks the address anew.
                httpcore.ConnectionPool(
                    ssl_context=_tls(), max_connections=1, network_backend=backend
                ) as pool,
                pool.stream(
                    method,
                    httpcore.URL(
                        scheme=to.scheme.encode(),
                        host=to.host.encode(),
                        port=to.port,
                        target=to.target.encode(),
                    ),
                    headers=_headers(to, headers, body),
                    content=body,
                    extensions={"timeout": dict.fromkeys(("connect", "read", "write"), limit)},
                ) as answer,
            ):
                return self._read(to, answer)
        except (httpcore.TimeoutException, NotResolved) as error:
            late = monotonic() >= deadline
            said = f"did not answer within {limit:g} s" if late else f"cannot be reached: {error}"
            raise HttpFailed(f"{to.origin} {said}.") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError) as error:
            raise HttpFailed(f"{to.origin} cannot be reached: {error}.") from error

    def _check(self, host: str, address: Address) -> None:
        check_address(host, address, self.rules.private)

    def _read(self, to: Destination, answer: httpcore.Response) -> HttpResponse:
        found = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in answer.headers
        }
        if found.get("content-encoding", "identity") != "identity":
            raise HttpFailed(f"{to.origin} answered in an encoding that was not asked for.")
        body = bytearray()
        for chunk in answer.iter_stream():
            body += chunk
            if len(body) > self.rules.max_response:
                raise HttpFailed(
                    f"{to.origin} answered with more than {self.rules.max_response:,} bytes."
                )
        return HttpResponse(answer.status, found, bytes(body))


def _headers(to: Destination, headers: Mapping[str, str], body: bytes) -> list[tuple[str, str]]:
    """Return the headers of a request: ours, which nobody may replace, and the given ones."""
    ours = {
        "host": to.authority,
        "accept-encoding": "identity",
        "connection": "close",
        "content-length": str(len(body)),
    }
    usual = {"accept": "application/json", "user-agent": "agent-console"}
    if (place := trace.current()) is not None:
        usual[trace.HEADER] = str(place)
    given = {name.lower(): value for name, value in headers.items()}
    return [*(usual | given | ours).items()]


@cache
def _tls() -> ssl.SSLContext:
    """Return the checks of certificates: the system's authorities, or SSL_CERT_FILE's."""
    return ssl.create_default_context()


def http_gateway(settings: Settings, keystore: Keystore | None = None) -> HttpGateway:
    """Return the gateway that ``settings`` describe; ``keystore`` replaces theirs."""
    rules = HttpRules(
        allow=tuple(allowed_host(entry) for entry in settings.http_allow),
        private=tuple(ipaddress.ip_network(text) for text in settings.http_allow_private),
        timeout=settings.http_timeout,
        max_response=settings.http_max_response,
        signing_keys=settings.http_signing_keys,
    )
    return HttpGateway(
        rules=rules,
        keystore=keystore or open_keystore(settings),
        resolve=_resolver(settings.http_nameserver),
        breakers=Breakers(settings.http_breaker_failures, settings.http_breaker_seconds),
    )


def _resolver(text: str) -> Resolver:
    if not text:
        return system_resolver
    server = name_server(text)
    return NameServer(server.address, server.port)

"""Connections that go to an address which was checked, and that end by a deadline."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Protocol

import dns.exception
import dns.resolver
import httpcore
from httpcore import SOCKET_OPTION, NetworkBackend, NetworkStream

from agent_console.domain.destinations import Address

Check = Callable[[str, Address], None]


class NotResolved(OSError):
    """A host has no address, or its name server does not answer."""


class Resolver(Protocol):
    """Finds the addresses of a host."""

    def __call__(self, host: str, timeout: float) -> Sequence[Address]:
        """Return the addresses of ``host`` within ``timeout`` seconds.

        Raises:
            NotResolved: there is none, or nobody said so in time.
        """
        ...


def system_resolver(host: str, timeout: float) -> Sequence[Address]:
    """Ask the system, as every program on this machine does; see ``Resolver``."""
    answers: SimpleQueue[Sequence[Address] | OSError] = SimpleQueue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            answers.put(NotResolved(f"{host} has no address: {error}"))
        else:
            answers.put(_unique(str(entry[4][0]).partition("%")[0] for entry in found))

    # The system's call knows no time limit: a thread that is left behind ends by itself.
    threading.Thread(target=ask, name="resolve", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.0, timeout))
    except Empty:
        raise NotResolved(f"no name server answered for {host} in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


class NameServer:
    """A resolver that asks one name server and believes nobody else."""

    def __init__(self, address: str, port: int = 53) -> None:
        """Ask the server at the IP ``address``."""
        self._resolver = dns.resolver.Resolver(configure=False)
        self._resolver.nameservers = [address]
        self._resolver.port = port

    def __call__(self, host: str, timeout: float) -> Sequence[Address]:
        """See ``Resolver``; answers are not kept, whatever their time to live."""
        found: list[str] = []
        deadline = monotonic() + timeout
        for kind in ("A", "AAAA"):
            left = max(0.01, deadline - monotonic())
            try:
                answer = self._resolver.resolve(host, kind, lifetime=left, search=False)
            except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
                continue
            except dns.exception.DNSException as error:
                raise NotResolved(f"{host} cannot be resolved: {error}") from error
            found += [record.to_text() for record in answer]
        if not found:
            raise NotResolved(f"{host} has no address")
        return _unique(found)


def _unique(texts: Iterable[str]) -> list[Address]:
    return [ipaddress.ip_address(text) for text in dict.fromkeys(texts)]


class CheckedBackend(NetworkBackend):
    """Resolves a host, checks every address, and connects to one of exactly those.

    The name is looked up once: what is connected to is what was checked. TLS and the header
    ``Host`` still speak of the name.
    """

    def __init__(self, resolve: Resolver, check: Check, deadline: float) -> None:
        """End every read and write by ``deadline``, on the monotonic clock."""
        self._resolve, self._check, self._deadline = resolve, check, deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> NetworkStream:
        """Connect to the first address of ``host`` that answers.

        Raises:
            Refused: one of the addresses may not be called.
            NotResolved: there is none.
        """
        addresses = self._addresses(host)
        for address in addresses:
            self._check(host, address)
        failed: Exception = NotResolved(f"{host} has no address")
        for address in addresses:
            try:
                stream = self._plain.connect_tcp(
                    str(address),
                    port,
                    timeout=_left(self._deadline, timeout),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except httpcore.NetworkError as error:
                failed = error
            else:
                return _Timed(stream, self._deadline)
        raise failed

    def _addresses(self, host: str) -> Sequence[Address]:
        try:
            return [ipaddress.ip_address(host)]
        except ValueError:
            return self._resolve(host, _left(self._deadline, None))


class _Timed(NetworkStream):
    """A stream whose every operation ends by one deadline, however slowly bytes drip in."""

    def __init__(self, stream: NetworkStream, deadline: float) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> NetworkStream:
        inner = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout))
        return _Timed(inner, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(deadline: float, timeout: float | None) -> float:
    """Return the seconds an operation may take.

    Raises:
        httpcore.ReadTimeout: there are none left.
    """
    left = deadline - monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time for this call is over")
    return left if timeout is None else min(left, timeout)

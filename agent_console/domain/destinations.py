"""Where outgoing requests may go: hosts by allowlist, addresses by what they are."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from agent_console.domain.errors import Invalid

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_URL = 2_000  # characters
PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*")
_ENTRY = re.compile(
    r"(?:(?P<scheme>https?)://)?(?P<host>\[[0-9a-f:.]+\]|[^:/\[\]]+)(?::(?P<port>\d{1,5}))?/?"
)
_STRANGE = re.compile(r"[\x00-\x20\x7f-\uffff\\]|[^\x00-\uffff]")
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Refused(Invalid):
    """The settings do not allow a request to this address."""

    code = "http_refused"


@dataclass(frozen=True, slots=True)
class Destination:
    """The parts of a URL that was understood; ``target`` is path and query."""

    scheme: str
    host: str  # lower case; an IPv6 address without brackets
    port: int
    target: str

    @property
    def authority(self) -> str:
        """Host and port as the header ``Host`` has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.authority}"


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """An entry of the allowlist: ``host``, ``*.host``, with a port, with ``http://`` in front."""

    label: str
    scheme: str
    host: str  # after "*." where ``wild``
    port: int
    wild: bool

    def admits(self, to: Destination) -> bool:
        """Say whether ``to`` is what the entry means."""
        if (to.scheme, to.port) != (self.scheme, self.port):
            return False
        return to.host.endswith(f".{self.host}") if self.wild else to.host == self.host


def allowed_host(entry: str) -> AllowedHost:
    """Return the allowlist entry written as ``entry``; without a scheme it means https.

    Raises:
        ValueError: it is not ``[scheme://][*.]host[:port]``.
    """
    found = _ENTRY.fullmatch(entry.strip().lower())
    if found is None:
        raise ValueError(f"{entry!r} is not [https://|http://][*.]host[:port]")
    scheme = found["scheme"] or "https"
    wild = found["host"].startswith("*.")
    host = found["host"].removeprefix("*.").strip("[]")
    port = int(found["port"] or PORTS[scheme])
    if not (_is_host(host) and 1 <= port <= 65_535):
        raise ValueError(f"{entry!r} is not [https://|http://][*.]host[:port]")
    return AllowedHost(entry.strip().lower().rstrip("/"), scheme, host, port, wild)


@dataclass(frozen=True, slots=True)
class NameServerAddress:
    """An IP address and a port, written ``address`` or ``address:port`` or ``[address]:port``."""

    address: str
    port: int

    def __str__(self) -> str:
        address = f"[{self.address}]" if ":" in self.address else self.address
        return f"{address}:{self.port}"


def name_server(text: str) -> NameServerAddress:
    """Return the name server written as ``text``; the port is 53 by default.

    Raises:
        ValueError: it is no IP address, or its port is none.
    """
    has_port = "]:" in text or text.count(":") == 1
    address, _, port = text.rpartition(":") if has_port else (text, "", "53")
    number = int(port)
    if not 1 <= number <= 65_535:
        raise ValueError(f"{port} is not a port")
    return NameServerAddress(str(ipaddress.ip_address(address.strip("[]"))), number)


def destination(url: str) -> Destination:
    """Return the parts of an absolute http or https URL.

    Raises:
        Invalid: it is none, or holds what parsers disagree about.
    """
    if len(url) > MAX_URL or _STRANGE.search(url):
        raise Invalid.field("url", "must be an absolute URL in plain ASCII, without spaces.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Invalid.field("url", "is not a URL.") from None
    host = (parts.hostname or "").lower()
    if parts.scheme not in PORTS or not _is_host(host):
        raise Invalid.field("url", "must begin with https:// or http:// and a host.")
    if "@" in parts.netloc or "#" in url:
        raise Invalid.field("url", "must have neither a user name nor a fragment.")
    if port == 0:
        raise Invalid.field("url", "port 0 cannot be called.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(parts.scheme, host, port or PORTS[parts.scheme], target)


def check_allowed(to: Destination, allowlist: Sequence[AllowedHost]) -> AllowedHost:
    """Return the entry that allows ``to``.

    Raises:
        Refused: none does; the message says which setting would.
    """
    for entry in allowlist:
        if entry.admits(to):
            return entry
    raise Refused(
        f"{to.origin} is not on the list of hosts that may be called (AGENT_CONSOLE_HTTP_ALLOW)."
    )


def check_address(host: str, address: Address, private: Iterable[Network]) -> None:
    """Let a public address pass, and one in the networks of ``private``.

    Raises:
        Refused: it is private, loopback, link-local, a cloud's metadata service, or the like.
    """
    inner = _embedded(address)
    for one in (address, inner):
        if any(one.version == network.version and one in network for network in private):
            return
    if any(one.is_multicast or not one.is_global for one in (address, inner)):
        raise Refused(
            f"{host} leads to {address}, which is not a public address"
            " (AGENT_CONSOLE_HTTP_ALLOW_PRIVATE names networks that may be called all the same)."
        )


def _embedded(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo or (address,) * 2)[1]


def _is_host(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return len(host) <= 253 and _HOST.fullmatch(host) is not None
    return "%" not in host

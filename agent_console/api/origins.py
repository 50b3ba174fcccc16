"""Which pages may speak for a signed-in browser, and the session cookie that signs it in."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from agent_console.api.problems import CrossOrigin
from agent_console.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def is_https(settings: Settings) -> bool:
    """Say whether people reach the console over TLS."""
    return settings.origin.startswith("https://")


def allowed_origins(settings: Settings) -> tuple[str, ...]:
    """Return the origins of the console's own pages; the first is the one people are told.

    Without ``PUBLIC_URL`` the loopback names count as one place: people type any of them.
    """
    origin = settings.origin
    if settings.public_url or urlsplit(origin).hostname not in {"localhost", "127.0.0.1", "::1"}:
        return (origin,)
    aliases = (f"http://{host}:{settings.port}" for host in LOOPBACK)
    return (origin, *(alias for alias in aliases if alias != origin))


def is_same_origin(headers: Headers, settings: Settings) -> bool:
    """Say whether the browser vouches that one of our own pages sent this.

    Browsers set ``Origin`` on every unsafe request and ``Sec-Fetch-Site`` on all; pages cannot
    forge either. A request with neither is not from a browser that can vouch for anything.
    """
    origin = headers.get("origin")
    if origin is not None:
        return origin in allowed_origins(settings)
    return headers.get("sec-fetch-site") == "same-origin"


def check_same_origin(request: Request, settings: Settings) -> None:
    """Let a cookie-authenticated unsafe request pass, or raise.

    Raises:
        CrossOrigin: another site may have sent it. JSON or ``X-Requested-With`` is asked for
            as well: a form of another site can send neither without a preflight.
    """
    if not is_same_origin(request.headers, settings):
        raise CrossOrigin(
            f"This was not sent from a page of {settings.origin}. Open the console there, or set "
            "PUBLIC_URL to the address you use; programs send an API token instead of a cookie.",
            allowedOrigin=settings.origin,
        )
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json" and "x-requested-with" not in request.headers:
        raise CrossOrigin("Send application/json, or the header X-Requested-With.")


def check_socket_origin(headers: Headers, settings: Settings) -> None:
    """Let the handshake of a socket that brings a cookie pass, or raise.

    Raises:
        CrossOrigin: it does not name one of our own pages. Browsers always name the page, and ask
            nobody before they connect; a handshake that names none is no browser's.
    """
    if headers.get("origin") not in allowed_origins(settings):
        raise CrossOrigin(
            f"Sockets with a cookie are for pages of {settings.origin}; programs send an API "
            "token instead.",
            allowedOrigin=settings.origin,
        )


def cookie_name(settings: Settings) -> str:
    """Return the session cookie's name; ``__Host-`` binds it to this host where TLS allows."""
    return "__Host-ac_session" if is_https(settings) else "ac_session"


def set_session_cookie(response: Response, secret: str, settings: Settings) -> None:
    """Sign the browser in."""
    response.set_cookie(
        cookie_name(settings),
        secret,
        max_age=int(settings.session_lifetime),
        path="/",
        secure=is_https(settings),
        httponly=True,
        samesite="strict",
    )


def clear_session_cookie(response: Response, settings: Settings) -> None:
    """Sign the browser out."""
    response.delete_cookie(
        cookie_name(settings),
        path="/",
        secure=is_https(settings),
        httponly=True,
        samesite="strict",
    )

"""Native HTML forms: how the sign-in page speaks, before there is a socket to speak over."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse

from agent_console.api.origins import is_same_origin
from agent_console.api.problems import CrossOrigin, UnsupportedMediaType
from agent_console.api.routing import read_body
from agent_console.domain.errors import Invalid
from agent_console.settings import Settings

_LIMIT = 16_384  # bytes of a form; the longest is a setup link with a password
_FIELDS = 20


def check_own_page(request: Request, settings: Settings) -> None:
    """Let a form of one of our own pages pass.

    Raises:
        CrossOrigin: another site, or nobody, vouches for it.
    """
    if not is_same_origin(request.headers, settings):
        raise CrossOrigin(
            f"This form was not sent from a page of {settings.origin}.",
            allowedOrigin=settings.origin,
        )


async def read_form(request: Request, settings: Settings) -> dict[str, str]:
    """Return the fields of a form that one of our own pages sent.

    Raises:
        CrossOrigin: another site, or nobody, vouches for it.
        UnsupportedMediaType: not ``application/x-www-form-urlencoded``.
        TooLarge: more than 16 KiB.
        Invalid: not UTF-8, a NUL, or more fields than any form of ours has.
    """
    check_own_page(request, settings)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/x-www-form-urlencoded":
        raise UnsupportedMediaType("Send the form as application/x-www-form-urlencoded.")
    body = await read_body(request, _LIMIT)
    try:
        text = body.decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=_FIELDS)
    except ValueError:  # UnicodeDecodeError is one
        raise Invalid("The form cannot be read.") from None
    if "%00" in text:
        raise Invalid("The form contains a NUL character.")
    return dict(pairs)


def local_path(target: str | None, default: str = "/") -> str:
    r"""Return ``target`` if it is a path on this site, else ``default``.

    ``//host`` and ``/\host`` are addresses of other sites to a browser.
    """
    if target is None or not target.startswith("/") or target[1:2] in {"/", "\\"}:
        return default
    if "\\" in target or not target.isprintable():
        return default
    return target


def see_other(path: str, **query: str | None) -> RedirectResponse:
    """Return a 303 to ``path``; empty parameters are left out."""
    given = {key: value for key, value in query.items() if value}
    return RedirectResponse(f"{path}?{urlencode(given)}" if given else path, status_code=303)

"""``/auth``: sign in, sign out, first admin; native forms with redirects for answers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from agent_console.api.client import client_ip
from agent_console.api.context import ApiContext, Context
from agent_console.api.forms import check_own_page, local_path, read_form, see_other
from agent_console.api.guard import public
from agent_console.api.origins import clear_session_cookie, cookie_name, set_session_cookie
from agent_console.api.problems import CrossOrigin
from agent_console.api.routing import resource_router
from agent_console.domain.access import Actor
from agent_console.domain.errors import ConsoleError, Invalid, Unauthenticated

router = resource_router("Sign-in")

Anyone = Annotated[Actor, public("signing in is how one stops being nobody")]
_REDIRECT: dict[int | str, dict[str, Any]] = {
    303: {"description": "Where to go now; on failure with `error` in its query."}
}


def _form(*fields: str, optional: tuple[str, ...] = ()) -> dict[str, object]:
    """Return the OpenAPI of a form body, which FastAPI does not parse for these routes."""
    properties = {name: {"type": "string"} for name in (*fields, *optional)}
    schema = {"type": "object", "properties": properties, "required": list(fields)}
    content = {"application/x-www-form-urlencoded": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/auth/login",
    response_class=Response,
    status_code=303,
    summary="Sign in",
    responses=_REDIRECT,
    openapi_extra=_form("email", "password", optional=("next",)),
)
async def login(actor: Anyone, context: Context, request: Request) -> Response:  # noqa: ARG001
    """Set the session cookie and go to `next`, or back to the sign-in page with `error`."""
    target: str | None = None
    try:
        form = await read_form(request, context.settings)
        target = local_path(form.get("next"))
        secret = await _sign_in(context, request, form.get("email", ""), form.get("password", ""))
    except ConsoleError as error:
        shown = target if target != "/" else None
        return see_other("/login", error=_code(error), next=shown)
    response = see_other(target)
    set_session_cookie(response, secret, context.settings)
    return response


@router.post(
    "/auth/setup",
    response_class=Response,
    status_code=303,
    summary="Make the first admin",
    responses=_REDIRECT,
    openapi_extra=_form("token", "email", "name", "password", optional=("password2",)),
)
async def setup(actor: Anyone, context: Context, request: Request) -> Response:  # noqa: ARG001
    """Use the setup link: make the account, sign it in, go to the desk."""
    token = ""
    try:
        form = await read_form(request, context.settings)
        token = form.get("token", "")
        email, password = form.get("email", ""), form.get("password", "")
        if form.get("password2", password) != password:
            return see_other("/setup", token=token, error="mismatch")
        await run_in_threadpool(
            context.services.access.claim_setup,
            token,
            email,
            form.get("name", ""),
            password,
            ip=client_ip(request),
        )
        secret = await _sign_in(context, request, email, password)
    except ConsoleError as error:
        code = "invalid_token" if isinstance(error, Unauthenticated) else _code(error)
        return see_other("/setup", token=token, error=code)
    response = see_other("/")
    set_session_cookie(response, secret, context.settings)
    return response


@router.post(
    "/auth/logout",
    response_class=Response,
    status_code=303,
    summary="Sign out",
    responses=_REDIRECT,
)
async def logout(actor: Anyone, context: Context, request: Request) -> Response:  # noqa: ARG001
    """Revoke the session and go to the sign-in page."""
    try:
        check_own_page(request, context.settings)
        secret = request.cookies.get(cookie_name(context.settings))
        if secret:
            await run_in_threadpool(context.services.access.logout, secret)
    except ConsoleError as error:
        return see_other("/login", error=_code(error))
    response = see_other("/login")
    clear_session_cookie(response, context.settings)
    return response


async def _sign_in(context: ApiContext, request: Request, email: str, password: str) -> str:
    """Open a session and return its secret; the one the browser had before ends."""
    access = context.services.access
    grant = await run_in_threadpool(
        access.login,
        email,
        password,
        ip=client_ip(request),
        user_agent=request.headers.get("user-agent", ""),
    )
    former = request.cookies.get(cookie_name(context.settings))
    if former:
        await run_in_threadpool(access.logout, former)
    return grant.secret


def _code(error: ConsoleError) -> str:
    """Return the short code by which the page chooses its words."""
    if isinstance(error, CrossOrigin):
        return "origin"
    if isinstance(error, Invalid) and any(e.field == "password" for e in error.fields):
        return "weak_password"
    return error.code

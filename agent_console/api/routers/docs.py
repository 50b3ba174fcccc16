"""``/api/openapi.json`` and ``/api/docs``: the description of this door, complete offline."""

from __future__ import annotations

from importlib import resources
from typing import Annotated, Any

from fastapi import Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from agent_console.api.guard import public
from agent_console.api.routing import resource_router
from agent_console.domain.access import Actor
from agent_console.domain.errors import NotFound

router = resource_router("Documentation")

Anyone = Annotated[Actor, public("describes the addresses, holds no data")]
OPENAPI_URL = "/api/openapi.json"
_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_PARAMETERS: dict[str, Any] = {"validatorUrl": None, "persistAuthorization": False}


@router.get(OPENAPI_URL, include_in_schema=False)
def openapi(actor: Anyone, request: Request) -> JSONResponse:  # noqa: ARG001 - the guard
    """Return the OpenAPI document."""
    return JSONResponse(request.app.openapi())


@router.get("/api/docs", include_in_schema=False)
def docs(actor: Anyone) -> HTMLResponse:  # noqa: ARG001 - the guard
    """Return the page that shows it, with nothing from other hosts."""
    return get_swagger_ui_html(
        openapi_url=OPENAPI_URL,
        title="agent_console REST",
        swagger_js_url="/api/docs/swagger-ui-bundle.js",
        swagger_css_url="/api/docs/swagger-ui.css",
        swagger_favicon_url="/api/docs/favicon.png",
        swagger_ui_parameters=_PARAMETERS,
    )


@router.get("/api/docs/{asset}", include_in_schema=False)
def asset(actor: Anyone, asset: str) -> Response:  # noqa: ARG001 - the guard
    """Return a part of the page from the installed package."""
    if asset not in _ASSETS:
        raise NotFound("There is nothing at this address.")
    content = resources.files("fastapi_offline").joinpath("static", asset).read_bytes()
    return Response(
        content, media_type=_ASSETS[asset], headers={"Cache-Control": "public, max-age=86400"}
    )

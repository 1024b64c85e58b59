"""The documentation page, with assets of our own: no other server is asked, and no script of another origin runs."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import re
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse, HTMLResponse, Response

from service.errors import NotFound

router = APIRouter(tags=["operations"], include_in_schema=False)

_ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon.png": "image/png",
}
_CACHED = {"cache-control": "public, max-age=86400"}
_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)


@router.get("/docs")
async def documentation(request: Request) -> HTMLResponse:
    """Swagger UI for the OpenAPI document."""
    root = request.app.state.context.settings.root_path
    page = get_swagger_ui_html(
        openapi_url=f"{root}/openapi.json",
        title="qlayer service",
        swagger_js_url=f"{root}/docs/swagger-ui-bundle.js",
        swagger_css_url=f"{root}/docs/swagger-ui.css",
        swagger_favicon_url=f"{root}/docs/favicon.png",
    )
    page.headers["content-security-policy"] = _policy(bytes(page.body).decode())
    return page


@router.get("/docs/{asset}")
async def asset(asset: str) -> Response:
    """A file that the page is made of."""
    if asset not in _ASSETS:
        raise NotFound(f"the documentation has no {asset[:100]!r}")
    return FileResponse(_folder() / asset, media_type=_ASSETS[asset], headers=_CACHED)


def _folder() -> Path:
    """Where the package lies that brings Swagger UI; it is not imported."""
    spec = importlib.util.find_spec("fastapi_offline")
    if spec is None or not spec.submodule_search_locations:
        raise NotFound("Swagger UI is not installed: pip install fastapi-offline; /openapi.json is there")
    return Path(spec.submodule_search_locations[0]) / "static"


def _policy(page: str) -> str:
    """What the page may do: its own files, its one inline script by hash, the styles Swagger writes into elements."""
    hashes = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
        for script in _INLINE_SCRIPT.findall(page)
    )
    return (
        f"default-src 'none'; script-src 'self' {hashes}; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )

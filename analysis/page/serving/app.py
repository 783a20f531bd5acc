"""The addresses of the page: files of ours, plotly's script, and what the studies say."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from bottle import Bottle, HTTPError, HTTPResponse, redirect, request, static_file

from analysis.page.contents.followed import FollowedStudies
from analysis.page.serving.guard import Application, read_only
from analysis.page.serving.optuna_pages import OptunaPages

_STATIC = Path(__file__).resolve().parent.parent / "static"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:;"
    " connect-src 'self'"
)


def page_application(studies: FollowedStudies, port: int) -> Application:
    """Return the page of a folder of studies, served on a port, as a WSGI application."""
    app, optuna = Bottle(), OptunaPages(port)
    app.get("/", callback=_page)
    app.get("/study/<name>", callback=lambda name: _page())
    app.get("/api/studies", callback=lambda: _answer(studies.overview, request.query.get("seen", "")))
    app.get("/api/studies/<name>", callback=lambda name: _answer(studies.study, name, request.query.get("seen", "")))
    app.get("/static/plotly.min.js", callback=_plotly)
    app.get("/static/<file>", callback=lambda file: static_file(file, root=str(_STATIC)))
    app.get("/favicon.ico", callback=lambda: HTTPResponse(status=204))
    app.get("/optuna/<name>", callback=lambda name: redirect(_address(studies, optuna, name)))
    return read_only(app)


def _page() -> Any:
    answer = static_file("page.html", root=str(_STATIC))
    answer.set_header("Content-Security-Policy", _POLICY)
    answer.set_header("Cache-Control", "no-cache")
    return answer


@cache
def _plotly_folder() -> str:
    return str(files("plotly") / "package_data")


def _plotly() -> Any:
    return static_file("plotly.min.js", root=_plotly_folder(), headers={"Cache-Control": "max-age=86400"})


def _answer(ask: Any, *question: str) -> HTTPResponse:
    try:
        said, status = ask(*question), 200
    except ValueError as error:
        said, status = {"error": str(error)}, 404
    except Exception as error:  # said on the page, where it is seen
        said, status = {"error": f"{type(error).__name__}: {error}"}, 500
    headers = {"Content-Type": "application/json", "Cache-Control": "no-store"}
    return HTTPResponse(json.dumps(said), status=status, headers=headers)


def _address(studies: FollowedStudies, optuna: OptunaPages, name: str) -> str:
    try:
        return optuna.address(studies.folder(name))
    except ValueError as error:
        raise HTTPError(404, str(error)) from None

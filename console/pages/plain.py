"""The frame of the two pages that work before anybody is logged in, and without a script: login and new password."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi.responses import HTMLResponse

PAGE: Final = """<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Tổng đài 1022</title><link rel="icon" href="/console/static/icon.svg">
<link rel="stylesheet" href="/console/static/console.css"></head>
<body class="p-page"><main class="p-card"><img src="/console/static/icon.svg" width="44" height="44" alt="">
<h1>{title}</h1><p>{lead}</p>{problem}
<form method="post" action="{action}">{fields}<button type="submit">{button}</button></form></main></body></html>"""


@dataclass(frozen=True, slots=True)
class Field:
    """One line of the form."""

    name: str
    label: str
    kind: str
    autocomplete: str
    value: str = ""


def plain_page(
    title: str, lead: str, action: str, fields: Sequence[Field], button: str, *, problem: str = "", status: int = 200
) -> HTMLResponse:
    """A small page with one form. `action` is the address it is posted to."""
    shown = f'<div class="p-bad" role="alert">{html.escape(problem)}</div>' if problem else ""
    page = PAGE.format(
        title=html.escape(title),
        lead=html.escape(lead),
        problem=shown,
        action=html.escape(action, quote=True),
        fields="".join(_field(one, first=at == 0) for at, one in enumerate(fields)),
        button=html.escape(button),
    )
    return HTMLResponse(page, status_code=status)


def _field(field: Field, *, first: bool) -> str:
    value = f' value="{html.escape(field.value, quote=True)}"' if field.value else ""
    focus = " autofocus" if first else ""
    return (
        f'<label for="{field.name}">{html.escape(field.label)}</label>'
        f'<input id="{field.name}" name="{field.name}" type="{field.kind}" autocomplete="{field.autocomplete}"'
        f' maxlength="200" autocapitalize="none" spellcheck="false" required{value}{focus}>'
    )

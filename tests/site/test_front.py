"""What the strict content policy, the sprite and the colours promise, checked on the files."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.test import RequestFactory
from django.utils import timezone

from fangyuan.desk import declare
from fangyuan.site import assets, components, navigation, offline

SITE = Path(offline.__file__).parent
STATIC = SITE / "static" / "fy"
ROOMS = sorted(SITE.parent.glob("*/templates/**/*.html"))
PAPERS = ("paper", "surface", "sunken", "side-bg", "hover")
READ = 4.5


def tokens(theme: str) -> dict[str, str]:
    text = (STATIC / "tokens.css").read_text()
    light, dark = text.split(':root[data-theme="dark"]')
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", light))
    return found | (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", dark)) if theme else {})


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["", "dark"])
def test_every_ink_is_readable_on_every_paper(theme: str) -> None:
    colours = tokens(theme)
    inks = ("ink", "ink-2", "ink-3", "navy", "jade", "amber", "red")
    pairs = [*product(inks, PAPERS)]
    pairs += [(tone, f"{tone}-soft") for tone in ("navy", "jade", "amber", "red", "plum")]
    pairs += [("on-navy", "navy"), ("on-red", "red"), ("on-float", "float")]
    pairs += [("ink-2", "amber-soft"), ("ink-2", "red-soft"), ("ink-2", "navy-soft")]
    poor = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in pairs}
    assert not {pair: f"{ratio:.2f}" for pair, ratio in poor.items() if ratio < READ}


@pytest.mark.parametrize("theme", ["", "dark"])
def test_the_edge_of_an_input_stands_out(theme: str) -> None:
    colours = tokens(theme)
    assert all(contrast(colours["edge"], colours[paper]) >= 3 for paper in ("surface", "paper"))


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.name)
def test_no_template_breaks_the_content_policy(path: Path) -> None:
    text = path.read_text()
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=[\"']|javascript:|hx-on", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("path", ROOMS, ids=lambda path: path.name)
def test_every_icon_named_in_a_template_is_in_the_sprite(path: Path) -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    assert set(re.findall(r'{% icon "([\w-]+)"', path.read_text())) <= sprite


def test_every_icon_of_the_sidebar_and_of_a_desk_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text()))
    assert {item.icon for group in navigation.GROUPS for item in group.items} <= sprite
    assert {desk.icon for desk in declare.desks()} <= sprite


def test_no_file_of_the_front_is_long() -> None:
    long = {p.name: len(p.read_text().splitlines()) for p in STATIC.glob("*.[cj]s*")}
    assert not {name: lines for name, lines in long.items() if lines > 400}
    assert all(lines <= 300 for name, lines in long.items() if name.endswith(".js"))


def test_modules_import_only_what_exists() -> None:
    for path in STATIC.glob("*.js"):
        for name in re.findall(r'from "\./([\w.]+)"|import "\./([\w.]+)"', path.read_text()):
            assert (STATIC / (name[0] or name[1])).exists()


def request() -> HttpRequest:
    return RequestFactory().get("/components")


def shown(template: str, **context: Any) -> str:
    return render_to_string(template, context, request=None)


def test_the_page_of_components_draws_every_part() -> None:
    now: datetime = timezone.now()
    html = shown("components.html", now=now, **components.sample(now))
    parts = {p.stem for p in (SITE / "templates" / "parts").glob("*.html")}
    sources = "".join(p.read_text() for p in (SITE / "templates" / "components").glob("*.html"))
    drawn = {part for part in parts if f"parts/{part}.html" in sources}
    assert parts - drawn <= {"palette", "more", "errors"}
    assert "None" not in html
    assert html.count("<main") == 1


@pytest.mark.parametrize("name", ["400", "403", "404", "500", "403_csrf", "offline", "login"])
def test_a_page_without_a_shell_needs_no_context(name: str) -> None:
    html = shown(f"{name}.html")
    assert "<h1>" in html
    assert "!" not in re.sub(r"<!doctype html>|<!--.*?-->", "", html)


def test_the_palette_says_so_when_nothing_is_found() -> None:
    assert "没找到「zz」" in shown("parts/palette.html", sections=[], q="zz")


def test_the_worker_lists_the_shell_and_is_never_cached() -> None:
    response = offline.service_worker(request())
    body = response.content.decode()
    assert response["Cache-Control"] == "no-cache"
    assert static("fy/app.js") in body
    assert assets.version() in body


@pytest.mark.django_db
def test_files_of_the_shell_are_kept_for_good_under_an_address_of_their_version(client) -> None:
    address = static("fy/app.js")
    assert address == f"/static/{assets.version()}/fy/app.js"
    for file in (address, static("django_htmx/htmx-2.min.js")):
        response = client.get(file)
        response.close()
        assert (response.status_code, "immutable" in response["Cache-Control"]) == (200, True)

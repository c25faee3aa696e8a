"""The house rules that a machine can keep: rooms, sizes, names, style, types."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "fangyuan"
BANNED = {"utils", "helpers", "common", "manager", "service", "handler", "process", "data", "info"}
FILE, FUNCTION, CLASS, TEMPLATE, SQL = 500, 50, 300, 100, 100


def sources() -> Iterator[Path]:
    for path in sorted(PACKAGE.rglob("*.py")):
        if "migrations" not in path.parts:
            yield path


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_files_functions_and_classes_stay_small():
    large = []
    for path in sources():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if lines(path) > FILE:
            large.append(f"{path.relative_to(ROOT)}: {lines(path)} lines")
        for node in ast.walk(tree):
            limit = {ast.FunctionDef: FUNCTION, ast.ClassDef: CLASS}.get(type(node))
            if limit and node.end_lineno - node.lineno + 1 > limit:
                large.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}")
    assert large == []


@pytest.mark.parametrize(("pattern", "limit"), [("*.html", TEMPLATE), ("*.sql", SQL)])
def test_templates_and_sql_stay_small(pattern, limit):
    large = [str(p.relative_to(ROOT)) for p in PACKAGE.rglob(pattern) if lines(p) > limit]
    assert large == []


def test_modules_say_what_they_are_for():
    silent = [
        str(path.relative_to(ROOT))
        for path in sources()
        if path.read_text(encoding="utf-8").strip()
        and "tests" not in path.parts
        and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


def test_no_module_has_a_drawer_name():
    drawers = [str(path.relative_to(ROOT)) for path in PACKAGE.rglob("*.py") if path.stem in BANNED]
    assert drawers == []


def said(tree: ast.Module) -> Iterator[ast.Constant]:
    """The strings of a module that a person may read: all but docstrings."""
    aside = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in aside:
            yield node


def test_chinese_sentences_have_chinese_punctuation():
    """A sentence shows ，；：？！ as Chinese print does; what somebody types stays as typed."""
    narrow = re.compile(r"(?<=[\u4e00-\u9fff”》）】」])[,;:?!]|[,;:?!](?=[\u4e00-\u9fff“《（])")
    typed = re.compile(r"类型:编号|客户:C001|[甲丙];|\[甲, 乙|事实: 条件|双\?周|\$\{?|\(\?:")
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value}"
        for path in sources()
        if "tests" not in path.parts
        for node in said(ast.parse(path.read_text(encoding="utf-8")))
        if narrow.search(node.value) and not typed.search(node.value)
    ]
    assert found == []


def test_nothing_unfinished_stands_in_the_code():
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError|pragma: no cover")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in [*sources(), *PACKAGE.rglob("*.html"), *PACKAGE.rglob("*.js")]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if marks.search(line)
    ]
    assert found == []


def test_rooms_import_only_rooms_below():
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_ruff_finds_nothing():
    assert run(
        "ruff", "check", "--no-cache", "fangyuan", "tests", "bench", "tools"
    ).stdout.endswith("All checks passed!\n")


def test_code_is_formatted():
    result = run("ruff", "format", "--no-cache", "--check", "fangyuan", "tests", "bench", "tools")
    assert result.returncode == 0, result.stdout


def test_types_hold():
    result = run("mypy", "fangyuan")
    assert result.returncode == 0, result.stdout[-4000:]


@pytest.mark.django_db
def test_every_model_change_has_its_migration():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)

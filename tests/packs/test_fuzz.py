"""Whatever is in a pack file, the answer is a pack or a list of mistakes, never a traceback."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from fangyuan.engine.packs import check
from tests.packs.small import SMALL

PIECES = [
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "\n",
    "\n  ",
    "'",
    '"',
    "&a ",
    "*a",
    "!!set ",
    "<<: ",
    "? ",
    "|",
    "null",
    "true",
    "1e999",
    ".nan",
    "0",
    "-1",
    "9" * 400,
    "2026-02-30",
    "\x00",
    "\ufeff",
    "\u2028",
    '"\\ud800"',
    "bind: rule",
    "kind: deadline",
    "where: {any: [{}]}",
    "any",
    "on",
    "{a: {b: [",
    "%YAML 1.1\n---\n",
    "---\n",
    "...\n",
    "\t",
    "#",
    "，",
    "𠮷",
]


def answers(content: bytes) -> None:
    checked = check.check_bytes("fuzz.yaml", content)
    assert (checked.pack is None) == bool(checked.problems)
    for problem in checked.problems:
        assert problem.line >= 1
        assert str(problem)


def mutated(rng: random.Random) -> str:
    text = SMALL
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(text))
        match rng.randrange(4):
            case 0:
                text = text[:at] + text[at + rng.randint(1, 40) :]
            case 1:
                text = text[:at] + rng.choice(PIECES) + text[at:]
            case 2:
                other = rng.randrange(len(text))
                text = text[:at] + text[other : other + rng.randint(1, 60)] + text[at:]
            case _:
                lines = text.splitlines(keepends=True)
                rng.shuffle(lines[: rng.randint(2, len(lines))])
                line = rng.randrange(len(lines))
                lines[line] = " " * rng.randint(0, 8) + lines[line].lstrip()
                text = "".join(lines)
        text = text or " "
    return text


def test_mutated_packs_are_answered():
    for seed in range(150):
        answers(mutated(random.Random(seed)).encode("utf-8", "surrogatepass"))


def test_values_of_any_type_are_answered():
    values = ["null", "true", "7", "1.5", "[]", "{}", "[[]]", "{a: 1}", "''", "[null]", "{any: 1}"]
    lines = SMALL.splitlines()
    for number, line in enumerate(lines):
        name, found, _ = line.partition(": ")
        if found and "{bind" not in line:
            for value in values:
                spoiled = [*lines[:number], f"{name}: {value}", *lines[number + 1 :]]
                answers("\n".join(spoiled).encode())


def test_conditions_of_any_shape_are_answered():
    values = [
        "null",
        "7",
        "[]",
        "{}",
        "{is: {}}",
        "{at_least: x}",
        "{empty: 1}",
        "{has: a}",
        "{same_as: [a]}",
        "{valid: 1}",
        "{not_is: [VISIT]}",
        "[[VISIT]]",
        "{any: [1]}",
    ]
    for value in values:
        for name in ("kind", "ended_at", "customer.name", "customer.", ".", "any", "subject"):
            text = SMALL.replace("where: {kind: VISIT}", f"where: {{{name!r}: {value}}}")
            answers(text.encode())


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_are_answered(content):
    answers(content)


def test_nesting_ends():
    for opening in ("[", "{a: "):
        answers((SMALL + "x: " + opening * 3000).encode())

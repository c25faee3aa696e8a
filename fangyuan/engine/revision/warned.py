"""Which episodes a draft's alert would have raised, beside those that were."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, Final

from fangyuan.core import timelines
from fangyuan.engine import compile as compiler
from fangyuan.engine import rulebook
from fangyuan.engine.kinds import Alert
from fangyuan.engine.revision import curves, drafts, tried

MOST_VARIANTS: Final = 2  # each is a replay of its own
PATIENCE: Final = 3.0  # seconds: where one replay takes longer, no further ones are made
# Another mark raises the same spell earlier or later: episodes that overlap are the same one.
_CASES: Final = """
INSERT INTO engine_case
WITH a AS MATERIALIZED (
  SELECT f.*, row_number() OVER () AS place FROM ({after}) f
   WHERE f.began_at >= {starts} AND f.began_at < {ends}
), b AS MATERIALIZED (
  SELECT e.* FROM engine_alert e
   WHERE e.rule_id = ANY ({standing}) AND e.removed_at IS NULL
     AND e.raised_at >= {starts} AND e.raised_at < {ends}
), met AS (
  SELECT DISTINCT ON (m.id) m.place, m.id
    FROM (SELECT DISTINCT ON (a.place) a.place, b.id, a.began_at
            FROM a JOIN b ON a.subject_id = b.subject_id
                 AND a.began_at < coalesce(b.cleared_at, 'infinity')
                 AND b.raised_at < coalesce(a.met_at, 'infinity')
           ORDER BY a.place, b.raised_at) m
   ORDER BY m.id, m.began_at
)
SELECT coalesce(a.subject_id, b.subject_id), coalesce(a.occurrence, engine_said(b.raised_at)),
       coalesce(a.began_at, b.raised_at), coalesce(a.met_at, b.cleared_at),
       CASE WHEN b.id IS NULL THEN NULL WHEN b.cleared_at IS NULL THEN 'OPEN' ELSE 'MET' END,
       b.person_id, NULL,
       CASE WHEN a.place IS NULL THEN NULL WHEN a.met_at IS NULL THEN 'OPEN' ELSE 'MET' END,
       a.person_id, NULL
  FROM a LEFT JOIN met USING (place) FULL JOIN b ON b.id = met.id
 WHERE {chosen}"""
_NONE: Final = """
SELECT NULL::bigint AS subject_id, NULL::text AS occurrence, NULL::timestamptz AS began_at,
       NULL::timestamptz AS met_at, NULL::bigint AS person_id WHERE false"""


def run(
    trial: drafts.Trial,
    asked: curves.Asked,
    book: rulebook.Book,
    dry: Callable[[], AbstractContextManager[Any]],
) -> tuple[tried.Found, list[dict[str, Any]]]:
    """The episodes of both sides, and how many there were with other marks."""
    began = time.monotonic()
    with dry() as cursor:
        cursor.execute(_statement(trial, asked, book))
        found = tried.look(cursor, trial)
    if time.monotonic() - began > PATIENCE:
        return found, []
    curve = []
    for variant in curves.variants(trial, most=MOST_VARIANTS):
        at, states = (variant.parameter, variant.value, variant.label), found.after
        if not variant.is_draft:
            rule = copy.copy(trial.rule)
            assert rule is not None  # noqa: S101 - only rules have variants
            rule.params = variant.params
            with dry() as cursor:
                cursor.execute(_statement(replace(trial, rule=rule), asked, book))
                states, _ = tried.count(cursor)
        curve.append(curves.point(trial, at, states, 0, is_draft=variant.is_draft))
    return found, curve


def _statement(trial: drafts.Trial, asked: curves.Asked, book: rulebook.Book) -> str:
    return _CASES.format(
        after=_after(trial, asked, book),
        starts=f"{timelines.literal(asked.starts_at)}::timestamptz",
        ends=f"{timelines.literal(asked.ends_at)}::timestamptz",
        standing=f"{timelines.literal(trial.standing)}::bigint[]",
        chosen=asked.chosen("coalesce(a.person_id, b.person_id)"),
    )


def _after(trial: drafts.Trial, asked: curves.Asked, book: rulebook.Book) -> str:
    """The episodes of the draft's rule; what is already so when the span begins counts at once
    where no rule warned of it before."""
    if trial.rule is None:
        return _NONE
    kind = rulebook.kind_of(trial.rule)
    assert isinstance(kind, Alert)  # noqa: S101 - the family of alerts
    starts_at = trial.rule.starts_at if trial.standing else asked.starts_at
    terms = replace(book.terms(trial.rule), starts_at=starts_at, ends_at=asked.ends_at)
    return compiler.facts_of(kind.model_copy(update={"who": kind.people[0]}), terms)

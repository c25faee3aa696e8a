"""A small pack for the tests, and ways to spoil it."""

from __future__ import annotations

from fangyuan.engine.packs import check

SMALL = """\
policy: small
title: 试行办法
version: "1"
from: 2026-01-01
publisher: sales_dept
chapters:
- title: 一、拜访
  clauses:
  - id: SM-1
    title: 记录 24h
    area: activities-visits
    actor: 销售代表
    text: 拜访后 24 小时内记录。
    kind: deadline
    params: {within: 24h}
    defaults: {remind: 2h}
    evidence: 时间差。
    acceptance: 给定拜访结束,当 24 小时内记录,则达标。
    bind:
    - {bind: rule, kind: deadline, record: activity, "on": ended_at, until: written_at, within: 24h,
      where: {kind: VISIT}}
  - id: SM-2
    title: 每周拜访
    area: activities-visits
    actor: 销售代表
    text: 每周拜访一次。
    kind: cadence
    evidence: 次数。
    acceptance: 给定一周,当没有拜访,则违规。
    bind:
    - {bind: rule, kind: cadence, record: customer, event: activity.ended_at, via: subject_customer,
      when: {kind: VISIT}, per: week, at_least: 1}
    - {bind: page, page: customer_list}
    - {bind: metric, metric: visit_count, windows: [month]}
  - id: SM-3
    title: 合同归档
    area: contracts
    actor: 销售代表
    text: 合同三日内归档。
    kind: deadline
    evidence: 时间差。
    acceptance: 给定双签,当三日内归档,则达标。
    bind:
    - {bind: rule, kind: deadline, record: delivery, "on": live_at, until: finished_at,
      within: 3wd}
"""


def spoiled(old: str, new: str) -> bytes:
    """The small pack with one thing changed."""
    assert old in SMALL
    return SMALL.replace(old, new, 1).encode()


def problems(old: str, new: str) -> list[check.Problem]:
    """What is found in the small pack with one thing changed."""
    return check.check_bytes("small.yaml", spoiled(old, new)).problems

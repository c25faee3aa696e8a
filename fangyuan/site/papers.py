"""Papers of supervision and approvals: the notice, the proof of delivery, the decision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from fangyuan.access import table
from fangyuan.core.paper import (
    Blanks,
    Block,
    Column,
    Heading,
    Items,
    Note,
    Pairs,
    Paper,
    Party,
    Seal,
    Table,
    Text,
)
from fangyuan.desk import duties, papers
from fangyuan.engine.models import Clause
from fangyuan.integration import evidence
from fangyuan.site import approval_detail, notices

WAYS: Final = (Column("渠道", 1.4), Column("结果", 1.2), Column("时间", 1.4), Column("对方答复", 3))
WORDS: Final = (Column("时间", 1.5), Column("审批人", 1.2), Column("意见", 1), Column("说明", 3))
MADE_BY: Final = (
    "站内送达是消息写入收件人收件箱的时刻；已读是本人打开的时刻；办理取自义务台账、审批席位和"
    "事件日志。渠道的每次尝试只增不改，末列是对方系统的原始答复。"
)


def _day(at: datetime | None) -> str:
    local = timezone.localtime(at) if at else None
    return f"{local.year} 年 {local.month} 月 {local.day} 日" if local else ""


def _moment(at: datetime | None, missing: str = "") -> str:
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}" if at else missing


@papers.prints("rectification", "整改通知书")
def notice(record: Any, actor: Any, now: datetime) -> Paper:
    """The notice to put something right: by which clause, the facts, demand, seal, signatures."""
    told = notices.detail(record, notices.known((), record, actor), actor, now)
    sheet = told["sheet"]
    clause = Clause.objects.everything("条款人人可读").filter(number=sheet.clause)
    basis = clause.select_related("policy").first()
    blocks: list[Block] = [Text(f"{record.person.name}：", is_indented=False)]
    if basis:
        blocks.append(Text(f"依据{basis.policy}{basis.number}：“{basis.text}”"))
    found = f"：{record.finding}" if record.finding else ""
    blocks += [Text(f"经查，有下列情况{found}。"), Items([_fact(one) for one in told["facts"]])]
    if told["more"]:
        blocks.append(Text(f"另有 {told['more']} 件，见系统所列清单。"))
    periods = f"此后连续 {record.periods} 期达标。" if record.periods else ""
    last = sheet.last_day
    until = f"{last.year} 年 {last.month} 月 {last.day} 日"
    blocks += [
        Text(f"要求：{record.demand}{periods}"),
        Text(f"期限：{until}前。整改后由他人复核，并经系统复测合格后销号。"),
        Blanks(["责任人签收", "日期"]),
        Seal([_issuer(record)]),
    ]
    if record.closed_at:
        by = record.reviewed_by.name if record.reviewed_by else ""
        blocks.append(Text(f"{_day(record.closed_at)}经{by}复核、系统复测合格，予以销号。"))
    stamp = "" if record.serial else "草稿"
    return Paper("整改通知书", record.number, blocks, stamp=stamp)


def _fact(fact: Any) -> str:
    last = fact.last_day
    done = f"实际于 {_day(fact.duty.met)}办好" if fact.duty.met else "到期未办"
    until = f"{last.year} 年 {last.month} 月 {last.day} 日"
    return f"{fact.duty.subject}：{fact.title}，应于 {until}前办好，{done}。"


def _issuer(record: Any) -> Party:
    by = record.issued_by
    team = table.sight(by).team if by else ""
    lines = [f"签发人：{by.name}"] if by else []
    seal = ["监督", "小组"] if record.issued_at else []
    return Party(str(team or "监督小组"), [*lines, _day(record.issued_at)], seal)


@papers.prints("message", "送达证明")
def proof(record: Any, actor: Any, now: datetime) -> Paper:
    """The proof about one message, for its recipient and for auditors."""
    return _proof(evidence.of([record]), [], actor, now)


@papers.prints("obligation", "送达证明")
def duty_proof(record: Any, actor: Any, now: datetime) -> Paper:
    """The proof about one duty: everything that anybody was told of it."""
    (duty,) = duties.describe([record], actor)
    about = duty.title + f"，{duty.subject}" + (f"（{duty.clause}）" if duty.clause else "")
    met = f"，{_moment(record.met_at)} 办好" if record.met_at else ""
    head = [
        ("义务", about),
        ("责任人", record.person.name if record.person else "无人负责"),
        ("期限", _moment(record.due_at)),
        ("状态", f"{record.get_state_display()}{met}"),
    ]
    return _proof(evidence.of_obligation(record.pk, actor), [Pairs(head)], actor, now)


def _proof(said: list[evidence.Told], head: Iterable[Block], actor: Any, now: datetime) -> Paper:
    blocks: list[Block] = [*head]
    for place, one in enumerate(said, 1):
        message = one.message
        blocks += [
            Heading(f"{place}　{one.title}"),
            Pairs(
                [
                    ("收件人", message.person.name),
                    ("事项", message.get_topic_display()),
                    ("站内送达", _moment(message.sent_at)),
                    ("已读", _moment(message.seen_at, "未读")),
                    *([("签收", _moment(message.confirmed_at))] if message.confirmed_at else ()),
                    ("办理", _moment(message.acted_at, "未办")),
                ]
            ),
        ]
        if rows := [row for way in one.carried for row in _ways(way)]:
            blocks.append(Table(WAYS, rows))
    if not said:
        blocks.append(Text("没有就这件事发过消息。"))
    drawn = f"{_day(now)} {timezone.localtime(now):%H:%M} 由 {actor.name} 从系统调取"
    return Paper("送达证明", drawn, [*blocks, Note(MADE_BY)])


def _ways(way: evidence.Carried) -> Iterable[list[str]]:
    """One channel: how it ended, each try with the other side's answer, the link opened."""
    name = f"{way.dispatch.channel}" + ("（并入汇总）" if way.through else "")
    answer = "" if way.tries else way.last.answer or "还没有发"
    at = _moment(way.last.sent_at or way.last.queued_at)
    yield [name, way.last.get_state_display(), at, answer]
    for place, one in enumerate(way.tries, 1):
        yield [f"第 {place} 次", one.get_outcome_display(), _moment(one.at), one.answer]
    if way.last.opened_at:
        yield ["", "点开链接", _moment(way.last.opened_at), ""]


@papers.prints("request", "审批单")
def decision(record: Any, actor: Any, now: datetime) -> Paper:
    """What was asked, by which clause, and what each approver said: to be filed with the act."""
    told = approval_detail.context(record, actor)
    subject = f"：{told['subject']}" if told["subject"] else ""
    head = [
        ("事项", f"{told['title']}{subject}"),
        ("申请人", record.asked_by.name),
        ("提交", _moment(record.asked_at)),
        ("结果", record.get_state_display()),
        *([("结束", _moment(record.decided_at))] if record.decided_at else ()),
        ("内容摘要", record.digest),
    ]
    blocks: list[Block] = [Pairs(head)]
    for clause in told["clauses"]:
        blocks.append(Text(f"依据{clause.number} {clause.title}：“{clause.text}”"))
    content = [(one["label"], one["value"]) for one in told["values"]]
    content += [(one["label"], f"{one['was']} → {one['asked']}") for one in told["differences"]]
    for row in told["belonging"]:
        content += [(f"{row['noun']}的{one['label']}", one["value"]) for one in row["values"]]
    if content:
        blocks += [Heading("申请内容"), Pairs(content)]
    rows = [
        [
            _moment(one.at),
            "系统" if one.verdict == "ESCALATE" else str(one.who),
            one.get_verdict_display(),
            one.comment,
        ]
        for one in told["decisions"]
    ]
    blocks += [Heading("审批意见"), Table(WORDS, rows) if rows else Text("还没有人表态。")]
    stamp = "审批中" if record.state == "WAITING" else ""
    return Paper("审批单", f"第 {record.pk} 号", blocks, stamp=stamp)

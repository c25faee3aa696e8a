"""What a checkup of the rulebook finds: a closed list of kinds, and one found flaw as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BAD, WARN, NOTE = "BAD", "WARN", "NOTE"
SEVERITIES: Final = {BAD: "严重", WARN: "应改", NOTE: "提示"}

# What to do about a flaw: the label of a button, and where it leads. `draft` begins a revision of
# the clause; in an address `{clause}` is the clause's number.
DRAFT: Final = ("起草修订", "draft")
LIST: Final = ("看名单", "/clause/{clause}#late")
WAIVER: Final = ("申请豁免", "/waiver/new?clause={clause}")
TEAMS: Final = ("设负责人", "/team/")
PEOPLE: Final = ("设上级", "/person/")
POSTS: Final = ("设任职", "/membership/")
CLAUSE: Final = ("看条款", "/clause/{clause}")


@dataclass(frozen=True)
class Kind:
    """A kind of flaw: its name, what is wrong with it in one sentence, what to do."""

    code: str
    label: str
    about: str
    remedies: tuple[tuple[str, str], ...] = (DRAFT,)


KINDS: Final = {
    kind.code: kind
    for kind in (
        Kind("CLASH", "要求互相矛盾", "同一件事，两条规则给了不同的时限或频率"),
        Kind("OWNERS", "一事两主", "同一件事，两条规则找了不同的责任人"),
        Kind("GATES", "门槛互相矛盾", "同一步的两个门槛不可能同时满足，这一步谁也过不去"),
        Kind("NOBODY", "找不到人", "该批准或负责的人没有着落", (TEAMS, POSTS, DRAFT)),
        Kind("STALE", "条文数字过时", "条文写的数和规则的参数不一样，读条文的人会照错的做"),
        Kind("TOO_MANY", "没人做得到", "每人要办的比任何人办到过的都多", (DRAFT, LIST)),
        Kind("BROKEN", "几乎从不做到", "近 90 天守规率接近 0", (DRAFT, LIST, WAIVER)),
        Kind("DAY_OFF", "总在休息日到期", "到期都落在休息日，实际上最后一个工作日就得办完"),
        Kind("UNTOLD", "规则没有条款", "系统照着执行，条款里却没有写"),
        Kind("UNRULED", "写了时限没有规则", "条文写了时限或频率，系统却没有计时"),
        Kind("UNBOUND", "条款没有落实", "条款没有可用的承载", (CLAUSE, DRAFT)),
        Kind("VAGUE", "用词含糊", "没有写明标准，各人理解不同"),
        Kind("UNUSED", "90 天没有对象", "规则在生效，却没有管到任何事", (DRAFT, CLAUSE)),
        Kind("UNPROVED", "没有例子", "没有例子证明规则照条文执行", (CLAUSE,)),
    )
}


@dataclass(frozen=True)
class Flaw:
    """One flaw of one clause: how bad, why, with figures and the places in the text."""

    code: str
    severity: str
    clause: str
    why: str
    detail: str = ""
    figures: tuple[tuple[str, str], ...] = ()
    marks: tuple[tuple[int, int], ...] = ()
    others: tuple[str, ...] = ()
    # Where the answer is not that of the kind.
    remedy: tuple[tuple[str, str], ...] = ()
    policy: str = ""
    title: str = ""
    text: str = ""

    @property
    def key(self) -> str:
        """What makes it this flaw: the same key next time means that nothing was done about it."""
        return ":".join((self.code, self.clause, self.detail))

    @property
    def kind(self) -> Kind:
        """The kind of flaw."""
        return KINDS[self.code]

    @property
    def severity_label(self) -> str:
        """How bad, in Chinese."""
        return SEVERITIES[self.severity]

    @property
    def remedies(self) -> list[tuple[str, str]]:
        """What to do: labels with addresses, or `draft`."""
        said = self.remedy or self.kind.remedies
        return [(label, url.format(clause=self.clause)) for label, url in said]

    @property
    def rank(self) -> tuple[int, int, str, str, str]:
        """The worst first."""
        worst = list(SEVERITIES).index(self.severity)
        return worst, list(KINDS).index(self.code), self.policy, self.clause, self.detail

    @property
    def pieces(self) -> list[tuple[str, bool]]:
        """The text cut at the places found; whether each piece is one of them."""
        cut, at = [], 0
        for first, last in sorted(self.marks):
            if first < at:
                continue
            cut += [(self.text[at:first], False), (self.text[first:last], True)]
            at = last
        return [piece for piece in (*cut, (self.text[at:], False)) if piece[0]]

"""What is kept about contracts: number, digest, and where the text leaves its template.

Kept by every deed that touches a contract, whoever writes: a form, the API, an import.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
from typing import Final

from django.db import connection

from fangyuan import door
from fangyuan.contracts import contract_papers, stationery, sums
from fangyuan.contracts.models import Contract
from fangyuan.core import press

OPEN: Final = ("DRAFT", "REVIEW", "APPROVED")
TERMS: Final = (
    *("text", "amount", "payment_terms", "down_payment", "deliver_by", "starts_on", "ends_on"),
    *("template_id", "quote_id"),
)
_NUMBER: Final = """
UPDATE contracts_contract
   SET number = 'HT' || to_char(recorded_at, 'YYYY') || '-' || lpad(id::text, 5, '0')
 WHERE id = ANY (%(numbers)s) AND number = ''
"""


@door.follows("contract")
def keep(deed: door.Deed, numbers: set[int]) -> None:
    """Number these contracts, note where they leave their template, and digest what they say.

    Raises Refused where one that the customer holds would say anything else than what was sent.
    """
    number(numbers)
    rows = Contract._base_manager.filter(pk__in=numbers, removed_at=None)
    for one in rows.select_related("customer", "opportunity", "quote"):
        digest = agreed(one)
        if one.stage not in OPEN:
            _same(one, digest)
            continue
        found = differences(one)
        if (one.text_hash, one.deviations) != (digest, found):
            Contract._base_manager.filter(pk=one.pk).update(text_hash=digest, deviations=found)


def number(numbers: set[int]) -> None:
    """Give these contracts their numbers, where they have none."""
    with connection.cursor() as cursor:
        cursor.execute(_NUMBER, {"numbers": sorted(numbers)})


def _same(contract: Contract, digest: str) -> None:
    if contract.sent_hash and contract.stage != "VOID" and digest != contract.sent_hash:
        said = "合同已发给客户，内容不能再改；要改请另拟变更合同"
        raise door.Refused([door.Unmet(said, "text", record="contract", subject_id=contract.pk)])


def agreed(contract: Contract) -> str:
    """The digest of what the parties agree to: text, amounts, dates, and the lines of the quote.

    Names that are kept elsewhere are not in it: a customer that is renamed breaks no contract.
    """
    own = {name: str(getattr(contract, name) or "") for name in TERMS}
    own["goods"] = sums.digest(contract.quote_id) if contract.quote_id else ""
    return hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def differences(contract: Contract) -> list[dict[str, str]]:
    """Paragraph by paragraph: what the template says, what the contract says instead."""
    asked = from_template(contract)
    was, now = (_lines(asked), _lines(contract.text))
    if was == now:
        return []
    steps = difflib.SequenceMatcher(None, was, now, autojunk=False).get_opcodes()
    return [
        {"was": "\n".join(was[a:b]), "now": "\n".join(now[c:d])}
        for tag, a, b, c, d in steps
        if tag != "equal"
    ]


def from_template(contract: Contract) -> str:
    """The text that the template gives with the words of this contract; nothing without a file."""
    template = stationery.of_material(contract.template_id)
    if template is None:
        return ""
    given = json.dumps(contract_papers.words(contract), ensure_ascii=False, sort_keys=True)
    return _filled(template, given)


@functools.lru_cache(maxsize=64)
def _filled(template: bytes, words: str) -> str:
    """Asked at each write of a contract, and nearly always for the same template and words."""
    return press.text(template, json.loads(words))


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]

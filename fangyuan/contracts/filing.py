"""Where the original, scans and copies of a contract are, by the documents kept about it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import DateTimeField, F, Func, Max, Min, OuterRef, Subquery, TextField
from django.db.models.functions import Cast

from fangyuan import door
from fangyuan.contracts.models import Contract
from fangyuan.core import facts
from fangyuan.engine import gates
from fangyuan.library.models import Document
from fangyuan.opportunities.models import Opportunity

# Who signs for a copy (KA-4.3.3b), and to whom the signed contract is handed (PS-2.6.2.3).
COPIES: Final = ("legal_dept", "finance_dept", "delivery_dept")
HANDED: Final = ("contract_mgmt_dept", "finance_dept")
_READS: Final = (("document", "subject"),)
# A renewal is taken up with the first opportunity or contract that goes on from this one.
_RENEWED: Final = """
UPDATE contracts_contract c SET renewal_started_at = s.at
  FROM (SELECT n.id, least(
               (SELECT min(o.recorded_at) FROM opportunities_opportunity o
                 WHERE o.from_contract_type = 'contract' AND o.from_contract_id = n.id
                   AND o.removed_at IS NULL),
               (SELECT min(r.recorded_at) FROM contracts_contract r
                 WHERE r.renews_id = n.id AND r.removed_at IS NULL)) AS at
          FROM (SELECT from_contract_id AS id FROM opportunities_opportunity
                 WHERE id = ANY (%(opportunities)s) AND from_contract_type = 'contract'
                UNION SELECT renews_id FROM contracts_contract
                 WHERE id = ANY (%(contracts)s) AND renews_id IS NOT NULL) n) s
 WHERE c.id = s.id AND c.renewal_started_at IS DISTINCT FROM s.at
"""


_SCANNED: Final = """
UPDATE contracts_contract c SET scanned_at = s.at
  FROM (SELECT d.subject_id AS id,
               min(d.filed_at) FILTER (WHERE d.form = 'SCAN' AND d.removed_at IS NULL) AS at
          FROM library_document d
         WHERE d.subject_type = 'contract'
           AND d.subject_id IN (SELECT subject_id FROM library_document
                                 WHERE id = ANY (%(numbers)s) AND subject_type = 'contract')
         GROUP BY 1) s
 WHERE c.id = s.id AND c.scanned_at IS DISTINCT FROM s.at
"""


@door.follows("document")
def keep_of_documents(_: door.Deed, numbers: set[int]) -> None:
    """Note on the contracts that these documents are about when a scan was first filed."""
    with connection.cursor() as cursor:
        cursor.execute(_SCANNED, {"numbers": sorted(numbers)})


@door.follows("opportunity")
def keep_of_opportunities(_: door.Deed, numbers: set[int]) -> None:
    """Note on the contracts from which these opportunities go on that a renewal was taken up."""
    _keep(opportunities=numbers)


@door.follows("contract")
def keep_of_contracts(_: door.Deed, numbers: set[int]) -> None:
    """The same for the contracts that these renew."""
    _keep(contracts=numbers)


def _keep(opportunities: Any = (), contracts: Any = ()) -> None:
    given = {"opportunities": sorted(opportunities), "contracts": sorted(contracts)}
    with connection.cursor() as cursor:
        cursor.execute(_RENEWED, given)


def _documents(**where: Any) -> Any:
    """The documents about the contract of the outer query."""
    rows = Document._base_manager.filter(
        subject_type="contract", subject_id=OuterRef("pk"), removed_at=None, **where
    )
    return rows.order_by()


def _first(column: str, **where: Any) -> Subquery:
    rows = _documents(**where).values("subject_id").annotate(fy_at=Min(column))
    return Subquery(rows.values("fy_at"))


def _when_all(*instants: Any) -> Func:
    """The last of several instants, once every one of them is there."""
    whole = "HAVING count(x) = count(*)"
    template = f"(SELECT max(x) FROM unnest(ARRAY[%(expressions)s]) x {whole})"  # noqa: S608
    return Func(*instants, template=template, output_field=DateTimeField())


def _signed_for(teams: tuple[str, ...], **where: Any) -> Func:
    """When the last of these departments had signed for one."""
    return _when_all(*(_first("signed_for_at", to_team__code=one, **where) for one in teams))


facts.extend(
    Contract,
    {
        "original_filed_at": facts.Derived(
            "原件归档",
            kind="at",
            reads=_READS,
            value=lambda: _first("filed_at", form="ORIGINAL"),
        ),
        "archived_at": facts.Derived(
            "原件与系统均存",
            kind="at",
            reads=_READS,
            value=lambda: _when_all(_first("filed_at", form="ORIGINAL"), F("scanned_at")),
        ),
        "copies_filed_at": facts.Derived(
            "副本备案齐",
            kind="at",
            reads=_READS,
            value=lambda: _signed_for(COPIES, form="COPY"),
        ),
        "handed_in_at": facts.Derived(
            "交合同管理与财务", kind="at", reads=_READS, value=lambda: _signed_for(HANDED)
        ),
        "receipts_registered": facts.Derived(
            "备案部门",
            kind="set",
            reads=_READS,
            value=lambda: ArraySubquery(
                _documents(signed_for_at__isnull=False)
                .values(fy_team=Cast("to_team__code", TextField()))
                .distinct()
            ),
        ),
    },
)


def _archived() -> Subquery:
    rows = Contract._base_manager.filter(opportunity=OuterRef("pk"), removed_at=None).order_by()
    kept = facts.annotate(rows, ["archived_at"]).values("opportunity")
    return Subquery(kept.annotate(fy_at=Max("fact_archived_at")).values("fy_at"))


facts.extend(
    Opportunity,
    {
        "contract_archived_at": facts.Derived(
            "合同归档", kind="at", reads=(("contract", "opportunity"),), value=lambda: _archived()
        )
    },
)
gates.met_at("opportunity", "contract_archived_at", "/contract/?opportunity={id}")

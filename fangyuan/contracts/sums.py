"""What a quote comes to: kept beside its lines by every deed that touches them.

Once approved, what it offers stays as it is: another offer is another version.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Final

from django.db import connection

from fangyuan import door
from fangyuan.contracts.models import Quote, QuoteLine

OFFERED: Final = ("price_list_id", "valid_until", "tax_rate", "total", "terms")
SOLD: Final = ("product_id", "quantity", "price", "deliver_on", "is_nonstandard")
_NUMBER: Final = """
UPDATE contracts_quote
   SET number = 'BJ' || to_char(recorded_at, 'YYYY') || '-' || lpad(id::text, 5, '0')
 WHERE id = ANY (%(numbers)s) AND number = ''
"""
# A line without a list price of its own takes that of the quote's price list, else its own price.
_LISTED: Final = """
UPDATE contracts_quoteline l
   SET list_price = coalesce(p.amount, l.price), cost = coalesce(l.cost, p.cost)
  FROM contracts_quoteline line
  JOIN contracts_quote q ON q.id = line.quote_id
  LEFT JOIN library_price p ON p.price_list_id = q.price_list_id
        AND p.product_id = line.product_id AND p.removed_at IS NULL
 WHERE l.id = line.id AND q.id = ANY (%(numbers)s) AND l.list_price IS NULL
"""
_TOTAL: Final = """
UPDATE contracts_quote q SET total = s.total, list_total = s.listed
  FROM (SELECT n.id, coalesce(sum(round(l.quantity * l.price, 2)), 0) AS total,
               coalesce(sum(round(l.quantity * coalesce(l.list_price, l.price), 2)), 0) AS listed
          FROM unnest(%(numbers)s::bigint[]) n (id)
          LEFT JOIN contracts_quoteline l ON l.quote_id = n.id AND l.removed_at IS NULL
         GROUP BY n.id) s
 WHERE q.id = s.id AND (q.total, q.list_total) IS DISTINCT FROM (s.total, s.listed)
"""


@door.follows("quote")
def keep(deed: door.Deed, numbers: set[int]) -> None:
    """Number these quotes and keep their sums right; raises Refused where an approved one says
    anything else than what was approved."""
    given: dict[str, Any] = {"numbers": sorted(numbers)}
    with connection.cursor() as cursor:
        for statement in (_NUMBER, _LISTED, _TOTAL):
            cursor.execute(statement, given)
    approved = Quote._base_manager.filter(pk__in=numbers, removed_at=None).exclude(approved_hash="")
    for number, was in approved.exclude(stage=Quote.Stage.DRAFT).values_list("pk", "approved_hash"):
        if digest(number) != was:
            said = "报价已核准，内容不能再改；请先“退回修改”，已发客户的请“改版”"
            raise door.Refused([door.Unmet(said, "terms", record="quote", subject_id=number)])


def digest(quote: int) -> str:
    """The SHA-256 of what a quote offers: its lines, terms, tax and last day."""
    own = Quote._base_manager.filter(pk=quote).values_list(*OFFERED).get()
    lines = QuoteLine._base_manager.filter(quote=quote, removed_at=None).order_by("pk")
    said = [[str(value) for value in row] for row in (own, *lines.values_list(*SOLD))]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()

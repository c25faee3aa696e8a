"""To which campaign a lead, a chance and what was won are owed, said by three models side by side.

First touch gives all to the earliest campaign that reached the lead, last touch to the latest one
before it was converted, even touch the same share to each. No model is hidden in a number.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from fangyuan.core import facts
from fangyuan.customers.models import Lead

MODELS: Final = {"first": "首次触达", "last": "末次触达", "even": "平均分摊"}

_OWED: Final = """
WITH counted AS ($leads$), touched AS (
  SELECT t.lead_id, t.campaign_id, min(t.at) AS at
    FROM customers_touch t JOIN counted c ON c.id = t.lead_id
   WHERE t.campaign_id IS NOT NULL AND t.removed_at IS NULL
     AND (c.converted_at IS NULL OR t.at <= c.converted_at)
   GROUP BY 1, 2
  UNION ALL
  SELECT c.id, c.campaign_id, c.occurred_at FROM counted c
   WHERE c.campaign_id IS NOT NULL
     AND NOT EXISTS (SELECT FROM customers_touch t
                      WHERE t.lead_id = c.id AND t.campaign_id = c.campaign_id
                        AND t.removed_at IS NULL
                        AND (c.converted_at IS NULL OR t.at <= c.converted_at))
), placed AS (
  SELECT lead_id, campaign_id, 1.0 / count(*) OVER w AS even,
         (row_number() OVER (w ORDER BY at, campaign_id) = 1)::integer AS first,
         (row_number() OVER (w ORDER BY at DESC, campaign_id DESC) = 1)::integer AS last
    FROM touched WINDOW w AS (PARTITION BY lead_id)
), opened AS (
  SELECT o.lead_id, count(*) AS chances,
         coalesce(sum(o.amount) FILTER (WHERE o.outcome = 'WON'), 0) AS won
    FROM opportunities_opportunity o
   WHERE o.lead_id IS NOT NULL AND o.removed_at IS NULL GROUP BY 1
)
SELECT p.campaign_id, m.model, sum(m.share), sum(m.share * coalesce(o.chances, 0)),
       sum(m.share * coalesce(o.won, 0))
  FROM placed p LEFT JOIN opened o USING (lead_id)
 CROSS JOIN LATERAL (VALUES ('first', p.first::numeric), ('last', p.last::numeric),
                            ('even', p.even)) m (model, share)
 WHERE p.campaign_id = ANY (%s) AND m.share > 0
 GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Owed:
    """What one model owes to one campaign: leads, opportunities, yuan won."""

    leads: Decimal = Decimal(0)
    chances: Decimal = Decimal(0)
    won: Decimal = Decimal(0)


def owed(campaigns: Iterable[int]) -> dict[tuple[int, str], Owed]:
    """What each model owes to each of these campaigns; a pair is left out where it is nothing."""
    leads = facts.annotate(Lead.objects.everything("归因").present().order_by(), ["is_counted"])
    sql, params = (
        leads.filter(fact_is_counted=True)
        .values("id", "campaign_id", "occurred_at", "converted_at")
        .query.sql_with_params()
    )
    with connection.cursor() as cursor:
        cursor.execute(_OWED.replace("$leads$", sql), [*params, list(campaigns)])
        return {(number, model): Owed(*told) for number, model, *told in cursor.fetchall()}


def told(found: dict[tuple[int, str], Owed], campaign: int, spent: Any) -> list[dict[str, Any]]:
    """The three models of one campaign, each with what a lead cost where costs may be seen."""
    lines = []
    for model, label in MODELS.items():
        one = found.get((campaign, model), Owed())
        cost = spent / one.leads if spent and one.leads else None
        lines.append(
            {"model": model, "label": label, "owed": one, "cost": cost, "times": _times(one, spent)}
        )
    return lines


def _times(one: Owed, spent: Any) -> Decimal | None:
    return one.won / spent if spent else None

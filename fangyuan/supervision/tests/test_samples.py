"""A sample is random once and the same for ever after."""

from __future__ import annotations

import pytest

from conftest import hire
from fangyuan import door
from fangyuan.supervision import samples
from fangyuan.supervision.models import Inspection


def test_a_sample_is_drawn_once_and_can_be_drawn_again_from_its_seed(company):
    with door.acting(by=None, action="test") as deed:
        auditor = hire(deed, "audit", "老周", "audit_dept", company.root, company.boss)
        values = {"kind": "SPOT", "inspector": auditor, "started_at": company.since}
        made = deed.create(Inspection, values)
        for place in range(30):
            more = {"name": f"样本公司{place}", "source": company.customer.source}
            deed.create(type(company.customer), {**more, "learned_at": company.since})
    made = door.act("draw_sample", made, by=auditor)
    rule = made.sample_rule
    assert len(set(rule["drawn"])) == samples.SIZE
    again = samples.drawn(rule["record"], rule["seed"], rule["size"], auditor)
    assert again == rule["drawn"]
    assert samples.drawn(rule["record"], rule["seed"] + 1, rule["size"], auditor) != again
    with pytest.raises(door.Denied, match="已抽过样"):
        door.act("draw_sample", made, by=auditor)

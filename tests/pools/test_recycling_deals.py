"""A customer from the pool falls back without an opportunity, and after a contract unrenewed."""

from datetime import timedelta

import pytest

from conftest import own, term
from fangyuan import door
from fangyuan.contracts.models import Contract
from fangyuan.customers import recycling
from fangyuan.customers.models import Customer
from fangyuan.engine import packs, sweep
from fangyuan.engine.models import Obligation
from fangyuan.opportunities.models import Opportunity, Stage

pytestmark = pytest.mark.django_db
SIGNED = ("customer_signed_at", "company_signed_at", "signed_at")
TEMPLATE = packs.FOLDER / "templates" / "pools.yaml"


@pytest.fixture
def held(pooled):
    """小赵 took a customer of grade A out of the pool 100 days ago and talks to nobody else."""
    packs.install([TEMPLATE])
    with door.acting(by=None, action="test", history=True) as deed:
        values = {"name": "甲厂", "source": pooled.customer.source, "learned_at": pooled.since}
        pooled.held = deed.create(Customer, {**values, "grade": "A"})
        holding = own(deed, pooled.held, pooled.zhao, pooled.now - timedelta(days=100))
        deed.change(holding, from_pool=True, extended_at=None)
    return pooled


def state(pooled, clause):
    """What the ledger says of the clause about the holding."""
    sweep.settle_all()
    found = Obligation._base_manager.filter(
        rule__clause__number=clause, subject_type="holding", person=pooled.zhao
    ).exclude(state="VOID")
    return [(one.state, one.due_at) for one in found]


def opportunity(pooled, customer, at):
    with door.acting(by=None, action="test", history=True, at=at) as deed:
        stage = {"code": "S2", "name": "立项", "seq": 2, "stage_tag": "NEED", "goal": "清楚需求"}
        more = {"tasks": "访谈", "standard": "写明", "pipeline": term("pipeline", "s1s7")}
        found = Stage._base_manager.filter(code="S2").first()
        at_stage = found or deed.create(Stage, {**stage, **more})
        values = {"name": "检测线", "customer": customer, "stage": at_stage}
        return deed.create(Opportunity, {**values, "pipeline": at_stage.pipeline})


def contract(pooled, of, ends_on, signed_at, **more):
    with door.acting(by=None, action="test", history=True) as deed:
        deed.free |= {"stage", "number", *SIGNED}
        values = {"opportunity": of, "customer": of.customer, "stage": "PERFORMING"}
        values |= {"number": f"HT-{signed_at:%j%H}", "amount": 100000, "kind": "NEW"}
        values |= {"starts_on": signed_at.date(), "ends_on": ends_on, "signed_at": signed_at}
        values |= {"customer_signed_at": signed_at, "company_signed_at": signed_at}
        known = {f.name for f in Contract._meta.get_fields()}
        return deed.create(Contract, {n: v for n, v in (values | more).items() if n in known})


def test_without_an_opportunity_in_ninety_days_it_falls_back(held):
    [(said, due)] = state(held, "POOL-3.3")
    assert said == "BREACHED" and due <= held.now
    assert recycling.recycle_due() >= 1
    held.held.refresh_from_db()
    assert held.held.pool == held.pool


def test_an_opportunity_keeps_it(held):
    opportunity(held, held.held, held.now)
    with door.acting(by=None, action="test", history=True) as deed:
        deed.change(held.held, won_at=held.since)  # the clock of talks is not in the way
    [(said, _)] = state(held, "POOL-3.3")
    assert said in ("MET", "LATE")


def test_a_contract_that_ended_and_was_not_renewed_gives_it_back(held):
    of = opportunity(held, held.held, held.now - timedelta(days=99))
    ended = (held.now - timedelta(days=70)).date()
    contract(held, of, ended, held.now - timedelta(days=95))
    [(said, due)] = state(held, "POOL-3.4")
    assert said == "BREACHED"
    assert timedelta(days=59) < due - (held.now - timedelta(days=70)) < timedelta(days=62)


def test_a_renewal_keeps_it(held):
    of = opportunity(held, held.held, held.now - timedelta(days=99))
    ended = (held.now - timedelta(days=70)).date()
    first = contract(held, of, ended, held.now - timedelta(days=95))
    contract(held, of, None, held.now - timedelta(days=60), renews=first)
    [(said, _)] = state(held, "POOL-3.4")
    assert said in ("MET", "LATE")

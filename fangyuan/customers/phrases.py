"""How the duties about customers, their changes and leads are called, and where they are met."""

from __future__ import annotations

from fangyuan.desk.duties import phrase

phrase(
    "customer",
    say="复核客户信息（{period}）",
    url="/customer/{id}/review",
    act="去复核",
    event="response.submitted_at",
)
phrase("customer", say="录入客户信息", url="/customer/{id}/edit", until="recorded_at")
phrase(
    "customer",
    say="配齐专属服务组",
    url="/customer/{id}/do/add_to_team",
    act="去配",
    since="key_since",
)
phrase(
    "change",
    say="更新变动涉及的信息",
    url="/changes/{id}",
    act="去更新",
    until="updated_at",
)
phrase("change", say="登记客户变动", url="/changes/{id}", until="recorded_at")
phrase(
    "lead", say="把线索派给销售", url="/lead/{id}/do/assign_lead", act="去派", until="assigned_at"
)
phrase(
    "holding",
    say="联系，否则收回公海",
    url="/{kind}/{id}",
    act="去联系",
    until="secured_at",
)
phrase("holding", say="成交，否则收回公海", url="/{kind}/{id}", act="去看", until="won_at")

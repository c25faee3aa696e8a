# Seats of a chain become records that say whose turn it is; what waits already is seated.

import django.contrib.postgres.functions
import django.db.models.deletion
import fangyuan.core.fields
import fangyuan.core.records
from django.conf import settings
from django.db import connection, migrations, models

from fangyuan.core import events


SEATED = """
UPDATE engine_request r SET chain = (
  SELECT coalesce(jsonb_agg(jsonb_build_object('id', n, 'mode', 'all', 'parties', jsonb_build_array(
           jsonb_build_object('label', '', 'clause', r.clause, 'people', s -> 'people',
             'mode', CASE WHEN s ->> 'mode' = 'all' THEN 'all' ELSE 'any' END))) ORDER BY n), '[]')
    FROM jsonb_array_elements(r.chain) WITH ORDINALITY x (s, n));
UPDATE engine_approval a
   SET clause = r.clause, asked_at = r.asked_at, answered_at = r.decided_at,
       state = CASE
         WHEN EXISTS (SELECT FROM engine_decision d WHERE d.request_id = a.request_id
                         AND d.step = a.step AND d.person_id = a.person_id AND d.verdict = 'AGREE')
           THEN 'AGREED'
         WHEN r.state <> 'WAITING' THEN 'MOOT'
         WHEN EXISTS (SELECT FROM engine_approval e WHERE e.request_id = a.request_id
                         AND e.step < a.step AND NOT EXISTS (
                           SELECT FROM engine_decision d WHERE d.request_id = e.request_id
                              AND d.step = e.step AND d.verdict = 'AGREE'))
           THEN 'LATER'
         ELSE 'ASKED' END
  FROM engine_request r WHERE r.id = a.request_id;
UPDATE engine_approval SET asked_at = NULL WHERE state = 'LATER';
"""


def seat(apps, schema_editor):
    with connection.cursor() as cursor:
        events.announce(cursor, actor=0, action="migrate", reason="席位记明轮到谁", channel="JOB")
        cursor.execute(SEATED)


class Migration(migrations.Migration):
    dependencies = [
        ("engine", "0008_lists"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="approval",
            options={"ordering": ["request", "round", "id"], "verbose_name": "审批席位"},
        ),
        migrations.RemoveConstraint(
            model_name="approval",
            name="approval_seat",
        ),
        migrations.RemoveConstraint(
            model_name="decision",
            name="decision_once",
        ),
        migrations.AddField(
            model_name="approval",
            name="answered_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="审完"),
        ),
        migrations.AddField(
            model_name="approval",
            name="asked_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="轮到"),
        ),
        migrations.AddField(
            model_name="approval",
            name="changed_at",
            field=models.DateTimeField(
                db_default=django.contrib.postgres.functions.TransactionNow(),
                editable=False,
                verbose_name="最近改动",
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="clause",
            field=fangyuan.core.fields.Text(blank=True, default="", verbose_name="依据条款"),
        ),
        migrations.AddField(
            model_name="approval",
            name="due_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="应审完"),
        ),
        migrations.AddField(
            model_name="approval",
            name="imported_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="历史导入时间"),
        ),
        migrations.AddField(
            model_name="approval",
            name="key",
            field=models.TextField(
                blank=True, editable=False, null=True, unique=True, verbose_name="外部编号"
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="origin",
            field=fangyuan.core.fields.Choice(
                choices=[
                    ("RULE", "按规则"),
                    ("FORWARD", "转交"),
                    ("SIGNER", "加签"),
                    ("ESCALATED", "逾期升级"),
                    ("COPY", "抄送"),
                ],
                default="RULE",
                max_length=24,
                verbose_name="来由",
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="party",
            field=models.PositiveIntegerField(default=0, verbose_name="方"),
        ),
        migrations.AddField(
            model_name="approval",
            name="recorded_at",
            field=models.DateTimeField(
                db_default=django.contrib.postgres.functions.TransactionNow(),
                editable=False,
                verbose_name="录入时间",
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="recorded_by",
            field=models.BigIntegerField(
                db_default=fangyuan.core.records.CurrentActor(),
                editable=False,
                verbose_name="录入人",
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="removed_at",
            field=models.DateTimeField(editable=False, null=True, verbose_name="移入回收站"),
        ),
        migrations.AddField(
            model_name="approval",
            name="revision",
            field=models.PositiveIntegerField(db_default=1, editable=False, verbose_name="版本号"),
        ),
        migrations.AddField(
            model_name="approval",
            name="round",
            field=models.PositiveIntegerField(default=1, verbose_name="轮次"),
        ),
        migrations.AddField(
            model_name="approval",
            name="state",
            field=fangyuan.core.fields.Choice(
                choices=[
                    ("LATER", "未到"),
                    ("ASKED", "待审"),
                    ("AGREED", "已同意"),
                    ("SPARED", "前面已同意，免审"),
                    ("OBJECTED", "未同意"),
                    ("PASSED_ON", "已转交"),
                    ("MOOT", "不用再审"),
                    ("COPIED", "抄送"),
                ],
                default="LATER",
                max_length=24,
                verbose_name="状态",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="back_to",
            field=models.PositiveIntegerField(blank=True, null=True, verbose_name="退到节点"),
        ),
        migrations.AddField(
            model_name="decision",
            name="on_behalf_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="代谁",
            ),
        ),
        migrations.AddField(
            model_name="decision",
            name="round",
            field=models.PositiveIntegerField(default=1, verbose_name="轮次"),
        ),
        migrations.AddField(
            model_name="decision",
            name="to",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="给谁",
            ),
        ),
        migrations.AddField(
            model_name="request",
            name="is_repeated",
            field=models.BooleanField(default=False, verbose_name="同人每步都问"),
        ),
        migrations.AddField(
            model_name="request",
            name="title",
            field=fangyuan.core.fields.Text(blank=True, default="", verbose_name="事项"),
        ),
        migrations.AlterField(
            model_name="approval",
            name="person",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="asked_approvals",
                to=settings.AUTH_USER_MODEL,
                verbose_name="审批人",
            ),
        ),
        migrations.AlterField(
            model_name="approval",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="approvals",
                to="engine.request",
                verbose_name="申请",
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="person",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="decisions",
                to=settings.AUTH_USER_MODEL,
                verbose_name="办理人",
            ),
        ),
        migrations.AlterField(
            model_name="decision",
            name="verdict",
            field=fangyuan.core.fields.Choice(
                choices=[
                    ("AGREE", "同意"),
                    ("REFUSE", "驳回"),
                    ("BACK", "退回"),
                    ("FORWARD", "转交"),
                    ("SIGNER", "加签"),
                    ("COMMENT", "评论"),
                    ("URGE", "催办"),
                    ("WITHDRAW", "撤回"),
                    ("COPY", "抄送"),
                    ("ESCALATE", "逾期升级"),
                    ("VOID", "内容已改，申请失效"),
                ],
                max_length=24,
                verbose_name="意见",
            ),
        ),
        migrations.AlterField(
            model_name="request",
            name="state",
            field=fangyuan.core.fields.Choice(
                choices=[
                    ("WAITING", "审批中"),
                    ("AGREED", "同意"),
                    ("REFUSED", "驳回"),
                    ("RETURNED", "退回"),
                    ("WITHDRAWN", "撤回"),
                    ("VOID", "失效"),
                ],
                default="WAITING",
                max_length=24,
                verbose_name="状态",
            ),
        ),
        migrations.AlterField(
            model_name="request",
            name="subject_id",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="对象编号"),
        ),
        migrations.AlterField(
            model_name="request",
            name="subject_type",
            field=models.CharField(blank=True, max_length=40, null=True, verbose_name="对象类型"),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(fields=["person", "state"], name="approval_of_person"),
        ),
        migrations.AddConstraint(
            model_name="approval",
            constraint=models.UniqueConstraint(
                fields=("request", "round", "step", "party", "person"), name="approval_seat"
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("verdict__in", ("AGREE", "REFUSE", "BACK"))),
                fields=("request", "round", "step", "person"),
                name="decision_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("person", None), _negated=True),
                    ("verdict__in", ("ESCALATE", "VOID")),
                    _connector="OR",
                ),
                name="decision_of_somebody",
            ),
        ),
        migrations.AddConstraint(
            model_name="request",
            constraint=models.UniqueConstraint(
                condition=models.Q(("removed_at", None), ("state", "WAITING")),
                fields=("action", "subject_type", "subject_id"),
                name="request_waits_once",
                violation_error_message="同一件事已在审批中，请等结果或先撤回",
            ),
        ),
        migrations.RunPython(seat, migrations.RunPython.noop),
    ]

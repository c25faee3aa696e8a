"""Name the nightly check of the ledger among the jobs that are noted."""

from django.db import migrations

import fangyuan.core.fields

KINDS = [
    ("FULL", "全量备份"),
    ("INCREMENTAL", "增量备份"),
    ("DRILL", "恢复演练"),
    ("READBACK", "读回验证"),
    ("MAINTENANCE", "维护"),
    ("UPGRADE", "升级"),
    ("FAILURE", "故障"),
    ("SWEEP", "规则扫描"),
    ("RECOUNT", "台账核对"),
]


def checked(kinds):
    """The statement that lets the column hold these codes; Django leaves it alone."""
    codes = ", ".join(f"'{code}'" for code, _ in kinds)
    return (
        "ALTER TABLE core_operation DROP CONSTRAINT core_operation_kind_check,"
        f" ADD CONSTRAINT core_operation_kind_check CHECK (kind IN ({codes}))"
    )


class Migration(migrations.Migration):
    dependencies = [("core", "0004_workday")]

    operations = [
        migrations.AlterField(
            model_name="operation",
            name="kind",
            field=fangyuan.core.fields.Choice(choices=KINDS, max_length=24, verbose_name="类别"),
        ),
        migrations.RunSQL(checked(KINDS), checked(KINDS[:-1])),
    ]

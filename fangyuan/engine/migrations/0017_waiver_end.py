"""A waiver that is ended before its time says why."""

from django.db import migrations

from fangyuan.core import fields


class Migration(migrations.Migration):
    dependencies = [("engine", "0016_past_breaches")]

    operations = [
        migrations.AddField("waiver", "end_reason", fields.Note("提前结束的理由")),
    ]

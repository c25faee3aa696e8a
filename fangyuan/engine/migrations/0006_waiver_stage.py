# Waivers known so far were agreed to; a new one is asked for first.

import django.db.models.deletion
import fangyuan.core.fields
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("engine", "0005_reminded"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="waiver",
            name="asked_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="申请人",
            ),
        ),
        migrations.AddField(
            model_name="waiver",
            name="granted_at",
            field=models.DateTimeField(blank=True, null=True, verbose_name="批准时间"),
        ),
        migrations.AddField(
            model_name="waiver",
            name="granted_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="批准人",
            ),
        ),
        migrations.AddField(
            model_name="waiver",
            name="stage",
            field=fangyuan.core.fields.Choice(
                choices=[("REQUESTED", "待批"), ("ACTIVE", "已准"), ("REFUSED", "未准")],
                default="ACTIVE",
                max_length=24,
                verbose_name="状态",
            ),
        ),
        migrations.AlterField(
            model_name="waiver",
            name="stage",
            field=fangyuan.core.fields.Choice(
                choices=[("REQUESTED", "待批"), ("ACTIVE", "已准"), ("REFUSED", "未准")],
                default="REQUESTED",
                max_length=24,
                verbose_name="状态",
            ),
        ),
    ]

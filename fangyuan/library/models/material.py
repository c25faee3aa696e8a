"""What is said and shown in selling: brochures, templates, scripts, cases, guides, in versions."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from fangyuan.core import facts, fields
from fangyuan.core.records import Record
from fangyuan.desk.models import Change
from fangyuan.library.models.product import Product


class Material(Record):
    """One version of a brochure, template, case, script, guide or other text for selling."""

    class Kind(models.TextChoices):
        BROCHURE = "BROCHURE", "宣传册"
        MANUAL = "MANUAL", "说明书"
        SLIDES = "SLIDES", "演示文稿"
        COMPANY = "COMPANY", "公司介绍"
        PRODUCT_BOOK = "PRODUCT_BOOK", "产品手册"
        TEMPLATE = "TEMPLATE", "模板"
        CONTRACT_TEMPLATE = "CONTRACT_TEMPLATE", "销售合同模板"
        CASE = "CASE", "案例"
        WHITE_PAPER = "WHITE_PAPER", "白皮书"
        BLOG = "BLOG", "博客"
        SCRIPT = "SCRIPT", "话术"
        KNOWLEDGE = "KNOWLEDGE", "知识条目"
        BRAND = "BRAND", "品牌文件"
        GUIDE = "GUIDE", "操作手册"
        RUNBOOK = "RUNBOOK", "恢复手册"
        METHOD = "METHOD", "办法"
        COURSE = "COURSE", "课程教材"
        FORM_FILE = "FORM_FILE", "录入模板"
        INTERPRETATION = "INTERPRETATION", "条款释疑"

    class Reach(models.TextChoices):
        INTERNAL = "INTERNAL", "内部"
        EXTERNAL = "EXTERNAL", "可对外"

    class State(models.TextChoices):
        DRAFT = "DRAFT", "草稿"
        CHECKED = "CHECKED", "已核验"
        WAITING = "WAITING", "待启用"
        PUBLISHED = "PUBLISHED", "已发布"
        RETIRED = "RETIRED", "停用"

    code = fields.Text("编号")
    version = models.PositiveIntegerField("版本", default=1)
    title = fields.Text("标题")
    kind = fields.Choice("形态", choices=Kind)
    category = fields.TermField("类别", domain="knowledge")
    product = models.ForeignKey(
        Product,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="materials",
        verbose_name="产品",
    )
    sections = fields.TextSet("已含内容")
    summary = fields.Note("摘要")
    level = fields.Choice("可见级别", choices=Reach, default=Reach.INTERNAL)
    state = fields.Choice("状态", choices=State, default=State.DRAFT)
    is_accurate = models.BooleanField("内容准确", default=False)
    is_full = models.BooleanField("内容完整", default=False)
    is_clear = models.BooleanField("内容清晰", default=False)
    published_at = models.DateTimeField("发布", null=True, blank=True)
    effective_on = models.DateField("生效日", null=True, blank=True)
    expires_on = models.DateField("有效期至", null=True, blank=True)
    improves = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="improved_by",
        verbose_name="改进自",
    )
    answers_change = models.ForeignKey(
        Change,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="materials",
        verbose_name="回应的变动",
    )
    fixed_hash = fields.Text("固定条款哈希", blank=True, default="", editable=False)
    legal_signed_at = models.DateTimeField("法务签认", null=True, blank=True)
    sales_signed_at = models.DateTimeField("销售签认", null=True, blank=True)

    judges = ("product",)
    tracked = ("state",)

    stage_field = "state"
    moves = {
        "DRAFT": ("CHECKED", "RETIRED"),
        "CHECKED": ("PUBLISHED", "WAITING", "DRAFT", "RETIRED"),
        "WAITING": ("PUBLISHED", "DRAFT", "RETIRED"),
        "PUBLISHED": ("RETIRED",),
    }
    governed = {
        "state": "publish_material",
        "published_at": "publish_material",
        "level": "open_to_customers",
        "legal_signed_at": "sign_template",
        "sales_signed_at": "sign_template",
    }
    facts = {"is_current": facts.Among("现行", of="state", values=("PUBLISHED",))}

    class Meta(Record.Meta):
        verbose_name = "资料"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "version"],
                condition=Q(removed_at=None),
                name="material_once",
                violation_error_message="这个编号已有这个版本，请换一个版本号",
            ),
            models.UniqueConstraint(
                fields=["code"],
                condition=Q(state="PUBLISHED", removed_at=None),
                name="material_one_current",
                violation_error_message="这份资料已有现行版本，请先停用旧的",
            ),
            models.CheckConstraint(
                condition=Q(expires_on=None)
                | Q(effective_on=None)
                | Q(expires_on__gte=F("effective_on")),
                name="material_span",
                violation_error_message="有效期不能早于生效日",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} 第 {self.version} 版" if self.version > 1 else self.title

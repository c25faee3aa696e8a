"""The base of every business record, and the guard that no query runs without a scope.

A `Record` is logged by the database (see `sql/log.sql`), versioned, and goes to the recycle bin
instead of vanishing. Reading needs `seen_by(actor)` or the loud `everything("why")`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.apps import apps
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Func, Q


class ScopeMissing(Exception):
    """A query was about to run without saying for whom."""


class CurrentActor(Func):
    """The acting person's number, as the transaction announced it."""

    template = "nullif(current_setting('fangyuan.actor', true), '')::bigint"
    output_field = models.BigIntegerField()


class TransactionNumber(Func):
    """The number of the writing transaction, by which the sweep sees what it has not read yet."""

    template = "pg_current_xact_id()::text::bigint"
    output_field = models.BigIntegerField()


Scope = Callable[[Any, type[models.Model]], Q]
_scopes: list[Scope] = []
_validating: ContextVar[bool] = ContextVar("validating", default=False)


def register_scope(scope: Scope) -> None:
    """The access room registers here the one function that says which rows an actor sees."""
    _scopes[:] = [scope]


@contextmanager
def _unguarded() -> Any:
    token = _validating.set(True)
    try:
        yield
    finally:
        _validating.reset(token)


class ScopedQuerySet(models.QuerySet[Any]):
    """A queryset that refuses to touch rows until a scope was named."""

    _scoped: bool = False

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._scoped = self._scoped
        return clone

    def seen_by(self, actor: Any) -> Self:
        """The rows that `actor` may see."""
        seen = self.filter(_scopes[0](actor, self.model))
        seen._scoped = True
        return seen

    def everything(self, reason: str) -> Self:
        """All rows, for the engine, jobs and checks; `reason` says why."""
        if not reason:
            raise ValueError("everything() needs a reason")
        clone = self._chain()  # type: ignore[attr-defined]
        clone._scoped = True
        return clone

    def present(self) -> Self:
        """Rows that are not in the recycle bin."""
        return self.filter(removed_at=None)

    def _guard(self) -> None:
        if not (self._scoped or _validating.get()):
            raise ScopeMissing(
                f"{self.model._meta.model_name}: say seen_by(actor) or everything(reason)"
            )

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._guard()
        super()._fetch_all()

    def iterator(self, chunk_size: int | None = None) -> Any:
        self._guard()
        return super().iterator(chunk_size or 2000)

    def count(self) -> int:
        self._guard()
        return super().count()

    def exists(self) -> bool:
        self._guard()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._guard()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._guard()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._guard()
        return super().delete()

    def _raw_delete(self, using: str | None) -> int:
        self._guard()
        return super()._raw_delete(using)


class Row(models.Model):
    """Anything kept: scoped reading, no log. Append-only and engine tables build on it directly."""

    objects = ScopedQuerySet.as_manager()

    if TYPE_CHECKING:  # pointer fields make columns that the checker cannot see

        def __getattr__(self, name: str) -> Any: ...

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.pk}"

    @classmethod
    def record_name(cls) -> str:
        """The type's name in rules, imports and URLs, e.g. `plan_item`."""
        return _snake(cls.__name__)

    def validate_unique(self, exclude: Any = None) -> None:
        with _unguarded():
            super().validate_unique(exclude)

    def validate_constraints(self, exclude: Any = None) -> None:
        with _unguarded():
            super().validate_constraints(exclude)


class Record(Row):
    """A business record: who entered it when, its version, its recycle bin, its external key.

    `recorded_at` is the database's clock; only imported history brings its own (then `imported_at`
    says when it really came in). `key` is the name by which import files refer to the record.
    """

    recorded_at = models.DateTimeField("录入时间", db_default=TransactionNow(), editable=False)
    recorded_by = models.BigIntegerField("录入人", db_default=CurrentActor(), editable=False)
    changed_at = models.DateTimeField("最近改动", db_default=TransactionNow(), editable=False)
    imported_at = models.DateTimeField("历史导入时间", null=True, editable=False)
    removed_at = models.DateTimeField("移入回收站", null=True, editable=False)
    revision = models.PositiveIntegerField("版本号", db_default=1, editable=False)
    key = models.TextField("外部编号", null=True, unique=True, blank=True, editable=False)

    # Instant from which the record exists for the rules (when it occurred or was learnt of).
    begins: ClassVar[str] = "recorded_at"
    # Fields whose past values are kept as spans (rules judge them as of any instant).
    tracked: ClassVar[tuple[str, ...]] = ()
    # Fields that only a verb may write: field -> verb.
    governed: ClassVar[dict[str, str]] = {}
    # Columns that are computed for search and never worth a line in the log.
    unlogged: ClassVar[tuple[str, ...]] = ()
    # Foreign keys to records whose write-time rules depend on this one (a contact's customer).
    judges: ClassVar[tuple[str, ...]] = ()
    # Reverse names of child records that are part of what an approval agrees to.
    content: ClassVar[tuple[str, ...]] = ()
    # How rows belong to people; see access.scopes.
    reach: ClassVar[dict[str, Any]] = {}
    # By whom the record is owned: a field that points at a person, or at the record whose holder
    # answers; "" means the record's own holder.
    owned_by: ClassVar[str] = ""
    # Whether a stand-in answers while the owner is on leave; one's own deeds are not passed on.
    passes_on: ClassVar[bool] = True
    # Field with the last day on which the record exists for the rules, if it has one.
    ends: ClassVar[str | None] = None
    # From when the rules know of the record: when it was entered, or (org) since it begins.
    known_since: ClassVar[str] = "recorded_at"
    # In imported rows: field -> (field whose presence settles it, value), e.g. ended means done.
    implied: ClassVar[dict[str, tuple[str, str]]] = {}
    # Stage field and allowed moves, where the type has stages.
    stage_field: ClassVar[str | None] = None
    moves: ClassVar[dict[str, tuple[str, ...]]] = {}

    class Meta(Row.Meta):
        abstract = True

    def index(self) -> None:
        """Recompute the record's search columns; types that are searched override it."""


@functools.cache
def _snake(name: str) -> str:
    return "".join("_" + c.lower() if c.isupper() else c for c in name).lstrip("_")


def record_types() -> dict[str, type[Record]]:
    """Every record type by its name."""
    return {name: model for name, model in row_types().items() if issubclass(model, Record)}


_known: tuple[Any, dict[str, type[Row]]] = (None, {})


def row_types() -> dict[str, type[Row]]:
    """Every scoped type by its name, records and append-only rows alike."""
    global _known  # noqa: PLW0603 - remembered for as long as Django knows the same models
    models_now = apps.get_models()
    if _known[0] is not models_now:
        _known = (models_now, {m.record_name(): m for m in models_now if issubclass(m, Row)})
    return _known[1]


def find(pointer: tuple[str, int] | None) -> Any:
    """The record a pointer (type name, number) names, or None."""
    if pointer is None:
        return None
    model = row_types().get(pointer[0])
    return model._base_manager.filter(pk=pointer[1]).first() if model else None

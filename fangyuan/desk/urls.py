"""Addresses of every record type's faces; a type without a desk has none."""

from __future__ import annotations

from django.urls import path, register_converter

from fangyuan.desk import attachments, board, bulk, declare, papers, views
from fangyuan.desk.exchange import pages as exchange


class DeskName:
    """The name of a record type that has a desk."""

    regex = "[a-z_]+"

    def to_python(self, value: str) -> declare.Desk:
        """Find the desk; a name without one is no address (404)."""
        try:
            return declare.desk_of(value)
        except declare.UnknownDesk as unknown:
            raise ValueError(value) from unknown

    def to_url(self, value: declare.Desk | str) -> str:
        """Write the desk's name."""
        return value if isinstance(value, str) else value.name


register_converter(DeskName, "desk")

urlpatterns = [
    path("choices", views.pointers, name="pointers"),
    path("undo/<str:token>", views.take_back, name="undo"),
    path("<desk:desk>/", views.index, name="list"),
    path("<desk:desk>/new", views.new, name="new"),
    path("<desk:desk>/board", board.board, name="board"),
    path("<desk:desk>/choices", views.choices, name="choices"),
    path("<desk:desk>/duplicates", views.duplicates, name="duplicates"),
    path("<desk:desk>/views", views.save_view, name="save_view"),
    path("<desk:desk>/bulk/set/<str:name>", bulk.set_field, name="bulk_set"),
    path("<desk:desk>/bulk/do/<str:verb>", bulk.act_on, name="bulk_act"),
    path("<desk:desk>/bulk/export", bulk.export, name="bulk_export"),
    path("<desk:desk>/bulk/remove", bulk.remove_all, name="bulk_remove"),
    path("<desk:desk>/import", exchange.upload, name="import"),
    path("<desk:desk>/import/template", exchange.template, name="import_template"),
    path("<desk:desk>/import/<int:pk>", exchange.batch, name="import_batch"),
    path("<desk:desk>/import/<int:pk>/mistakes", exchange.rows_to_correct, name="import_mistakes"),
    path("<desk:desk>/import/<int:pk>/undo", exchange.undo, name="import_undo"),
    path("<desk:desk>/export", exchange.export, name="export"),
    path("<desk:desk>/<int:pk>", views.page, name="record"),
    path("<desk:desk>/<int:pk>/~<str:name>", views.panel, name="panel"),
    path("<desk:desk>/<int:pk>/edit", views.edit, name="edit"),
    path("<desk:desk>/<int:pk>/do/<str:verb>", views.act, name="act"),
    path("<desk:desk>/<int:pk>/cell/<str:name>", bulk.cell, name="cell"),
    path("<desk:desk>/<int:pk>/history/<str:name>", views.history, name="history"),
    path("<desk:desk>/<int:pk>/reveal/<str:name>", views.reveal, name="reveal"),
    path("<desk:desk>/<int:pk>/move", board.move, name="move"),
    path("<desk:desk>/<int:pk>/remove", views.remove, name="remove"),
    path("<desk:desk>/<int:pk>/restore", views.restore, name="restore"),
    path("<desk:desk>/<int:pk>/comment", views.comment, name="comment"),
    path("<desk:desk>/<int:pk>/attach", attachments.attach, name="attach"),
    path("<desk:desk>/<int:pk>/attachment/<int:number>", attachments.download, name="attachment"),
    path("<desk:desk>/<int:pk>/paper", papers.page, name="paper"),
    path("<desk:desk>/<int:pk>/paper.pdf", papers.pdf, name="paper_pdf"),
    path("<desk:desk>/<int:pk>/paper.docx", papers.docx, name="paper_docx"),
]

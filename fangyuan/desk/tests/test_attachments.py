"""Files are kept as they came, checked by what they are, and read only with their record."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from fangyuan import door
from fangyuan.core.models import Term
from fangyuan.desk import attachments
from fangyuan.desk.models import Attachment

PDF = b"%PDF-1.7 a small document"


@pytest.fixture
def here(company, tmp_path, settings):
    """The small company, with a folder of its own for files."""
    settings.MEDIA_ROOT = tmp_path
    with door.acting(by=None, action="test") as deed:
        deed.create(Term, {"domain": "attachment", "code": "GENERAL", "label": "一般附件"})
    return company


def signed_in(person):
    """A browser of this person."""
    client = Client()
    client.force_login(person)
    return client


def upload(person, record, content=PDF, name="合同.pdf"):
    """Hand in a file on a record's page."""
    url = f"/{record.record_name()}/{record.pk}/attach"
    return signed_in(person).post(url, {"file": SimpleUploadedFile(name, content)})


def test_a_file_is_kept_by_its_hash_and_given_back_with_its_name(here):
    assert upload(here.li, here.customer).status_code == 302
    kept = Attachment._base_manager.get()
    assert (kept.name, kept.size) == ("合同.pdf", len(PDF))
    assert kept.file.name.startswith(f"attachments/{kept.sha256[:2]}/{kept.sha256}")
    answer = signed_in(here.li).get(f"/customer/{here.customer.pk}/attachment/{kept.pk}")
    assert b"".join(answer.streaming_content) == PDF
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_who_does_not_see_the_record_reaches_none_of_its_files(here):
    upload(here.li, here.customer)
    kept = Attachment._base_manager.get()
    url = f"/customer/{here.customer.pk}/attachment/{kept.pk}"
    assert signed_in(here.zhao).get(url).status_code == 404
    assert upload(here.zhao, here.customer).status_code == 404
    assert signed_in(here.li).get(f"/person/{here.li.pk}/attachment/{kept.pk}").status_code == 404


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("页面.html", b"<script>alert(1)</script>"),
        ("合同.pdf", b"MZ\x90\x00"),
        ("名单.csv", b"a,b\x00c"),
        ("无名", PDF),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(here, name, content):
    upload(here.li, here.customer, content, name)
    assert not Attachment._base_manager.exists()


def test_a_file_that_is_too_large_is_refused(here, monkeypatch):
    monkeypatch.setattr(attachments, "LARGEST", 10)
    upload(here.li, here.customer)
    assert not Attachment._base_manager.exists()


def test_a_path_in_a_name_goes_no_further(here):
    upload(here.li, here.customer, PDF, "..\\..\\合同.pdf")
    assert Attachment._base_manager.get().name == "合同.pdf"

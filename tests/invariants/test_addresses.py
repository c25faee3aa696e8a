"""Every face of every record type is reached at its own address; no special page takes it."""

from __future__ import annotations

from django.urls import resolve, reverse

from fangyuan.desk import declare, urls

GIVEN = {"int": 7, "str": "word"}


def test_no_page_takes_the_address_of_a_face():
    taken = {}
    for desk in declare.desks():
        for face in urls.urlpatterns:
            wanted = face.pattern.converters
            if "desk" not in wanted:
                continue
            kinds = {name: type(one).__name__[:3].lower() for name, one in wanted.items()}
            given = {name: GIVEN[kind] for name, kind in kinds.items() if name != "desk"}
            address = reverse(face.name, kwargs={"desk": desk, **given})
            if (name := resolve(address).url_name) != face.name:
                taken[address] = name
    assert taken == {}


def test_a_clause_is_found_by_its_number():
    assert resolve("/clause/RES-3.1.2a").url_name == "clause"

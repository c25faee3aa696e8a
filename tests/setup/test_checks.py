"""The start-up checks accept this server and name what is wrong with others."""

import pytest
from django.core.management.base import CommandError
from django.db import connection

from fangyuan.core import checks

pytestmark = pytest.mark.django_db


def test_the_embedded_server_is_fit():
    checks.refuse_unfit()


def test_a_server_that_may_forget_is_refused(settings):
    # The tests' own server runs without fsync, which only tests may.
    settings.TESTING = False
    with pytest.raises(CommandError, match="fsync 是 off,断电时会损坏数据"):
        checks.refuse_unfit()


def test_a_database_without_chinese_trigrams_is_refused():
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA blind")
        cursor.execute(
            "CREATE FUNCTION blind.show_trgm(text) RETURNS text[] LANGUAGE sql"
            " AS $$ SELECT '{}'::text[] $$"
        )
        cursor.execute("SET LOCAL search_path = blind, public")
    with pytest.raises(CommandError, match="中文搜索会查不到结果"):
        checks.refuse_unfit()
    assert "C.UTF-8" in checks.knows_chinese(connection)[0].hint

"""Trigrams for pinyin search, scalar GiST for exclusion constraints."""

from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension
from django.db import migrations


class Migration(migrations.Migration):
    operations = [TrigramExtension(), BtreeGistExtension()]

#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from django.core.management import BaseCommand, ManagementUtility


class CommandLine(ManagementUtility):
    """Runs one command; without the system checks where this very code has passed them."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        command = super().fetch_command(subcommand)
        # The checks load every page and the whole API, a second that no command needs twice.
        if os.environ.get("FY_CHECKED") == "1":
            command.requires_system_checks = []
        return command


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fangyuan.site.settings")
    try:
        CommandLine(sys.argv).execute()
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)

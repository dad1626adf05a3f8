"""`python manage.py researcher NAME`: makes a researcher's account, or gives one a new password."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from studies.services.people import PeopleRefused, account_set


class Command(BaseCommand):
    """Prints the drawn password once: only its hash is kept."""

    help = (
        "Make a researcher's account, or give an account that exists a new password. The password is drawn and printed"
        " once; with --password-stdin it is the first line of standard input. A new password revokes the account's API"
        " tokens."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", metavar="NAME", help="the name to log in with")
        parser.add_argument("--password-stdin", action="store_true", help="read the password instead of drawing one")
        parser.add_argument("--reactivate", action="store_true", help="let a disabled account log in again")

    def handle(self, *args: Any, **options: Any) -> None:
        given = sys.stdin.readline().rstrip("\r\n") if options["password_stdin"] else None
        try:
            user, password, is_new, revoked = account_set(
                name=options["name"], password=given, reactivate=options["reactivate"]
            )
        except PeopleRefused as refused:
            for reason in refused.reasons:
                self.stderr.write(reason)
            sys.exit(1)
        tokens = f", {revoked} API token{'' if revoked == 1 else 's'} revoked" if revoked else ""
        self.stdout.write(f"{user.username}: {'account made' if is_new else 'new password set'}{tokens}")
        if not user.is_active:
            self.stderr.write("The account is disabled and stays so: with --reactivate it can log in again.")
        if given is None:
            self.stdout.write(f"password: {password}")
            self.stderr.write("It is shown this once; log in and change it under “Password”.")

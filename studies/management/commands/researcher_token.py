"""`python manage.py researcher_token rosa --name nightly --days 30`: a token of the API, printed once."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from studies.services.tokens import TokenRefused, token_create


class Command(BaseCommand):
    """Makes a token for an account, for machines without a browser."""

    help = "Make a token of the API for an account and print it. It is shown this once; only its hash is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Whose, what for, how long."""
        parser.add_argument("account", help="name of the researcher's account")
        parser.add_argument("--name", default="script", help="what the token is for (default: script)")
        parser.add_argument("--days", type=int, default=90, help="how long it is good for (default: 90)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Prints the token alone, so that it can be piped."""
        user = User.objects.filter(username=options["account"]).first()
        if user is None:
            raise CommandError(f"there is no account called {options['account']}")
        try:
            _, text = token_create(user=user, name=options["name"], days=options["days"])
        except TokenRefused as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(text)

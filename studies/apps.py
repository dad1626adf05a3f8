"""App configuration."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate, pre_migrate


class StudiesConfig(AppConfig):
    """The one app of the project."""

    name = "studies"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Keep the append-only triggers, which a rebuilt table would lose."""
        from studies.append_only import install_after_migrations, lift_before_migrations

        pre_migrate.connect(lift_before_migrations, sender=self, dispatch_uid="append_only")
        post_migrate.connect(install_after_migrations, sender=self, dispatch_uid="append_only")

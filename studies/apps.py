"""App configuration."""

from django.apps import AppConfig


class StudiesConfig(AppConfig):
    """The one app of the project."""

    name = "studies"
    default_auto_field = "django.db.models.BigAutoField"

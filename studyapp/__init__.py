"""The Django project. The Celery app is loaded with Django so that tasks find their broker."""

from studyapp.celery import app as celery_app

__all__ = ["celery_app"]

"""The Celery app: `celery -A studyapp worker`. The database is the truth; a message only rings a worker."""

import os

from celery import Celery

from studyapp import file_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studyapp.settings")

file_broker.use()
app = Celery("studyapp")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(related_name="reconciler")  # it listens to a worker's signals

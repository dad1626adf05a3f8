"""Celery as docs/reliability.md promises it: late acknowledgement, one message at a time, JSON, limits in order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from studyapp import celery_app

ROOT = Path(__file__).resolve().parents[2]


def asked(tmp_path: Path, expression: str, **environment: str) -> Any:
    """A value in a process of its own with these settings."""
    program = (
        f"import json, django; django.setup(); from studyapp import celery_app as app; print(json.dumps({expression}))"
    )
    own = {**os.environ, "STATE_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "studyapp.settings", **environment}
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=own, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_a_message_is_acknowledged_late_one_at_a_time_as_json_and_its_result_ignored() -> None:
    conf = celery_app.conf
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.task_ignore_result) == (True, True, True)
    assert (conf.worker_prefetch_multiplier, conf.task_serializer, conf.accept_content) == (1, "json", ["json"])
    assert conf.result_backend is None


def test_a_worker_without_options_serves_every_queue() -> None:
    assert set(celery_app.amqp.queues.consume_from) == {"cpu", "gpu", "live"}


def test_queues_do_not_share_their_messages() -> None:
    routes = {(queue.exchange.name, queue.routing_key) for queue in celery_app.amqp.queues.values()}
    assert len(routes) == 3


@pytest.mark.parametrize(("device", "queue"), [("auto", "cpu"), ("cpu", "cpu"), ("cuda", "gpu"), ("cuda:1", "gpu")])
def test_work_goes_to_the_queue_of_its_device_and_reports_to_live(tmp_path: Path, device: str, queue: str) -> None:
    tasks = ("work_task", "desk_task", "report_task")
    route = f"[app.amqp.router.route({{}}, 'studies.tasks.' + name)['queue'].name for name in {tasks}]"
    assert asked(tmp_path, route, DEVICE=device) == [queue, "live", "live"]


def test_a_task_ends_before_its_lease_and_the_lease_before_the_message_comes_again(tmp_path: Path) -> None:
    expression = "[app.conf.task_time_limit, app.conf.broker_transport_options['visibility_timeout']]"
    limit, visible = asked(tmp_path, expression, CELERY_BROKER_URL="redis://127.0.0.1:1/0")
    # A lease is renewed until the work hangs, and lasts LEASE_SECONDS from then.
    longest_lease = settings.TASK_SECONDS + settings.HANG_SECONDS + settings.LEASE_SECONDS
    assert limit < longest_lease < visible

"""A web process that served every kind of page has loaded neither torch nor the heavy tables."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "pandas", "scipy.stats", "transformers", "sklearn", "skimage", "statsmodels", "matplotlib")
#: A worker's part: a study that is filled in, unblinded and reported.
WORKER = """
import studies, django; django.setup()
from django.core.management import call_command; call_command("migrate", verbosity=0)
from studies.models import Study
from studies.reports.build import report_store
from studies.services.simulation import parse_policy, sheets_simulate
from studies.services.tokens import token_create
from tests import cast
made = cast.study(owner=cast.researcher())
sheets_simulate(version=made.version, policy=parse_policy("guesser"), per_condition=1, seed=0)
Study.objects.update(state="unblinded"); report_store(version_pk=made.version.pk)
other = cast.study(owner=made.owner, text=cast.renamed("open"))
link = cast.invite(other)
print(token_create(user=made.owner, name="script", days=1)[1], f"/s/open/{link.token}/")
"""
WEB = """
import json, re, sys
import studyapp.wsgi
import studies.tasks  # loaded by Celery in any process that rings a worker
from django.contrib.auth.models import User
from django.test import Client
token, link = sys.argv[1:]
host, served = {"host": "127.0.0.1"}, {}
def see(client, path, **more):
    response = client.get(path, headers={**host, **more}, follow=True)
    served[path] = response.status_code
    return response.content.decode(errors="replace")
def send(client, path, **values):
    served["POST " + path] = client.post(path, values, headers=host, follow=True).status_code
ann = Client()
see(ann, link); send(ann, link)
sha256 = re.search('name="sha256" value="([^"]+)"', see(ann, "/t/consent/")).group(1)
send(ann, "/t/consent/", agree="yes", sha256=sha256)
see(ann, "/t/instructions/"); send(ann, "/t/instructions/")
page = see(ann, "/t/item/")
picture = re.search('src="(/m/[^"]+)"', page).group(1)
see(ann, picture)
fields = dict(re.findall('name="(position|submission|sheet)" value="([^"]+)"', page))
choice = re.search('name="choice" value="([^"]+)"', page).group(1)
send(ann, "/t/item/", choice=choice, confidence="3", helpful="overview", clarity="2", **fields)
rosa = Client(); rosa.force_login(User.objects.get(username="rosa"))
for part in ("", "report/", "run/", "links/", "people/", "audit/", "blinding/", "design/", "export/"):
    see(rosa, f"/studies/scenes/{part}")
for path in ("/", "/studies/new/", "/healthz", "/schema/study.json", "/api/schema/"):
    see(rosa, path)
for path in ("studies/", "studies/scenes/", "studies/scenes/report/", "studies/scenes/audit/"):
    see(Client(), f"/api/v1/{path}", authorization=f"Token {token}")
print(json.dumps([served, [name for name in %r if name in sys.modules]]))
""" % (HEAVY,)  # noqa: UP031


@pytest.mark.slow
def test_a_process_that_served_annotators_reports_and_the_api_loads_no_heavy_module(tmp_path: Path) -> None:
    token, link = run(tmp_path, WORKER).split()[-2:]
    served, heavy = json.loads(run(tmp_path, WEB, token, link).strip().splitlines()[-1])
    assert {path: status for path, status in served.items() if status != 200} == {}
    assert heavy == []


def run(folder: Path, program: str, *arguments: str) -> str:
    own = {"STATE_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "studyapp.settings", "OMP_NUM_THREADS": "1"}
    kept = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "MEDIA_ROOT")}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=ROOT, env={**kept, **own}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout

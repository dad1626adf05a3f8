"""The API describes itself, completely and without warnings."""

from __future__ import annotations

import json
import re

import pytest
from django.conf import settings
from django.test import Client
from django.urls import get_resolver, resolve

from studies.api import urls
from studies.api.schema import described


def test_the_description_is_made_without_warnings_or_errors(capsys: pytest.CaptureFixture[str]) -> None:
    described.cache_clear()
    described()
    assert capsys.readouterr().err == ""


def test_every_operation_is_described_with_a_sentence_and_a_name_of_its_own() -> None:
    paths = json.loads(described())["paths"]
    assert len(paths) == len(urls.urlpatterns)
    operations = [operation for methods in paths.values() for operation in methods.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == 20
    assert all(operation["description"] for operation in operations)
    assert all({"tokenAuth": []} in operation["security"] for operation in operations)


def test_addresses_that_the_api_guide_names_exist() -> None:
    guide = (settings.BASE_DIR / "docs" / "api.md").read_text(encoding="utf-8")
    shown = re.findall(r"\$S(/\S+)", guide)
    assert len(shown) >= 14
    for path in shown:
        resolve(f"/api/v1{path}")
    table = {
        path.replace("<study>", "{slug}").replace("<number>", "{number}").replace("<form>", "{form}")
        for path in re.findall(r"`(/api/v1/[^`]+)`", guide)
    }
    assert table == set(json.loads(described())["paths"])


@pytest.mark.django_db
def test_there_is_json_only_and_no_browsable_page(client: Client) -> None:
    response = client.get("/api/v1/studies/", headers={"Accept": "text/html"})
    assert response["Content-Type"] == "application/json"
    assert client.get("/api/schema/")["Content-Type"] == "application/vnd.oai.openapi+json"
    assert get_resolver().resolve("/api/v1/studies/").func.cls.renderer_classes[0].format == "json"

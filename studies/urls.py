"""Addresses of both worlds: the annotators' (no login) and the researchers' (login, or a token for the API)."""

from django.urls import include, path

from studies.api.schema import schema
from studies.views.annotator.urls import urlpatterns as annotator_urls
from studies.views.researcher.urls import urlpatterns as researcher_urls

urlpatterns = [
    *annotator_urls,
    *researcher_urls,
    path("api/v1/", include("studies.api.urls")),
    path("api/schema/", schema, name="api_schema"),
]

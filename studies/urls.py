"""Addresses of both worlds: the annotators' (no login) and the researchers' (login)."""

from studies.views.annotator.urls import urlpatterns as annotator_urls
from studies.views.researcher.urls import urlpatterns as researcher_urls

urlpatterns = [*annotator_urls, *researcher_urls]

"""All addresses: studies.urls holds them, in two worlds."""

from django.urls import include, path

urlpatterns = [path("", include("studies.urls"))]

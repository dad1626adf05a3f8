"""All addresses: studies.urls holds them, in two worlds."""

from django.urls import include, path

urlpatterns = [path("", include("studies.urls"))]
handler400 = "studies.views.errors.bad_request"
handler404 = "studies.views.errors.not_found"

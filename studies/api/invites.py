"""The links that annotators get: list, create, revoke."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.generics import ListAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from studies.api.operation import Conflict, Operation
from studies.api.shapes import InviteShape, ReasonsShape
from studies.models import Invite
from studies.models.sheet import Kind
from studies.services.inviting import MOST_LABEL, InvitesRefused, invite_revoke, invites_create

MOST = 500


class InvitesWanted(serializers.Serializer[Any]):
    """How many links, and a label for all of them, for example the course they are for."""

    count = serializers.IntegerField(min_value=1, max_value=MOST)
    label = serializers.CharField(max_length=MOST_LABEL, required=False, default="", allow_blank=True)


class InviteList(ListAPIView[Invite], Operation):
    """The study's links for annotators."""

    serializer_class = InviteShape

    def get_queryset(self) -> QuerySet[Invite]:
        """Links for people; previews are not among them."""
        if getattr(self, "swagger_fake_view", False):
            return Invite.objects.none()
        live = self.study().invites.filter(kind=Kind.LIVE)
        return live.select_related("study").prefetch_related("sheets").order_by("number")

    @extend_schema(operation_id="invites_list")
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List the links with their labels and whether they are claimed."""
        return super().get(request, *args, **kwargs)


class InviteCreate(Operation):
    """More links."""

    @extend_schema(
        operation_id="invites_create",
        request=InvitesWanted,
        responses={201: InviteShape(many=True), 409: ReasonsShape},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Make links, each for one annotator."""
        study = self.study()
        wanted = InvitesWanted(data=request.data)
        wanted.is_valid(raise_exception=True)
        try:
            made = invites_create(study=study, **wanted.validated_data)
        except InvitesRefused as refused:
            raise Conflict([refused]) from refused
        return Response(InviteShape(made, many=True).data, status=status.HTTP_201_CREATED)


class Invites(InviteCreate, InviteList):
    """One address, two operations."""


class InviteRevoke(Operation):
    """One link, by its number: links themselves stay out of addresses, which are logged."""

    @extend_schema(operation_id="invites_revoke", request=None, responses={200: InviteShape, 409: ReasonsShape})
    def post(self, request: Request, slug: str, number: int) -> Response:
        """Make an unclaimed link useless."""
        study = self.study()
        invite = get_object_or_404(study.invites.select_related("study"), kind=Kind.LIVE, number=number)
        if not invite_revoke(study=study, token=invite.token):
            raise Conflict([f"link {number} is claimed or revoked already"])
        invite.refresh_from_db()
        return Response(InviteShape(invite).data)

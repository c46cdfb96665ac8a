"""EC2's CloudFormation types."""

from __future__ import annotations

from ...resources import Resource

RESOURCES: dict[str, Resource] = {}

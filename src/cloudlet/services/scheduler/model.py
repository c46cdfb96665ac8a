"""The facts of this service: quotas, errors, what is not built, CloudFormation types. Data only."""

from __future__ import annotations

from ...resources import Resource

UNSUPPORTED: dict[str, str] = {}

RESOURCES: dict[str, Resource] = {}

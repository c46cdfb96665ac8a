"""ElastiCache: serverless caches, clusters and replication groups, each a real Valkey server."""

from ...context import Service
from . import fleet, model, operations, validation

SERVICE = Service(
    models=("elasticache",),
    operations=operations,
    validation=validation,
    model=model,
    runtime=fleet.Fleet,
)

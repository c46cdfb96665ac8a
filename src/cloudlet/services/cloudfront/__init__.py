"""CloudFront: distributions that serve, from S3 and custom origins, with a cache that follows the clock."""

from ...context import Service
from . import model, operations, validation

SERVICE = Service(
    models=("cloudfront",),
    operations=operations,
    validation=validation,
    model=model,
)

"""ElastiCache's operations, one module for each noun."""

from .serverless import (
    create_serverless_cache,
    delete_serverless_cache,
    describe_serverless_caches,
    modify_serverless_cache,
)

__all__ = [
    "create_serverless_cache",
    "delete_serverless_cache",
    "describe_serverless_caches",
    "modify_serverless_cache",
]

"""What is wrong with an expression, without the name of the parameter that holds it."""

from __future__ import annotations


class ExpressionError(ValueError):
    """The message goes after "Invalid ConditionExpression: " (or whichever parameter it was)."""

"""DynamoDB's expression language: text to tokens to trees to compiled functions. No I/O, no table, no request.

Each kind is compiled once for its text and aliases and kept in a bounded cache; see `binding` for what that means.
"""

from .conditions import Condition, compile_condition
from .errors import ExpressionError
from .keys import KeyCondition, KeyConditionError, compile_key_condition
from .projections import Projection, compile_projection, project_attributes
from .updates import Update, compile_actions, compile_update

__all__ = [
    "Condition",
    "ExpressionError",
    "KeyCondition",
    "KeyConditionError",
    "Projection",
    "Update",
    "compile_actions",
    "compile_condition",
    "compile_key_condition",
    "compile_projection",
    "compile_update",
    "project_attributes",
]

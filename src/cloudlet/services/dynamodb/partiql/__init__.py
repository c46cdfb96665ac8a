"""PartiQL as DynamoDB speaks it: text to statements, statements to what the other operations' requests compile to."""

from .parser import parse
from .statements import Delete, Exists, Insert, Select, Statement, Update

__all__ = ["Delete", "Exists", "Insert", "Select", "Statement", "Update", "parse"]

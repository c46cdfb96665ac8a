"""Token streams to syntax trees, by recursive descent. Pure functions of the text, remembered by it.

condition   := and ("OR" and)*                       not     := "NOT" not | term
and         := not ("AND" not)*                      term    := operand [comparison] | "(" condition ")"
comparison  := ("=" | "<>" | …) operand | "BETWEEN" operand "AND" operand | "IN" "(" operand ("," operand)* ")"
operand     := path | value | function "(" operand ("," operand)* ")" | "(" operand ")"
path        := name ("." name | "[" number "]")*
update      := (("SET" | "REMOVE" | "ADD" | "DELETE") action ("," action)*)+
"""

from __future__ import annotations

from functools import lru_cache

from ..model import MAX_OPERATORS
from .errors import ExpressionError
from .lexer import Tokens
from .nodes import (
    Action,
    And,
    Arithmetic,
    Between,
    Call,
    Compare,
    In,
    Node,
    Not,
    Operand,
    Or,
    Path,
    Truth,
    ValueRef,
)
from .reserved import RESERVED

CONDITION_FUNCTIONS = frozenset(
    ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size")
)
UPDATE_FUNCTIONS = frozenset(("if_not_exists", "list_append"))
COMPARATORS = frozenset(("=", "<>", "<", "<=", ">", ">="))
SECTIONS = ("SET", "REMOVE", "ADD", "DELETE")
_WORDS = ("AND", "OR", "NOT", "BETWEEN", "IN")
_MAX_DEPTH = 100

_Any = Node | Operand


@lru_cache(maxsize=2048)
def parse_condition(text: str) -> Node:
    return _Conditions(text).parse()


@lru_cache(maxsize=1024)
def parse_projection(text: str) -> tuple[Path, ...]:
    parser = _Parser(text)
    paths = [parser.path()]
    while parser.tokens.sign(","):
        paths.append(parser.path())
    parser.end()
    return tuple(paths)


@lru_cache(maxsize=1024)
def parse_update(text: str) -> tuple[Action, ...]:
    return _Updates(text).parse()


class _Parser:
    """What all kinds share: operands, paths, and the mistakes that are reported only after the whole text parsed."""

    functions: frozenset[str] = frozenset()
    purpose = ""
    words: tuple[str, ...] = ()

    def __init__(self, text: str) -> None:
        if not text.strip():
            raise ExpressionError("The expression can not be empty;")
        self.tokens = Tokens(text)
        self.depth = 0
        self.parens = False
        self.unknown_function = ""
        self.foreign_function = ""
        self.misused_function = ""
        self.reserved = ""
        self.operators = 0

    def end(self, reserved_first: bool = False) -> None:
        """The text is over; say what was wrong with it, in the service's order (updates have one of their own)."""
        if self.tokens.next.kind != "end":
            raise self.tokens.error()
        if reserved_first:
            self.check_reserved()
        if self.operators > MAX_OPERATORS:
            raise ExpressionError(
                "The expression contains more operators than are allowed; "
                f"number of operators: {self.operators}, maximum: {MAX_OPERATORS}"
            )
        if self.parens:
            raise ExpressionError("The expression has redundant parentheses;")
        if self.unknown_function:
            raise ExpressionError(f"Invalid function name; function: {self.unknown_function}")
        if self.foreign_function:
            raise ExpressionError(
                f"The function is not allowed in {self.purpose}; function: {self.foreign_function}"
            )
        if self.misused_function:
            raise ExpressionError(
                "The function is not allowed to be used this way in an expression; "
                f"function: {self.misused_function}"
            )
        self.check_reserved()

    def check_reserved(self) -> None:
        if self.reserved:
            raise ExpressionError(f"Attribute name is a reserved keyword; reserved keyword: {self.reserved}")

    def path(self) -> Path:
        parts: list[str | int] = [self.path_name()]
        while True:
            if self.tokens.sign("."):
                parts.append(self.path_name())
            elif self.tokens.sign("["):
                if self.tokens.next.kind != "number":
                    raise self.tokens.error()
                parts.append(int(self.tokens.take().text[:9]))
                self.tokens.expect("]")
            else:
                return Path(tuple(parts))

    def path_name(self) -> str:
        token = self.tokens.next
        if token.kind == "name" and not self.tokens.is_keyword(*self.words):
            if not self.reserved and token.text.upper() in RESERVED:
                self.reserved = token.text
        elif token.kind != "alias":
            raise self.tokens.error()
        return self.tokens.take().text

    def plain_operand(self) -> Operand:
        """A path, a value or a function call."""
        token = self.tokens.next
        if token.kind == "value":
            return ValueRef(self.tokens.take().text)
        after = self.tokens.after
        if token.kind == "name" and after.kind == "sign" and after.text == "(":
            if self.tokens.is_keyword(*self.words):
                raise self.tokens.error()
            return self.call()
        return self.path()

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise ExpressionError("The expression is nested too deeply;")

    def call(self) -> Call:
        self.operators += 1
        name = self.tokens.take().text
        self.deeper()
        self.tokens.expect("(")
        args = self.operands()
        self.tokens.expect(")")
        self.depth -= 1
        if name not in self.functions:
            if name not in CONDITION_FUNCTIONS | UPDATE_FUNCTIONS:
                self.unknown_function = self.unknown_function or name
            else:
                self.foreign_function = self.foreign_function or name
        return Call(name, args)

    def operands(self) -> tuple[Operand, ...]:
        args = [self.operand()]
        while self.tokens.sign(","):
            args.append(self.operand())
        return tuple(args)

    def operand(self) -> Operand:
        raise NotImplementedError

    def misused(self, *operands: Operand) -> None:
        """Functions other than `size` are conditions and can't be operands."""
        for operand in operands:
            if isinstance(operand, Call) and operand.name != "size" and not self.misused_function:
                self.misused_function = operand.name


class _Conditions(_Parser):
    functions = CONDITION_FUNCTIONS
    purpose = "a condition expression"
    words = _WORDS

    def parse(self) -> Node:
        node = self.condition(self.any())
        self.end()
        return node

    def any(self) -> _Any:
        """An expression of any kind: in "(a) = :v" only what follows tells a condition from an operand."""
        self.deeper()
        node = self.conjunction()
        while self.tokens.is_keyword("OR"):
            left = self.condition(node)
            self.operators += 1
            self.tokens.take()
            node = Or(left, self.condition(self.conjunction()))
        self.depth -= 1
        return node

    def conjunction(self) -> _Any:
        node = self.negation()
        while self.tokens.is_keyword("AND"):
            left = self.condition(node)
            self.operators += 1
            self.tokens.take()
            node = And(left, self.condition(self.negation()))
        return node

    def negation(self) -> _Any:
        negations = 0
        while self.tokens.is_keyword("NOT"):
            self.tokens.take()
            negations += 1
            self.operators += 1
            if self.depth + negations > _MAX_DEPTH:
                raise ExpressionError("The expression is nested too deeply;")
        node = self.comparison()
        for _ in range(negations):
            node = Not(self.condition(node))
        return node

    def condition(self, node: _Any) -> Node:
        """What stands where a condition has to: a bare operand is none, and neither is `size`."""
        if isinstance(node, Path | ValueRef | Arithmetic | Truth):
            raise self.tokens.error()
        if isinstance(node, Call) and node.name == "size" and not self.misused_function:
            self.misused_function = node.name
        return node

    def comparison(self) -> _Any:
        node = self.primary()
        if not isinstance(node, Path | ValueRef | Call):
            return node
        token = self.tokens.next
        if token.kind == "sign" and token.text in COMPARATORS:
            self.operators += 1
            sign = self.tokens.take().text
            right = self.operand()
            self.misused(node, right)
            return Compare(sign, node, right)
        if self.tokens.keyword("BETWEEN"):
            self.operators += 1
            low = self.operand()
            if not self.tokens.keyword("AND"):
                raise self.tokens.error()
            high = self.operand()
            self.misused(node, low, high)
            return Between(node, low, high)
        if self.tokens.keyword("IN"):
            self.operators += 1
            self.tokens.expect("(")
            options = self.operands()
            self.tokens.expect(")")
            self.misused(node, *options)
            return In(node, options)
        return node

    def primary(self) -> _Any:
        if not self.tokens.sign("("):
            return self.plain_operand()
        start = self.tokens.at
        node = self.any()
        end = self.tokens.at
        self.tokens.expect(")")
        if self._is_group(start, end):
            self.parens = True
        return node

    def _is_group(self, start: int, end: int) -> bool:
        """Whether the tokens between are one whole pair of parentheses."""
        tokens = self.tokens.slice(start, end)
        if tokens[0].text != "(" or tokens[-1].text != ")":
            return False
        depth = 0
        for token in tokens[:-1]:
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0:
                return False
        return True

    def operand(self) -> Operand:
        node = self.primary()
        if not isinstance(node, Path | ValueRef | Call):
            raise self.tokens.error()
        return node

    def call(self) -> Call:
        call = super().call()
        self.misused(*call.args)
        return call


class _Updates(_Parser):
    functions = UPDATE_FUNCTIONS
    purpose = "an update expression"
    words = SECTIONS

    def parse(self) -> tuple[Action, ...]:
        actions: list[Action] = []
        seen: set[str] = set()
        twice = ""
        while self.tokens.next.kind != "end":
            if not self.tokens.is_keyword(*SECTIONS):
                raise self.tokens.error()
            kind = self.tokens.take().text.upper()
            if kind in seen and not twice:
                twice = kind
            seen.add(kind)
            actions.append(self.action(kind))
            while self.tokens.sign(","):
                actions.append(self.action(kind))
        self.end(reserved_first=True)
        if twice:
            raise ExpressionError(f'The "{twice}" section can only be used once in an update expression;')
        return tuple(actions)

    def action(self, kind: str) -> Action:
        path = self.path()
        if kind == "REMOVE":
            return Action(kind, path)
        if kind == "SET":
            self.tokens.expect("=")
            return Action(kind, path, self.value())
        if self.tokens.next.kind != "value":
            raise self.tokens.error()
        return Action(kind, path, ValueRef(self.tokens.take().text))

    def call(self) -> Call:
        call = super().call()
        if call.name == "list_append":
            self.misused(*call.args)
        return call

    def misused(self, *operands: Operand) -> None:
        """Lists are not appended to what others were appended to, unlike what `if_not_exists` gives."""
        if any(isinstance(operand, Call) and operand.name == "list_append" for operand in operands):
            self.misused_function = "list_append"

    def value(self) -> Operand:
        """What is to be set: operands joined by + or -."""
        node = self.operand()
        token = self.tokens.next
        if token.kind == "sign" and token.text in "+-":
            self.operators += 1
            sign = self.tokens.take().text
            node = Arithmetic(sign, node, self.operand())
        return node

    def operand(self) -> Operand:
        if not self.tokens.sign("("):
            return self.plain_operand()
        self.deeper()
        node = self.value()
        self.depth -= 1
        self.tokens.expect(")")
        return node

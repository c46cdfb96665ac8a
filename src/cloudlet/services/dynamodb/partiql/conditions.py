"""What statements are made of: paths, values, operands and conditions, as the trees that expressions have."""

from __future__ import annotations

from typing import Any

from .. import numbers
from ..expressions.nodes import (
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
from ..model import MAX_NESTING, MAX_OPERATORS, ValueRefused, validation_error
from .lexer import Token, malformed, tokens_of
from .statements import Constant, Literal, Parameter, Sequenced, Struct

_COMPARATORS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_TESTS = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains")
_IN_CONDITIONS = (*_TESTS, "size")
_IN_UPDATES = ("list_append", "if_not_exists")
_TYPES = {
    "NULL": "NULL", "BOOLEAN": "BOOL", "BOOL": "BOOL", "BLOB": "B", "STRING": "S", "NUMERIC": "N", "STRUCT": "M",
    "TUPLE": "M", "LIST": "L",
}  # fmt: skip
_KEYWORDS = frozenset(
    (
        "AND", "ASC", "BETWEEN", "BY", "DELETE", "DESC", "FROM", "IN", "INSERT", "INTO", "IS", "NOT", "OR", "ORDER",
        "REMOVE", "RETURNING", "SELECT", "SET", "UPDATE", "VALUE", "VALUES", "WHERE",
    )
)  # fmt: skip
_MAX_DEPTH = 100
_MAX_INDEX = 2**31 - 1


class Conditions:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokens_of(text)
        self._at = 0
        self._depth = 0
        self._operators = 0
        self._literals: list[Literal] = []
        self._names: dict[str, str] = {}
        self._parameters = 0
        self._functions: tuple[str, ...] = _IN_CONDITIONS

    def check_operators(self) -> None:
        if self._operators > MAX_OPERATORS:
            raise validation_error(
                "The expression contains more operators than are allowed; "
                f"number of operators: {self._operators}, maximum: {MAX_OPERATORS}"
            )

    def placeholders(self) -> dict[str, Any]:
        return {
            "literals": tuple(self._literals),
            "names": tuple(self._names.items()),
            "parameters": self._parameters,
        }

    # -- tokens

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    def take(self) -> Token:
        token = self._tokens[self._at]
        self._at += token.kind != "end"
        return token

    def is_word(self, *words: str) -> bool:
        return self.next.kind == "name" and self.next.text.upper() in words

    def keyword(self, word: str) -> bool:
        if self.is_word(word):
            self._at += 1
            return True
        return False

    def is_sign(self, text: str) -> bool:
        return self.next.kind == "sign" and self.next.text == text

    def sign(self, text: str) -> bool:
        if self.is_sign(text):
            self._at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.sign(text):
            names = {"(": "LEFT_PAREN", ")": "RIGHT_PAREN", "]": "RIGHT_BRACKET", "}": "RIGHT_CURLY"}
            raise malformed(f"Expected {names.get(text, text)}")

    def position(self, token: Token) -> str:
        """Line, column and length of a token, from 1."""
        before = self._text[: token.start]
        return f"{before.count(chr(10)) + 1}:{token.start - before.rfind(chr(10))}:{token.length}"

    # -- paths and values

    def path(self) -> Path:
        parts: list[str | int] = [self._alias()]
        while True:
            if self.sign("."):
                if self.is_sign("*"):
                    raise validation_error("Unpivot path component like a.*.b are not supported")
                parts.append(self._alias())
            elif self.sign("["):
                if self.sign("*"):
                    raise validation_error("Wildcard path component like a[*].b are not supported")
                token = self.take()
                if token.kind == "text":
                    parts.append(self._named(token.text))
                else:
                    parts.append(self._index(token))
                self.expect("]")
            else:
                return Path(tuple(parts))

    def _index(self, token: Token) -> int:
        minus = token.kind == "sign" and token.text == "-"
        if minus:
            token = self.take()
        if token.kind != "number" or not token.text.isdigit():
            raise malformed("Unexpected path component")
        shown = token.text.lstrip("0") or "0"
        if (minus and shown != "0") or len(shown) > 10 or int(shown) > _MAX_INDEX:
            raise validation_error(
                "List index is not within the allowable range; "
                f"index: [{'-' if minus else ''}{shown}] at {self.position(token)}"
            )
        return int(shown)

    def _alias(self) -> str:
        token = self.next
        if token.kind == "quoted" or (token.kind == "name" and token.text.upper() not in _KEYWORDS):
            return self._named(self.take().text)
        if token.kind == "name":
            raise malformed("Unexpected operator" if self.is_word("IS", "IN") else "Unexpected keyword")
        raise malformed("Unexpected term" if token.kind == "end" else "Invalid path dot component")

    def _named(self, name: str) -> str:
        self._names[f"#{name}"] = name
        return f"#{name}"

    def literal(self, path: str = "root", level: int = 0) -> Literal:
        """A value: a constant, a parameter, or a structure of constants."""
        if level >= MAX_NESTING:
            raise validation_error(f"Nesting Levels have exceeded supported limits under {path}")
        token = self.take()
        if token.kind == "text":
            return Constant("S", token.text)
        if token.kind == "number" or (token.kind == "sign" and token.text in "+-"):
            return self._number(token, path)
        if token.kind == "sign":
            if token.text == "?":
                if level:
                    raise validation_error(
                        f"Unsupported data type: Parameter under key {path} at {self.position(token)}"
                    )
                self._parameters += 1
                return Parameter(self._parameters - 1)
            if token.text == "[":
                return Sequenced(self._members("]", path, level + 1), False)
            if token.text == "<<":
                return Sequenced(self._members(">>", path, level + 1), True)
            if token.text == "{":
                return self.struct(path, level + 1)
        word = token.text.upper() if token.kind == "name" else ""
        if word in ("TRUE", "FALSE"):
            return Constant("BOOL", word == "TRUE")
        if word == "NULL":
            return Constant("NULL", True)
        if word == "MISSING":
            raise validation_error("MISSING must be compared using IS operator")
        if word and self.is_sign("("):
            raise validation_error(
                f"Unsupported data type: {token.text} under key root at {self.position(token)}"
            )
        raise malformed("Unexpected term")

    def _number(self, token: Token, path: str) -> Constant:
        minus = False
        while token.kind == "sign" and token.text in ("+", "-"):
            minus ^= token.text == "-"
            token = self.take()
        if token.kind != "number":
            raise malformed("Unexpected term")
        text = ("-" if minus else "") + token.text
        try:
            return Constant("N", numbers.normalise(text), text)
        except ValueRefused as error:
            if error.older.startswith(numbers.NO_NUMBER):
                raise malformed() from error
            raise validation_error(f"{error.older} under {path}") from error

    def _members(self, end: str, path: str, level: int) -> tuple[Literal, ...]:
        members: list[Literal] = []
        while not self.sign(end):
            if members:
                self.expect(",")
            members.append(self.literal(f"{path}[{len(members)}]", level))
        return tuple(members)

    def struct(self, path: str, level: int) -> Struct:
        """After its brace. At level 0 its members are attributes."""
        members: dict[str, Literal] = {}
        while not self.sign("}"):
            if members:
                self.expect(",")
            token = self.take()
            if token.kind not in ("text", "quoted"):
                raise malformed("Unexpected term")
            if token.text in members:
                raise validation_error(f"Duplicate keys in tuple. Key: {token.text} under root")
            self.expect(":")
            members[token.text] = self.literal(f"{path}.{token.text}" if level else path, level)
        return Struct(tuple(members.items()))

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise malformed("nested too deeply")

    def _reference(self) -> ValueRef:
        self._literals.append(self.literal())
        return ValueRef(f":{len(self._literals) - 1}")

    def may_be_set(self, reference: ValueRef) -> bool:
        literal = self._literals[int(reference.name[1:])]
        return isinstance(literal, Parameter) or (isinstance(literal, Sequenced) and literal.bag)

    # -- operands

    def sum(self) -> Operand:
        """What an attribute is set to."""
        self._functions = _IN_UPDATES
        node = self.operand()
        if self.next.kind == "sign" and self.next.text in ("+", "-"):
            sign = self.take().text
            node = Arithmetic(sign, node, self.operand())
        self._functions = _IN_CONDITIONS
        return node

    def operand(self) -> Operand:
        token = self.next
        if token.kind == "quoted":
            return self.path()
        if token.kind == "name" and token.text.upper() not in ("TRUE", "FALSE", "NULL", "MISSING"):
            after = self._tokens[self._at + 1]
            return self.call() if after.kind == "sign" and after.text == "(" else self.path()
        return self._reference()

    def call(self) -> Call:
        token = self.take()
        name = token.text.lower()
        if name not in self._functions:
            raise validation_error(f"Unrecognized function: {name} at {self.position(token)}")
        self._operators += 1
        self._deeper()
        self.expect("(")
        args = self.arguments()
        self._depth -= 1
        if not args:
            raise validation_error(
                f"Incorrect number of operands for operator or function; operator or function: {name}, "
                "number of operands: 0"
            )
        _no_tests(*args)
        return Call(name, args)

    def arguments(self) -> tuple[Operand, ...]:
        args: list[Operand] = []
        while not self.sign(")"):
            if args:
                self.expect(",")
            args.append(self.operand())
        return tuple(args)

    # -- conditions

    def disjunction(self) -> Node:
        self._deeper()
        node = self.conjunction()
        while self.keyword("OR"):
            self._operators += 1
            self._right_hand()
            node = Or(node, self.conjunction())
        self._depth -= 1
        return node

    def conjunction(self) -> Node:
        node = self.negation()
        while self.keyword("AND"):
            self._operators += 1
            self._right_hand()
            node = And(node, self.negation())
        return node

    def _right_hand(self) -> None:
        if self.next.kind == "end" or self.is_sign(")"):
            raise malformed("Missing right-hand side expression of infix operator")

    def negation(self) -> Node:
        negations = 0
        while self.keyword("NOT"):
            self._operators += 1
            negations += 1
            if negations > _MAX_DEPTH:
                raise malformed("nested too deeply")
        node = self.comparison()
        for _ in range(negations):
            node = Not(node)
        return node

    def comparison(self) -> Node:
        if self.next.kind == "end" or self.is_sign(";"):
            raise malformed("Unexpected term")
        left = self.compared()
        token = self.next
        if token.kind == "sign" and token.text in _COMPARATORS:
            self._operators += 1
            sign = _COMPARATORS[self.take().text]
            return Compare(sign, left, self.compared())
        if self.keyword("IS"):
            self._operators += 1
            return self._is(left)
        inverted = self.keyword("NOT")
        self._operators += self.is_word("BETWEEN", "IN")
        if self.keyword("BETWEEN"):
            low = self.compared()
            if not self.keyword("AND"):
                raise malformed("Expected AND after BETWEEN")
            high = self.compared()
            found: Node = Between(left, low, high)
            return Not(found) if inverted else found
        if self.keyword("IN"):
            found = In(left, self._options())
            return Not(found) if inverted else found
        if isinstance(left, Truth) and not inverted:
            return left.condition
        raise validation_error("WHERE clause must contain an expression that resolves to a boolean")

    def compared(self) -> Operand:
        """What stands on one side of a comparison; it may be a condition itself."""
        if self.sign("("):
            node = self.disjunction()
            self.expect(")")
            return Truth(node)
        operand = self.operand()
        return Truth(operand) if isinstance(operand, Call) and operand.name in _TESTS else operand

    def _options(self) -> tuple[Operand, ...]:
        end = "]" if self.sign("[") else ")"
        if end == ")":
            self.expect("(")
        options = [self.operand()]
        while self.sign(","):
            options.append(self.operand())
        self.expect(end)
        return tuple(options)

    def _is(self, left: Operand) -> Node:
        inverted = self.keyword("NOT")
        if not isinstance(left, Path):
            raise validation_error(
                "The left hand side argument to IS must be a Variable Reference, Literal, or Path"
            )
        word = self.take().text.upper()
        if word == "MISSING":
            return Call("attribute_exists" if inverted else "attribute_not_exists", (left,))
        if word not in _TYPES:
            raise malformed("Expected type name")
        self._literals.append(Constant("S", _TYPES[word]))
        found = Call("attribute_type", (left, ValueRef(f":{len(self._literals) - 1}")))
        return Not(found) if inverted else found


def _no_tests(*operands: Operand) -> None:
    """Functions that are conditions can't be operands."""
    for operand in operands:
        if isinstance(operand, Call) and operand.name in _TESTS:
            raise validation_error(
                f"The function is not allowed to be used this way in an expression; function: {operand.name}"
            )

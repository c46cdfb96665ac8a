"""Statements by recursive descent. Names and values go into the trees as placeholders, so that what compiles
expressions compiles these, too.

select   := "SELECT" ("*" | path ("," path)*) "FROM" table ["." index] ["WHERE" or]
            ["ORDER" "BY" path ["ASC" | "DESC"] ("," …)*]
insert   := "INSERT" "INTO" table "VALUE" literal
update   := "UPDATE" table actions "WHERE" or ["RETURNING" … "*"] | "FROM" table "WHERE" or actions ["RETURNING" … "*"]
actions  := (("SET" path "=" operand ("," …)*) | ("REMOVE" path))+
delete   := "DELETE" "FROM" table "WHERE" or ["RETURNING" "ALL" "OLD" "*"]
exists   := "EXISTS" "(" select ")"
"""

from __future__ import annotations

from functools import lru_cache

from ..expressions.nodes import Action, Node, Path, ValueRef
from ..model import validation_error
from .conditions import Conditions
from .lexer import malformed
from .statements import Delete, Exists, Insert, Select, Statement, Update

_RETURNING = {
    ("ALL", "OLD"): "ALL_OLD", ("MODIFIED", "OLD"): "UPDATED_OLD",
    ("ALL", "NEW"): "ALL_NEW", ("MODIFIED", "NEW"): "UPDATED_NEW",
}  # fmt: skip


@lru_cache(maxsize=1024)
def parse(text: str) -> Statement:
    return _Statements(text).statement()


class _Statements(Conditions):
    def statement(self) -> Statement:
        if self.keyword("SELECT"):
            found: Statement = self.select()
        elif self.keyword("INSERT"):
            found = self.insert()
        elif self.keyword("UPDATE"):
            found = self.update(where_first=False)
        elif self.keyword("FROM"):
            found = self.update(where_first=True)
        elif self.keyword("DELETE"):
            found = self.delete()
        elif self.keyword("EXISTS"):
            found = self.exists()
        else:
            raise malformed("Expected data manipulation")
        self.sign(";")
        if self.next.kind != "end":
            raise malformed("Unexpected token after expression")
        self.check_operators()
        return found

    def table(self, missing: str = "Expected identifier for simple path") -> list[str]:
        """The components of a table's path."""
        parts = []
        while True:
            token = self.next
            if token.kind not in ("name", "quoted") or self.is_word("WHERE", "SET", "REMOVE", "VALUE"):
                raise malformed(missing)
            if not token.text:
                raise validation_error("Path component cannot be an empty string")
            parts.append(self.take().text)
            if not self.sign("."):
                break
        if len(parts) > 2:
            raise validation_error("A path may contain at most 2 components in the FROM clause")
        return parts

    def only_table(self) -> str:
        parts = self.table()
        if len(parts) > 1:
            raise validation_error("This operation is not supported on an index")
        return parts[0]

    def no_alias(self) -> None:
        if self.next.kind == "quoted" or (
            self.next.kind == "name" and not self.is_word("WHERE", "SET", "REMOVE", "ORDER", "RETURNING")
        ):
            raise validation_error("Aliasing is not supported")

    def select(self) -> Select:
        paths: list[Path] = []
        if not self.sign("*"):
            paths = [self.projected()]
            while self.sign(","):
                paths.append(self.projected())
        elif self.sign(","):
            raise validation_error(
                "Other attributes should not be present in the projection when '*' is used."
            )
        if not self.keyword("FROM"):
            raise malformed("Expected FROM after select list")
        table, *index = self.table("Unexpected term")
        self.no_alias()
        where = self.where()
        order: list[tuple[str, bool]] = []
        if self.keyword("ORDER"):
            if not self.keyword("BY"):
                raise malformed("Expected BY after ORDER")
            if where is None and not self.is_word("WHERE"):
                order.append(self.ordered())
                if self.is_word("WHERE"):
                    raise malformed("Unexpected token after expression")
                raise validation_error("Must have WHERE clause in the statement when using ORDER BY clause.")
            order.append(self.ordered())
            while self.sign(","):
                order.append(self.ordered())
        return Select(
            table=table, index=index[0] if index else None, paths=tuple(paths), where=where, order=tuple(order),
            **self.placeholders(),
        )  # fmt: skip

    def projected(self) -> Path:
        if self.is_word("FROM") or self.next.kind not in ("name", "quoted"):
            raise malformed("Unexpected term")
        token = self.next
        path = self.path()
        if self.is_sign("("):
            raise validation_error(f"Unexpected path component at {self.position(token)}")
        return path

    def ordered(self) -> tuple[str, bool]:
        name = str(self.path().parts[0])[1:]
        if self.keyword("DESC"):
            return name, True
        self.keyword("ASC")
        return name, False

    def insert(self) -> Insert:
        if not self.keyword("INTO"):
            raise malformed("Expected INTO")
        table = self.only_table()
        if not self.keyword("VALUE"):
            if self.is_word("VALUES"):
                raise validation_error(
                    "Unsupported operation: Inserting multiple items in a single statement is not supported, "
                    'use "INSERT INTO tableName VALUE item" instead'
                )
            raise malformed("Unexpected token after expression")
        item = self.struct("root", 0) if self.sign("{") else self.literal()
        if self.is_word("RETURNING"):
            raise validation_error("RETURNING is not supported in INSERT")
        return Insert(table=table, item=item, **self.placeholders())

    def update(self, where_first: bool) -> Update:
        table = self.only_table()
        self.no_alias()
        where = self.where() if where_first else None
        actions = self.actions()
        if not where_first:
            where = self.where()
        returning = self.returning()
        return Update(table=table, actions=actions, where=where, returning=returning, **self.placeholders())

    def where(self) -> Node | None:
        return self.disjunction() if self.keyword("WHERE") else None

    def actions(self) -> tuple[Action, ...]:
        actions: list[Action] = []
        while True:
            if self.keyword("SET"):
                actions.append(self.assignment())
                while self.sign(","):
                    actions.append(self.assignment())
            elif self.keyword("REMOVE"):
                actions.append(Action("REMOVE", self.path()))
                while self.sign(","):
                    actions.append(Action("REMOVE", self.path()))
            else:
                break
        if not actions:
            raise malformed("Expected data manipulation")
        return tuple(actions)

    def assignment(self) -> Action:
        path = self.path()
        if not self.sign("="):
            raise malformed("Expected '='")
        if self.is_word("SET_ADD", "SET_DELETE"):
            return self.set_action(path)
        return Action("SET", path, self.sum())

    def set_action(self, path: Path) -> Action:
        token = self.take()
        name = token.text.upper()
        at = self.position(token)
        self.expect("(")
        first = self.next
        args = self.arguments()
        if len(args) != 2:
            raise validation_error(f"{name} must have exactly two arguments at {at}")
        if args[0] != path:
            raise validation_error(f"The first argument to {name} must equal the assignment value at {at}")
        reference = args[1]
        if not isinstance(reference, ValueRef) or not self.may_be_set(reference):
            raise validation_error(
                f"The second argument to {name} must be a value with type SET at {self.position(first)}"
            )
        return Action("ADD" if name == "SET_ADD" else "DELETE", path, reference)

    def delete(self) -> Delete:
        if not self.keyword("FROM"):
            raise malformed("Expected FROM")
        table = self.only_table()
        self.no_alias()
        where = self.where()
        returning = self.returning()
        if returning not in ("", "ALL_OLD"):
            said = next(" ".join(words) for words, kind in _RETURNING.items() if kind == returning)
            raise validation_error(
                f"Invalid returning clause: RETURNING {said} *. "
                "Only RETURNING ALL OLD * is allowed in DELETE statements."
            )
        return Delete(table=table, where=where, returning=returning, **self.placeholders())

    def returning(self) -> str:
        if not self.keyword("RETURNING"):
            return ""
        words = (self.take().text.upper(), self.take().text.upper())
        if words not in _RETURNING or not self.sign("*"):
            raise validation_error("Expected '*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause")
        return _RETURNING[words]

    def exists(self) -> Exists:
        self.expect("(")
        if not self.keyword("SELECT"):
            raise malformed("Expected SELECT")
        inner = self.select()
        self.expect(")")
        if inner.index is not None:
            raise validation_error("Operations on indices are not supported in transactions")
        return Exists(table=inner.table, where=inner.where, **self.placeholders())

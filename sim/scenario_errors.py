"""Telling people where a scenario file went wrong: file, line, column, what was found, what would be right.

Positions come from a parser that keeps them, findings from one that checks. No scenario is known here: the
model that was violated comes in as an argument.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeAlias, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from orderquake.sim.units import EXPECTED_DURATION, Duration, as_toml

Keys: TypeAlias = tuple[str | int, ...]


class Spot(NamedTuple):
    """A place in a file, both counted from 1."""

    line: int
    column: int


class Problem(NamedTuple):
    """One thing that is wrong, and where; without a file where none is to blame."""

    file: str
    spot: Spot | None
    text: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.spot.line}:{self.spot.column}" if self.spot else self.file
        return f"{where} {self.text}".strip()


class ScenarioError(Exception):
    """A scenario that cannot be played. Prints one line a problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


class Spots:
    """Where each key of a file stands, and each value."""

    def __init__(self, keys: Mapping[Keys, Spot], values: Mapping[Keys, Spot] | None = None) -> None:
        self.keys, self.values = keys, values or {}

    def of(self, path: Keys, *, key: bool = False) -> Spot | None:
        """Where the value (or key) at `path` stands, or the nearest table around it, or the file's head."""
        if not self.keys:
            return None
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        while path:
            if spot := first.get(path) or second.get(path):
                return spot
            path = path[:-1]
        return Spot(1, 1)


def read_toml(path: Path, shown: str) -> tuple[dict[str, Any], Spots]:
    """The file's tables and where everything in them stands.

    raises   ScenarioError where the file is not TOML
    """
    try:
        source = path.read_bytes()
    except OSError as error:
        found = f"cannot be read ({error.strerror}); expected a TOML file"
        raise ScenarioError([Problem(shown, None, found)]) from None
    try:
        text = source.decode("utf-8")
    except UnicodeDecodeError as error:
        line = source.count(b"\n", 0, error.start) + 1
        column = error.start - source.rfind(b"\n", 0, error.start)
        raise ScenarioError([Problem(shown, Spot(line, column), "not UTF-8; expected a text file in TOML")]) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError([_broken(str(error), text, shown)]) from None
    return data, _spots(source)


def _broken(message: str, text: str, shown: str) -> Problem:
    if found := re.search(r" \(at line (\d+), column (\d+)\)$", message):
        spot = Spot(int(found[1]), int(found[2]))
    else:
        lines = text.rstrip("\n").split("\n")
        spot = Spot(len(lines), len(lines[-1]) + 1)
    reason = message.split(" (at ", maxsplit=1)[0]
    hint = ""
    if re.match(r"Invalid (value|statement)|Expected newline", reason):
        hint = ' (text and durations stand in quotes: "5 min")'
    return Problem(shown, spot, f"broken TOML: {reason[:1].lower()}{reason[1:]}; expected key = value{hint}")


def _spots(source: bytes) -> Spots:
    import tree_sitter_toml
    from tree_sitter import Language, Node, Parser

    lines = source.split(b"\n")
    keys: dict[Keys, Spot] = {}
    values: dict[Keys, Spot] = {}
    counts: dict[Keys, int] = {}

    def spot(node: Node) -> Spot:
        row, column = node.start_point
        return Spot(row + 1, len(lines[row][:column].decode("utf-8")) + 1)

    def names(node: Node) -> Iterator[tuple[str, Spot]]:
        if node.type == "dotted_key":
            for child in node.named_children:
                yield from names(child)
        else:
            text = (node.text or b"").decode("utf-8")
            name = next(iter(tomllib.loads(f"{text} = 0"))) if node.type == "quoted_key" else text
            yield name, spot(node)

    def current(path: Keys) -> Keys:
        """A path through arrays of tables, each at its last entry so far."""
        walked: Keys = ()
        for name in path:
            walked = (*walked, name)
            if walked in counts:
                walked = (*walked, counts[walked])
        return walked

    def value(node: Node, path: Keys) -> None:
        values[path] = spot(node)
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    pair(child, path)
        elif node.type == "array":
            for number, child in enumerate(child for child in node.named_children if child.type != "comment"):
                keys[(*path, number)] = spot(child)
                value(child, (*path, number))

    def pair(node: Node, path: Keys) -> None:
        children = [child for child in node.named_children if child.type != "comment"]
        for name, where in names(children[0]):
            path = (*path, name)
            keys.setdefault(path, where)
        value(children[1], path)

    def table(node: Node, path: Keys) -> None:
        for child in node.named_children:
            if child.type == "pair":
                pair(child, path)

    root = Parser(Language(tree_sitter_toml.language())).parse(source).root_node
    for node in root.named_children:
        if node.type == "pair":
            pair(node, ())
        elif node.type in ("table", "table_array_element"):
            header = [(name, where) for name, where in names(node.named_children[0])]
            path: Keys = ()
            for name, where in header[:-1]:
                path = current((*path, name)) if (*path, name) in counts else (*path, name)
                keys.setdefault(path, where)
            name, where = header[-1]
            path = (*path, name)
            if node.type == "table_array_element":
                keys.setdefault(path, where)
                counts[path] = counts.get(path, -1) + 1
                path = (*path, counts[path])
            keys.setdefault(path, where)
            table(node, path)
    return Spots(keys, values)


def describe(
    error: ValidationError, model: type[BaseModel], data: Mapping[str, Any], spots: Spots, shown: str
) -> list[Problem]:
    """One problem a finding, each found once, in the order of the file."""
    problems: dict[str, Problem] = {}
    meant = {
        (*_path_in(data, detail["loc"])[:-1], near)
        for detail in error.errors(include_url=False)
        if detail["type"] == "extra_forbidden"
        and (near := suggestion(str(detail["loc"][-1]), _keys_at(model, detail["loc"][:-1]), "{}", quoted=False))
    }
    for detail in error.errors(include_url=False):
        context = detail.get("ctx", {})
        path = _path_in(data, detail["loc"])
        if detail["type"] == "contradictions":
            findings = [(tuple(path), text, False) for path, text in context["found"]]
        else:
            if detail["type"] == "refused" and context["key"]:
                path = (*path, context["key"])
            if detail["type"] == "union_tag_invalid":
                path = (*path, "kind")
            is_key = detail["type"] == "extra_forbidden"
            findings = [(path, _text(detail["type"], detail, context, model), is_key)]
        if detail["type"] == "missing" and path in meant:
            continue  # it is there, misspelt, and told as such
        for path, text, is_key in findings:
            whole = f"{dotted(path)} is {text}"
            problems.setdefault(whole, Problem(shown, spots.of(path, key=is_key), whole))
    return sorted(problems.values(), key=lambda problem: problem.spot or Spot(0, 0))


def dotted(path: Keys) -> str:
    """A path the way people write it.

    >>> dotted(("fault", 1, "kind"))
    'fault[1].kind'
    """
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path)
    return text.removeprefix(".") or "the scenario"


def suggestion(name: str, known: Iterable[str], form: str, *, quoted: bool = True) -> str:
    """`form` around the known name that is nearest to `name`, or nothing where none is near."""
    near = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return form.format(f'"{near[0]}"' if quoted else near[0]) if near else ""


def with_next_move(text: str, command: str) -> str:
    """The text, and which command tells more."""
    return f"{text}{'' if text.endswith('?') else '.'} See: {command}" if command else text


def unknown(name: str, known: Iterable[str], noun: str, see: str = "") -> str:
    """What is said of a name that does not exist; reads on after "<where> is "."""
    names = list(known)
    listed = ", ".join(names) if len(names) <= 12 else ", ".join(names[:3]) + f", ... ({len(names)} in all)"
    near = suggestion(name, names, "; did you mean {}?")
    return with_next_move(f'"{name}", which is no {noun}; expected one of {listed}{near}', see)


def _path_in(data: Mapping[str, Any], loc: Keys) -> Keys:
    """The finding's path in the file: without the tags that tell the members of a union apart."""
    path: Keys = ()
    here: Any = data
    tagged: Any = None
    for number, key in enumerate(loc):
        if isinstance(here, Mapping) and here.get("kind") == key and here is not tagged:
            tagged = here  # its tag, once; a key of the same name comes after it
            continue
        if isinstance(here, Mapping) and key in here:
            here = here[str(key)]
        elif isinstance(here, list | tuple) and isinstance(key, int) and key < len(here):
            here = here[key]
        elif number == len(loc) - 1:
            pass  # something that is missing; it is named, and stands where its table does
        else:
            continue
        path = (*path, key)
    return path


def _text(kind: str, detail: Any, context: Mapping[str, Any], model: type[BaseModel]) -> str:
    found = as_toml(detail["input"])
    see = "orderquake faults" if detail["loc"][:1] == ("fault",) else "orderquake schema"
    match kind:
        case "refused":
            return str(context["text"])
        case "missing":
            return f"missing; expected {_expected_at(model, detail['loc'])}"
        case "extra_forbidden":
            keys = _keys_at(model, detail["loc"][:-1])
            near = suggestion(str(detail["loc"][-1]), keys, "; did you mean {}?")
            return with_next_move(f"not a key here; expected one of {', '.join(keys)}{near}", see)
        case "union_tag_invalid":
            tags = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
            near = suggestion(str(context["tag"]), tags, "; did you mean {}?")
            text = f'"{context["tag"]}"; expected one of {", ".join(tags)}{near}'
            return with_next_move(text, see)
        case "union_tag_not_found":
            if not isinstance(detail["input"], Mapping):
                return with_next_move(f'{found}; expected a table, such as {{ kind = "...", ... }}', see)
            return with_next_move(f"without a kind; expected {_expected_at(model, detail['loc'])}", see)
        case "literal_error":
            words = re.findall(r"'([^']*)'|(\d+)", str(context["expected"]))
            known = [quoted or number for quoted, number in words]
            near = suggestion(str(detail["input"]), known, "; did you mean {}?")
            shown = [f'"{quoted}"' if quoted else number for quoted, number in words]
            return f"{found}; expected {' or '.join(shown)}{near}"
    return f"{found}; expected {_expected(kind, context, detail['msg'])}"


_PLAIN: Mapping[str, str] = {
    "int_type": "a whole number", "int_from_float": "a whole number", "int_parsing": "a whole number",
    "float_type": "a number", "bool_type": "true or false", "string_type": "text in quotes",
    "finite_number": "a finite number", "tuple_type": "an array", "list_type": "an array",
    "dict_type": "a table", "mapping_type": "a table", "model_type": "a table",
    "model_attributes_type": "a table",
    "date_type": "a date, such as 2011-11-14", "date_parsing": "a date, such as 2011-11-14",
    "date_from_datetime_parsing": "a date, such as 2011-11-14",
    "date_from_datetime_inexact": "a date, such as 2011-11-14", "string_too_short": "some text",
}  # fmt: skip


def _expected(kind: str, context: Mapping[str, Any], message: str) -> str:
    match kind:
        case "greater_than":
            return f"more than {context['gt']:g}"
        case "greater_than_equal":
            return f"at least {context['ge']:g}"
        case "less_than":
            return f"less than {context['lt']:g}"
        case "less_than_equal":
            return f"at most {context['le']:g}"
        case "too_short":
            return f"at least {context['min_length']} entries" if context["min_length"] != 1 else "at least one entry"
    return _PLAIN.get(kind, message)


def _keys_at(model: type[BaseModel], loc: Keys) -> list[str]:
    """Keys that the table at `loc` may have."""
    reached = _annotation_at(model, loc)
    if isinstance(reached, type) and issubclass(reached, BaseModel):
        hidden = {"name"} if reached is model else set()
        return [field.alias or name for name, field in reached.model_fields.items() if name not in hidden]
    return []


def _expected_at(model: type[BaseModel], loc: Keys) -> str:
    """What the model wants at `loc`, in words."""
    reached = _annotation_at(model, loc)
    origin = get_origin(reached)
    if origin is Literal:
        return " or ".join(as_toml(value) for value in get_args(reached))
    tags = [tag for member in _members(reached) for tag in _tags(member)]
    if tags:
        return f"a table with kind = {' or '.join(as_toml(tag) for tag in tags)}"
    if isinstance(reached, type) and issubclass(reached, BaseModel):
        return f"a table with {', '.join(_keys_at(reached, ()))}"
    if origin in (tuple, list):
        return "an array"
    plain = {int: "a whole number", float: "a number", str: "text in quotes", bool: "true or false"}
    return EXPECTED_DURATION if reached is _Duration else plain.get(reached, "a value")


class _Duration:
    """Stands for a duration on the way from annotation to words."""


def _annotation_at(model: type[BaseModel], loc: Keys) -> Any:
    here: Any = model
    for key in loc:
        here = _step(here, key)
    return here


def _step(here: Any, key: str | int) -> Any:
    if isinstance(here, type) and issubclass(here, BaseModel):
        for name, field in here.model_fields.items():
            if key in (field.alias, name):
                is_duration = get_args(Duration)[1] in field.metadata
                return _Duration if is_duration else _bare(field.annotation)
        return here  # a union's tag that led here already
    origin, arguments = get_origin(here), get_args(here)
    if origin is tuple and isinstance(key, int):
        return _bare(arguments[0] if arguments[-1] is ... else arguments[min(key, len(arguments) - 1)])
    if origin is list:
        return _bare(arguments[0])
    if origin is not None and issubclass_safe(origin, Mapping):
        return _bare(arguments[1])
    for member in _members(here):
        if key in _tags(member):
            return member
    return here


def issubclass_safe(kind: Any, parent: type) -> bool:
    return isinstance(kind, type) and issubclass(kind, parent)


def _bare(annotation: Any) -> Any:
    """Without `Annotated` and without `None`."""
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Union or type(annotation).__name__ == "UnionType":
        members = [_bare(member) for member in get_args(annotation) if member is not type(None)]
        return members[0] if len(members) == 1 else Union[tuple(members)]  # noqa: UP007 - built from a tuple
    return annotation


def _members(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Union else ()


def _tags(member: Any) -> tuple[str, ...]:
    if isinstance(member, type) and issubclass(member, BaseModel) and "kind" in member.model_fields:
        return get_args(member.model_fields["kind"].annotation)
    return ()

"""Checking the annotations along every edge when a graph is built: what a type checker would say, for those who run none.

Only certain contradictions are errors: what has no annotation, or one that cannot be judged here, passes.
"""

import inspect
import types
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NewType, TypeVar, Union, get_args, get_origin, get_type_hints

from graphs.errors import GraphError
from graphs.flow.nodes import ApplyNode, AwaitNode, ChoiceNode, GraphNode, MapNode, Node, RaceNode, ShadowNode, StreamNode
from graphs.flow.plan import REQUEST

_UNKNOWN = Any


def check_nodes(graph: str, request_type: object, nodes: Mapping[str, Node]) -> Mapping[str, object]:
    """The annotation of every slot, `Any` where it is unknown.

    Raises:
        GraphError: for the first edge whose value the reader's annotations exclude.
    """
    slots: dict[str, object] = {REQUEST: request_type}
    for node in nodes.values():
        values = [slots[source] for source in node.inputs]
        if isinstance(node, ChoiceNode):
            slots[node.name] = Union[tuple(slots[branch.source] for branch in node.branches)]  # noqa: UP007  # built at run time
            if not node.is_split:
                _check_edge(graph, node, node.inputs[0], values[0], bool)
        elif isinstance(node, GraphNode):
            _check_edge(graph, node, node.inputs[0], values[0], node.graph.takes)
            slots[node.name] = node.graph.gives
        else:
            slots[node.name] = _check_callables(graph, node, values)
    return slots


def _check_callables(graph: str, node: Node, values: list[object]) -> object:
    """Check all callables of a node against its inputs and each other; answer the type of its slot."""
    if isinstance(node, MapNode):
        values = [_item_type(values[0]), *values[1:]]
    calls: list[Callable[..., object]] = []
    if isinstance(node, AwaitNode | ApplyNode):
        calls = [node.call, *([node.second] if isinstance(node, RaceNode) else []), *([node.fallback] if node.fallback else [])]
    for call in calls:
        for source, value, parameter in zip(node.inputs, values, _parameter_types(graph, node, call, len(values)), strict=True):
            _check_edge(graph, node, source, value, parameter)
    if isinstance(node, StreamNode):
        return _return_type(node.reduce)
    answer = _return_type(calls[0])
    for other in calls[1:]:
        if not is_assignable(_return_type(other), answer):
            answers = f"{_shown(answer)}, but `{_name(other)}` answers {_shown(_return_type(other))}"
            raise GraphError(f"node `{node.name}` of graph `{graph}` answers {answers}")
    if isinstance(node, ShadowNode):
        return _UNKNOWN
    return tuple[answer, ...] if isinstance(node, MapNode) and answer is not _UNKNOWN else answer  # type: ignore[valid-type]  # built at run time


def _check_edge(graph: str, node: Node, source: str, value: object, parameter: object) -> None:
    if not is_assignable(value, parameter):
        raise GraphError(f"node `{node.name}` of graph `{graph}` takes {_shown(parameter)}, but `{source}` is {_shown(value)}")


def _parameter_types(graph: str, node: Node, call: Callable[..., object], count: int) -> list[object]:
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # some builtins have none
        return [_UNKNOWN] * count
    try:
        bound = signature.bind(*range(count))
    except TypeError as error:
        raise GraphError(f"node `{node.name}` of graph `{graph}` calls `{_name(call)}` with {count} arguments: {error}") from error
    hints = _hints(call)
    found: list[object] = []
    for name, value in bound.arguments.items():
        is_variadic = signature.parameters[name].kind is inspect.Parameter.VAR_POSITIONAL
        found += [hints.get(name, _UNKNOWN)] * (len(value) if is_variadic else 1)
    return found


def _hints(call: Callable[..., object]) -> dict[str, object]:
    target = call if inspect.isroutine(call) or inspect.isclass(call) else getattr(call, "__call__", call)  # noqa: B004  # an object's method
    try:
        return get_type_hints(target.__init__ if inspect.isclass(target) else target)
    except (NameError, TypeError, AttributeError):  # names known to type checkers only, or partial objects
        return {}


def _return_type(call: Callable[..., object]) -> object:
    if inspect.isclass(call):
        return call
    answer = _hints(call).get("return", _UNKNOWN)
    origin = get_origin(answer)
    if isinstance(origin, type) and issubclass(origin, Awaitable):
        return get_args(answer)[-1]
    return answer


def _item_type(value: object) -> object:
    """Of `Sequence[X]`, `list[X]` or `tuple[X, ...]`."""
    origin, arguments = get_origin(value), get_args(value)
    if isinstance(origin, type) and issubclass(origin, Sequence):
        if len(arguments) == 1 or (len(arguments) == 2 and arguments[1] is Ellipsis):
            return arguments[0]
        return Union[arguments]  # noqa: UP007  # built at run time
    return _UNKNOWN


def is_assignable(source: object, target: object) -> bool:
    """Whether a value annotated `source` may be passed where `target` is asked; True in doubt.

    >>> is_assignable(int, float), is_assignable(str, int), is_assignable(tuple[int, ...], Sequence[int])
    (True, False, True)
    """
    source, target = _plain(source), _plain(target)
    if _is_open(source) or _is_open(target) or target is object or source == target:
        return True
    if _is_union(source):
        return all(is_assignable(member, target) for member in get_args(source))
    if _is_union(target):
        return any(is_assignable(source, member) for member in get_args(target))
    if get_origin(source) is Literal:
        return _literals_fit(get_args(source), target)
    return _singles_fit(source, target)


def _literals_fit(values: tuple[object, ...], target: object) -> bool:
    if get_origin(target) is Literal:
        return set(values) <= set(get_args(target))
    return all(is_assignable(type(value), target) for value in values)


def _singles_fit(source: object, target: object) -> bool:
    if isinstance(source, NewType):
        return is_assignable(source.__supertype__, target)
    if isinstance(target, NewType) or get_origin(target) is Literal:
        return False
    return _classes_fit(source, target)


def _plain(annotation: object) -> object:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return type(None) if annotation is None else annotation


def _is_open(annotation: object) -> bool:
    return annotation is Any or isinstance(annotation, TypeVar | str)


def _is_union(annotation: object) -> bool:
    return get_origin(annotation) in (Union, types.UnionType)


def _classes_fit(source: object, target: object) -> bool:
    narrow, wide = get_origin(source) or source, get_origin(target) or target
    if not isinstance(narrow, type) or not isinstance(wide, type) or getattr(wide, "_is_protocol", False):
        return True
    if (narrow is int and wide in (float, complex)) or (narrow is bool and wide is float):
        return True
    if not issubclass(narrow, wide):
        return False
    return _arguments_fit(source, target, narrow, wide)


def _arguments_fit(source: object, target: object, narrow: type, wide: type) -> bool:
    if issubclass(narrow, Sequence) and issubclass(wide, Iterable) and get_args(target) and not (narrow is tuple and wide is tuple):
        return is_assignable(_item_type(source), get_args(target)[0])
    given, asked = _without_ellipsis(source), _without_ellipsis(target)
    if narrow is not wide or len(given) != len(asked):
        return narrow is not tuple or wide is not tuple or not given or not asked or Ellipsis in get_args(source) + get_args(target)
    return all(is_assignable(a, b) for a, b in zip(given, asked, strict=True))


def _without_ellipsis(annotation: object) -> tuple[object, ...]:
    return tuple(argument for argument in get_args(annotation) if argument is not Ellipsis)


def _shown(annotation: object) -> str:
    return annotation.__name__ if isinstance(annotation, type | NewType) and not get_args(annotation) else str(annotation)


def _name(call: object) -> str:
    return str(getattr(call, "__name__", type(call).__name__))

"""A graph's nodes laid out for running: indices instead of names, everything that does not depend on a request computed once."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphs.flow.nodes import ApplyNode, AwaitNode, ChoiceNode, Node, ShadowNode

REQUEST = "request"  # the name of the graph's input; index 0 of every plan


@dataclass(frozen=True, slots=True)
class Plan:
    """Nodes in topological order; position i of every tuple belongs to node i, and 0 is the request itself."""

    names: tuple[str, ...]
    nodes: tuple[Node | None, ...]  # None only at 0
    inputs: tuple[tuple[int, ...], ...]
    in_degrees: tuple[int, ...]
    consumers: tuple[tuple[int, ...], ...]  # once per edge: a node reading a slot twice stands there twice
    branches: tuple[tuple[int, ...], ...]  # of choices: the node that each branch takes its value from
    wanted: tuple[bool, ...]  # needed whichever branches are taken
    shadows: frozenset[int]
    output: int
    is_inline: tuple[bool, ...]
    emitters: frozenset[str]  # stream nodes whose items are the graph's items


def make_plan(nodes: Mapping[str, Node], output: str, emitters: frozenset[str] = frozenset()) -> Plan:
    names = (REQUEST, *nodes)
    index = {name: position for position, name in enumerate(names)}
    ordered = (None, *nodes.values())
    inputs = tuple(() if node is None else tuple(index[name] for name in node.inputs) for node in ordered)
    consumers: list[list[int]] = [[] for _ in names]
    for position, sources in enumerate(inputs):
        for source in sources:
            consumers[source].append(position)
    branches = tuple(tuple(index[b.source] for b in node.branches) if isinstance(node, ChoiceNode) else () for node in ordered)
    shadows = frozenset(position for position, node in enumerate(ordered) if isinstance(node, ShadowNode))
    return Plan(
        names=names,
        nodes=ordered,
        inputs=inputs,
        in_degrees=tuple(len(sources) for sources in inputs),
        consumers=tuple(tuple(positions) for positions in consumers),
        branches=branches,
        wanted=_wanted(inputs, (index[output],), shadows),
        shadows=shadows,
        output=index[output],
        is_inline=tuple(not isinstance(node, AwaitNode) for node in ordered),
        emitters=emitters,
    )


def _wanted(inputs: tuple[tuple[int, ...], ...], outputs: tuple[int, ...], shadows: frozenset[int]) -> tuple[bool, ...]:
    """What the outputs read; shadows besides, which run when what they read happens to be there."""
    wanted = [position in shadows for position in range(len(inputs))]
    frontier = list(outputs)
    while frontier:
        position = frontier.pop()
        if not wanted[position]:
            wanted[position] = True
            frontier.extend(inputs[position])
    return tuple(wanted)


def edges_of(node: Node) -> tuple[str, ...]:
    """Every node that this one may read, branches included."""
    return node.inputs + (tuple(branch.source for branch in node.branches) if isinstance(node, ChoiceNode) else ())


def fallback_of(node: Node) -> object | None:
    return node.fallback if isinstance(node, ApplyNode | AwaitNode) else None


def timeout_of(node: Node) -> float | None:
    return node.timeout_s if isinstance(node, AwaitNode) else None

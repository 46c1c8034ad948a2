"""What the settings may change in a graph without touching its code."""

import dataclasses
from collections.abc import AsyncGenerator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from graphs.errors import GraphError
from graphs.flow.nodes import ApplyNode, AsyncCall, AwaitNode, ChoiceNode, MapNode, Node, StreamNode
from graphs.flow.plan import fallback_of


@dataclass(frozen=True, slots=True)
class Overrides:
    """Changes for one graph, by node name; checked against the graph by `with_overrides`."""

    timeouts_s: Mapping[str, float] = field(default_factory=dict)
    fallbacks: Mapping[str, bool] = field(default_factory=dict)  # False: the node becomes a hard one
    splits: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # split -> variant -> weight, all variants named
    use_fallback: Collection[str] = ()  # nodes that do not run: their fallback answers, and is no degradation


def apply_overrides(graph: str, nodes: Mapping[str, Node], overrides: Overrides) -> Mapping[str, Node]:
    """The nodes with the changes made.

    Raises:
        GraphError: a name that the graph does not have, or a change that the node does not allow.
    """
    changed = dict(nodes)

    def find(name: str) -> Node:
        if name not in changed:
            raise GraphError(f"graph `{graph}` has no node `{name}`; its nodes are {', '.join(sorted(changed))}")
        return changed[name]

    for name, timeout_s in overrides.timeouts_s.items():
        changed[name] = _with_timeout(find(name), timeout_s)
    for name, enabled in overrides.fallbacks.items():
        changed[name] = _with_fallback(find(name), enabled=enabled)
    for name, weights in overrides.splits.items():
        changed[name] = with_weights(find(name), weights)
    for name in overrides.use_fallback:
        changed[name] = _replaced_by_fallback(find(name))
    return changed


def _with_timeout(node: Node, timeout_s: float) -> Node:
    if not isinstance(node, AwaitNode):
        raise GraphError(f"node `{node.name}` is a plain function or a choice and has no timeout to override")
    if not timeout_s > 0:
        raise GraphError(f"node `{node.name}`: a timeout is seconds above 0, not {timeout_s}")
    return dataclasses.replace(node, timeout_s=timeout_s)


def _with_fallback(node: Node, *, enabled: bool) -> Node:
    if fallback_of(node) is None or not isinstance(node, AwaitNode | ApplyNode):
        raise GraphError(f"node `{node.name}` has no fallback to switch {'on' if enabled else 'off'}")
    return node if enabled else dataclasses.replace(node, fallback=None)


def _replaced_by_fallback(node: Node) -> Node:
    if not isinstance(node, AwaitNode | ApplyNode) or node.fallback is None:
        raise GraphError(f"node `{node.name}` has no fallback to use in its place")
    if isinstance(node, StreamNode):
        return dataclasses.replace(node, call=_handed_out(node.fallback), fallback=None)
    if isinstance(node, MapNode):
        return dataclasses.replace(node, call=_awaited(node.fallback), fallback=None)
    return ApplyNode(node.name, node.inputs, node.fallback)


def _awaited(call: Callable[..., object]) -> AsyncCall:
    async def fallback(*arguments: object) -> object:
        return call(*arguments)

    return fallback


def _handed_out(call: Callable[..., object]) -> AsyncCall:
    async def fallback(*arguments: object) -> AsyncGenerator[object, None]:
        for item in cast(Sequence[object], call(*arguments)):
            yield item

    return cast(AsyncCall, fallback)


def with_weights(node: Node, weights: Mapping[str, float]) -> ChoiceNode:
    """Raises GraphError unless the node is a split and the weights name all of its variants, none negative, one positive."""
    if not isinstance(node, ChoiceNode) or not node.is_split:
        raise GraphError(f"node `{node.name}` is no split and has no weights")
    variants = [branch.label for branch in node.branches]
    if sorted(weights) != sorted(variants):
        raise GraphError(f"split `{node.name}` has the variants {', '.join(variants)}, but weights were given for {', '.join(weights)}")
    if any(not weight >= 0 for weight in weights.values()) or not 0 < sum(weights.values()) < float("inf"):
        raise GraphError(f"split `{node.name}`: weights are 0 or more and one of them positive, not {dict(weights)}")
    return dataclasses.replace(node, branches=tuple(dataclasses.replace(b, weight=weights[b.label]) for b in node.branches))

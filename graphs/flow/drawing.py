"""A graph as data and as a picture, from the same nodes that run."""

from collections.abc import Mapping
from dataclasses import dataclass

from graphs.flow.nodes import ChoiceNode, GraphNode, MapNode, Node, RaceNode, ShadowNode
from graphs.flow.plan import REQUEST, fallback_of, timeout_of


@dataclass(frozen=True, slots=True)
class NodeDescription:
    name: str
    kind: str  # apply, await, race, map, stream, graph, shadow, when or split
    timeout_s: float | None  # None: a plain function or a choice
    fallback: str | None  # the fallback's name; None: a hard node
    detail: str | None = None  # how a map, a race, a split or a nested graph does it


@dataclass(frozen=True, slots=True)
class EdgeDescription:
    source: str  # `request` or a node
    target: str
    label: str | None = None  # the branch of a choice


@dataclass(frozen=True, slots=True)
class GraphDescription:
    name: str
    nodes: tuple[NodeDescription, ...]
    edges: tuple[EdgeDescription, ...]
    output: str


def describe(name: str, nodes: Mapping[str, Node], output: str) -> GraphDescription:
    edges: list[EdgeDescription] = []
    for node in nodes.values():
        edges += [EdgeDescription(source, node.name) for source in dict.fromkeys(node.inputs)]
        if isinstance(node, ChoiceNode):
            edges += [EdgeDescription(branch.source, node.name, branch.label) for branch in node.branches]
    return GraphDescription(name, tuple(_described(node) for node in nodes.values()), tuple(edges), output)


def _described(node: Node) -> NodeDescription:
    fallback = fallback_of(node)
    kind = "split" if isinstance(node, ChoiceNode) and node.is_split else node.kind
    return NodeDescription(node.name, kind, timeout_of(node), None if fallback is None else callable_name(fallback), _detail(node))


def callable_name(call: object) -> str:
    return str(getattr(call, "__name__", type(call).__name__))


def _detail(node: Node) -> str | None:
    match node:
        case MapNode():
            return f"each, {node.concurrency} at a time"
        case RaceNode():
            return f"second attempt {callable_name(node.second)} after {node.after_s:g} s"
        case ShadowNode():
            return f"shadow, grace {node.grace_s:g} s"
        case GraphNode():
            return f"graph {node.graph.name}"
        case ChoiceNode(is_split=True):
            total = sum(branch.weight for branch in node.branches)
            return ", ".join(f"{branch.label} {branch.weight / total:.0%}" for branch in node.branches)
        case _:
            return None


def mermaid(graph: GraphDescription) -> str:
    """A flowchart: diamonds are choices, doubled boxes run for each item or hold a graph, dotted lines lead to shadows."""
    kinds = {node.name: node.kind for node in graph.nodes}
    lines = ["flowchart LR", f"  {REQUEST}([{REQUEST}])"]
    lines += [f"  {_id(node.name)}{_shape(node)}" for node in graph.nodes]
    for edge in graph.edges:
        arrow = "-.->" if kinds[edge.target] == "shadow" else "-->"
        label = "" if edge.label is None else f"|{_text(edge.label)}|"
        lines.append(f"  {_id(edge.source)} {arrow}{label} {_id(edge.target)}")
    lines += ["  answer([answer])", f"  {_id(graph.output)} --> answer"]
    return "\n".join(lines)


def _shape(node: NodeDescription) -> str:
    facts = [node.name]
    facts += [] if node.timeout_s is None else [f"{node.timeout_s:g} s"]
    facts += [] if node.detail is None else [node.detail]
    facts += [] if node.fallback is None else [f"else {node.fallback}"]
    text = f'"{"<br/>".join(_text(fact) for fact in facts)}"'
    match node.kind:
        case "when" | "split":
            return f"{{{text}}}"
        case "map" | "graph":
            return f"[[{text}]]"
        case "apply":
            return f"({text})"
        case "stream":
            return f"[/{text}/]"
        case _:
            return f"[{text}]"


def _id(name: str) -> str:
    """A name that Mermaid takes as an id; `end` and the like are keywords."""
    return (
        name if name == REQUEST else "n_" + "".join(letter if letter.isalnum() or letter == "_" else f"_{ord(letter)}_" for letter in name)
    )


def _text(text: str) -> str:
    return text.replace('"', "'").replace("<", "&lt;").replace(">", "&gt;").replace("|", "/")

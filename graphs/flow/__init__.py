"""A typed inference graph engine: the arguments of a node are its edges.

b = GraphBuilder("recognize", RecognizeRequest)
found = b.add(detector.detect, b.apply(frame_of, b.request), timeout_s=0.8)
matched = b.map(matcher.match, found, timeout_s=0.3, concurrency=8, fallback=no_match)
graph = b.build(b.apply(to_answer, found, matched))
run = await graph.run(request, budget_s=1.0)
"""

from graphs.flow.builder import GraphBuilder
from graphs.flow.deadline import current_deadline, deadline_within, remaining_s
from graphs.flow.drawing import EdgeDescription, GraphDescription, NodeDescription
from graphs.flow.graph import Graph, StreamGraph
from graphs.flow.overrides import Overrides
from graphs.flow.slots import Slot, StreamSlot
from graphs.flow.spans import Outcome, Run, Span, SpansHook
from graphs.flow.varied import Choose, VariedGraph, varied

__all__ = [
    "Choose",
    "EdgeDescription",
    "Graph",
    "GraphBuilder",
    "GraphDescription",
    "NodeDescription",
    "Outcome",
    "Overrides",
    "Run",
    "Slot",
    "Span",
    "SpansHook",
    "StreamGraph",
    "StreamSlot",
    "VariedGraph",
    "current_deadline",
    "deadline_within",
    "remaining_s",
    "varied",
]

from graphs.analyze import AnalyzeNodes, AnalyzeRequest, analyze_graph
from graphs.fakes import FakeRetriever, FakeShop
from tests.graphs.world import LAMP, POWER

GRAPH = analyze_graph(AnalyzeNodes(FakeShop((LAMP,)), FakeRetriever(known=(POWER,))))


async def test_claims_are_checked_against_the_catalogue() -> None:
    text = "The Lumo desk lamp uses 12 W. It lasts 99 years. Thank you."
    run = await GRAPH.run(AnalyzeRequest(text), budget_s=1)
    assert run.output.product_ids == (LAMP.product_id,)
    assert [(claim.text, claim.grounded) for claim in run.output.claims] == [
        ("The Lumo desk lamp uses 12 W.", True),
        ("It lasts 99 years.", False),
    ]
    assert "Lumo desk lamp" in run.output.keywords


async def test_a_forbidden_claim_is_never_grounded() -> None:
    run = await GRAPH.run(AnalyzeRequest("这是全国第一的台灯。", "zh"), budget_s=1)
    assert not run.output.compliance.passed
    assert [claim.grounded for claim in run.output.claims] == [False]

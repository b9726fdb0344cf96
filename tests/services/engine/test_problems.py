import pytest

from chatdesk.core.errors import ModelProblem, PromptTooLong
from chatdesk.core.generation import Failed, FailureCode
from chatdesk.core.loading import LoadOptions
from chatdesk.services.engine.problems import engine_problem, out_of_memory


@pytest.mark.parametrize("code", FailureCode)
def test_every_failure_is_a_sentence_and_says_what_to_do(code: FailureCode) -> None:
    problem = engine_problem(Failed("1", code, "because", tokens=9000, limit=8176), "tiny.gguf")
    assert problem.what.endswith((".", "because"))
    assert problem.todo.endswith(".")
    assert "{" not in str(problem)
    if isinstance(problem, ModelProblem):
        assert "tiny.gguf" in problem.what


def test_both_numbers_of_a_prompt_too_long() -> None:
    problem = engine_problem(Failed("1", FailureCode.PROMPT_TOO_LONG, "", 9000, 8176), "tiny")
    assert isinstance(problem, PromptTooLong)
    assert (problem.tokens, problem.limit) == (9000, 8176)
    assert "9,000" in problem.what
    assert "8,176" in problem.what
    assert "824" in problem.todo


def test_out_of_memory_offers_less_until_there_is_no_less() -> None:
    options = LoadOptions(16384, threads=3)
    offered = []
    while smaller := out_of_memory(options, None).smaller:
        offered.append((smaller.context_window, smaller.kv_type))
        assert smaller.threads == 3
        options = smaller
    assert offered == [(8192, "f16"), (4096, "f16"), (2048, "f16"), (2048, "q4_0")]


def test_what_is_offered_is_less_than_what_was_reached() -> None:
    smaller = out_of_memory(LoadOptions(131072), 8192).smaller
    assert smaller
    assert smaller.context_window == 4096

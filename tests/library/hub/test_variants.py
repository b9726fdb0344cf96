"""Model files of a repository, grouped and chosen from."""

import pytest

from chatdesk.core.hub import HubFile, Variant
from chatdesk.core.model_files import Estimate
from chatdesk.core.models import Fit
from chatdesk.library.hub.variants import quantization_of, recommended, variants_of

GB = 10**9


@pytest.mark.parametrize(
    ("path", "quantization"),
    [
        ("Qwen3-4B-Q4_K_M.gguf", "Q4_K_M"),
        ("qwen2.5-coder-7b-instruct-q4_k_m.gguf", "Q4_K_M"),
        ("qwen2.5-7b-instruct-q8_0-00001-of-00003.gguf", "Q8_0"),
        ("mistral-7b.Q5_K_S.gguf", "Q5_K_S"),
        ("Llama-IQ2_XXS.gguf", "IQ2_XXS"),
        ("Llama-IQ4_NL.gguf", "IQ4_NL"),
        ("Qwen3-8B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("Phi-3-mini-4k-instruct-q4.gguf", "Q4"),
        ("Phi-3-mini-4k-instruct-fp16.gguf", "F16"),
        ("gemma-BF16.gguf", "BF16"),
        ("BF16/gemma-00001-of-00002.gguf", "BF16"),
        ("UD-IQ1_S/gemma-UD-IQ1_S.gguf", "UD-IQ1_S"),
        ("DeepSeek-Q8-distill-Q2_K_L.gguf", "Q2_K_L"),
        ("bitnet-TQ1_0.gguf", "TQ1_0"),
        ("some-model.gguf", "some-model"),
        ("QwQ-32B.gguf", "QwQ-32B"),
    ],
)
def test_a_quantization_is_read_from_a_name(path: str, quantization: str) -> None:
    assert quantization_of(path) == quantization


def test_parts_are_one_variant_in_order_and_sets_with_gaps_are_none() -> None:
    files = [
        HubFile("Q8_0/m-Q8_0-00003-of-00003.gguf", 10),
        HubFile("Q8_0/m-Q8_0-00001-of-00003.gguf", 40),
        HubFile("Q8_0/m-Q8_0-00002-of-00003.gguf", 40),
        HubFile("m-F16-00001-of-00002.gguf", 99),
        HubFile("n-F16-00002-of-00002.gguf", 99),
        HubFile("m-Q4_0.gguf", 50),
        HubFile("mmproj-F16.gguf", 5),
        HubFile("m.imatrix.gguf", 5),
        HubFile("model.safetensors", 5),
    ]
    small, split = variants_of(files)
    assert (small.quantization, small.bytes) == ("Q4_0", 50)
    assert (split.quantization, split.bytes) == ("Q8_0", 90)
    assert [file.path[12:17] for file in split.files] == ["00001", "00002", "00003"]


SIZES = {"Q2_K": 3, "Q4_K_M": 5, "Q6_K": 7, "Q8_0": 9, "F16": 16}


def choice(*fits: Fit, speeds: tuple[float, ...] = (0.0,) * 5, memory: int = 100) -> str | None:
    variants = [Variant(name, (HubFile(name, size * GB),)) for name, size in SIZES.items()]
    estimates = [
        Estimate(fit, 8192, variant.bytes, speed)
        for fit, variant, speed in zip(fits, variants, speeds, strict=True)
    ]
    chosen = recommended(variants, estimates, memory * GB)
    return None if chosen is None else variants[chosen].quantization


G, P, C, N = Fit.GPU, Fit.PARTIAL, Fit.CPU, Fit.TOO_LARGE


def test_the_largest_sensible_one_that_runs_well_is_chosen() -> None:
    assert choice(G, G, G, G, G) == "Q8_0"
    assert choice(G, G, G, P, N) == "Q6_K"
    assert choice(C, C, C, C, C) == "Q8_0"
    assert choice(C, C, C, C, C, speeds=(20, 11, 8, 6, 3)) == "Q6_K"
    assert choice(C, C, C, C, C, memory=8) == "Q4_K_M"
    assert choice(G, P, P, P, N) == "Q2_K"
    assert choice(P, P, P, P, P) == "Q4_K_M"
    assert choice(C, N, N, N, N) == "Q2_K"
    assert choice(N, N, N, N, N) is None


def test_what_is_not_known_is_not_chosen() -> None:
    variants = [Variant("Q4_0", (HubFile("a", 5),)), Variant("Q8_0", (HubFile("b", 9),))]
    assert recommended(variants, [None, None], GB) is None
    assert recommended(variants, [Estimate(C, 8192, 5), None], GB) == 0
    assert recommended([], [], GB) is None

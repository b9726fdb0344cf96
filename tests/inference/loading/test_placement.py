"""The placement of layers, as arithmetic."""

import pytest

from chatdesk.inference.loading.placement import (
    Layers,
    Needs,
    Sizes,
    by_shares,
    cpu_weights,
    fewer,
    kv_share,
    most_kv_layer,
    native_split,
    place,
    reserve,
    smaller,
    taken,
)

GB = 1024**3
MB = 1024**2

# 32 layers of 100 MB and an output layer of 300 MB beside an input layer of 300 MB
SIZES = Sizes(
    layers=(100 * MB,) * 32,
    output=300 * MB,
    total=3800 * MB,
    is_tied=False,
    embedding=4096,
    trained_context=8192,
)


def needs(*compute: int, kv_layer: int = 20 * MB) -> Needs:
    return Needs(kv_layer, compute, 50 * MB)


@pytest.mark.parametrize(
    ("rooms", "placed"),
    [
        pytest.param([], (), id="no GPU"),
        pytest.param([8 * GB], (32,), id="everything fits"),
        pytest.param([3 * GB], (22,), id="a part fits: 3072 MB - 100 - 300 are 22 x 120"),
        pytest.param([450 * MB], (0,), id="the output layer leaves no room for a layer"),
        pytest.param([0], (0,), id="a device that reports no memory"),
        pytest.param([-GB], (0,), id="less than is to be left alone"),
        pytest.param([8 * GB, 8 * GB], (0, 32), id="one of two is enough"),
        pytest.param([6 * GB, 1 * GB], (30, 2), id="both are needed, filled to the same degree"),
        pytest.param([1 * GB, 2 * GB], (7, 13), id="not even both hold it"),
        pytest.param([3 * GB, 3 * GB], (17, 15), id="two of a size: the output counts as well"),
        pytest.param([2 * GB, 0, 3 * GB], (14, 0, 18), id="one of three has no room"),
        pytest.param([4 * GB, 300 * MB], (30, 0), id="the last one is too small for the output"),
    ],
)
def test_place(rooms: list[int], placed: Layers) -> None:
    required = needs(*[100 * MB] * len(rooms))
    assert place(SIZES, required, rooms) == placed
    for used, room in zip(taken(SIZES, required, placed), rooms, strict=True):
        assert used <= max(0, room)


def test_devices_chosen_by_hand_are_all_used() -> None:
    rooms = [8 * GB, 8 * GB]
    assert place(SIZES, needs(0, 0), rooms, on_all=True) == (17, 15)
    assert place(SIZES, needs(0, 0), [16 * GB, 8 * GB], on_all=True) == (23, 9)


def test_a_larger_cache_or_buffer_leaves_room_for_fewer_layers() -> None:
    rooms = [3 * GB]
    (few,) = place(SIZES, needs(100 * MB, kv_layer=100 * MB), rooms)
    (some,) = place(SIZES, needs(800 * MB), rooms)
    (many,) = place(SIZES, needs(100 * MB), rooms)
    assert few == 13
    assert some == 16
    assert many == 22


def test_layers_of_different_sizes() -> None:
    """As in a mixture of experts whose first layers are dense: the last ones go to the GPU."""
    sizes = Sizes((10 * MB,) * 3 + (400 * MB,) * 29, 300 * MB, 12 * GB, True, 4096, 8192)
    assert place(sizes, needs(0, kv_layer=0), [11_930 * MB]) == (32,)
    assert place(sizes, needs(0, kv_layer=0), [11_925 * MB]) == (31,)
    assert place(sizes, needs(0, kv_layer=0), [3 * GB]) == (6,)


def test_what_each_device_takes() -> None:
    assert taken(SIZES, needs(7, 9), (2, 3)) == (240 * MB + 7, 360 * MB + 300 * MB + 9)
    assert taken(SIZES, needs(7, 9), (2, 0)) == (240 * MB + 300 * MB + 7, 0)
    assert taken(SIZES, needs(7, 9), (0, 0)) == (0, 0)


def test_what_stays_with_the_processor() -> None:
    tied = Sizes(SIZES.layers, SIZES.output, 3500 * MB, True, 4096, 8192)
    assert cpu_weights(SIZES, (0,)) == 3800 * MB
    assert cpu_weights(SIZES, (32,)) == 300 * MB
    assert cpu_weights(SIZES, (2, 3)) == 3000 * MB
    assert cpu_weights(tied, (32,)) == 300 * MB  # the output on the GPU is a copy


def test_shares() -> None:
    assert by_shares([1], 30) == (30,)
    assert by_shares([1, 2], 30) == (10, 20)
    assert by_shares([0, 1, 0], 30) == (0, 30, 0)
    assert by_shares([0, 0], 5) == (2, 3)
    assert sum(by_shares([0.3, 0.3, 0.4], 31)) == 31


def test_llama_cpp_counts_the_output_as_a_layer() -> None:
    assert native_split((10, 20)) == [10, 21]
    assert native_split((10, 0)) == [11, 0]
    assert native_split((0, 0)) == [0, 0]


def test_stepping_down_ends_on_the_processor() -> None:
    assert fewer((30,)) == [(30,), (22,), (15,), (7,), (0,)]
    assert fewer((10, 20)) == [(10, 20), (7, 15), (5, 10), (2, 5), (0, 0)]
    assert fewer((1,)) == [(1,), (0,)]
    assert fewer((0,)) == [(0,)]
    assert fewer(()) == [()]


def test_context_windows_shrink_before_the_cache_is_quantized() -> None:
    assert list(smaller(8192, "f16")) == [
        (4096, "f16"),
        (2048, "f16"),
        (2048, "q8_0"),
        (2048, "q4_0"),
    ]
    assert list(smaller(3000, "q8_0")) == [(2048, "q8_0"), (2048, "q4_0")]
    assert list(smaller(512, "q4_0")) == []


def test_sizes_of_caches() -> None:
    assert kv_share("f16", "f16") == 1
    assert kv_share("q8_0", "f16") == pytest.approx(34 / 64)
    assert kv_share("q4_0", "q8_0") == pytest.approx(18 / 34)
    assert most_kv_layer(SIZES, 1000, "f16") == 4 * 4096 * 1000 * 2


def test_some_memory_is_left_alone() -> None:
    assert reserve(4 * GB) == 4 * GB // 10
    assert reserve(80 * GB) == GB

import pytest

from chatdesk.core.units import GIB, MIB, memory_words, part_words, size_words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 kB"),
        (3, "1 kB"),
        (1_000, "1 kB"),
        (98_400_000, "98 MB"),
        (999_600_000, "1 GB"),
        (7_260_000_000, "7.3 GB"),
        (15_000_000_000, "15 GB"),
        (2_400_000_000_000, "2.4 TB"),
        (9_000_000_000_000_000, "9000 TB"),
    ],
)
def test_files_are_counted_in_thousands(size: int, words: str) -> None:
    assert size_words(size) == words


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (16 * GIB, "16 GB"),
        (8.19 * GIB, "8.2 GB"),
        (812 * MIB, "812 MB"),
        (3 * 1024, "3 kB"),
    ],
)
def test_memory_is_counted_in_powers_of_two(size: float, words: str) -> None:
    assert memory_words(size) == words


def test_a_part_is_said_in_the_unit_of_the_whole() -> None:
    assert part_words(100_000_000, 5_000_000_000) == "0.1 of 5.0 GB"
    assert part_words(0, 400) == "0 of 1 MB"

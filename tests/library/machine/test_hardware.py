import os

from chatdesk.library.machine.hardware import available_memory, read_hardware


def test_this_computer() -> None:
    hardware = read_hardware()
    assert hardware.cpu
    assert 1 <= hardware.physical_cores <= hardware.logical_cores
    assert hardware.logical_cores == os.cpu_count()
    assert 0 < hardware.available_bytes <= hardware.total_bytes


def test_available_memory() -> None:
    assert 0 < available_memory() <= read_hardware().total_bytes

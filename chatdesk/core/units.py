"""Bytes as words, in this one place. Sizes are bytes everywhere else.

Two rules, one for each kind of size:

- Files, disks and downloads: decimal. 1 GB is 1000 MB, as in Finder, GNOME Files (`g_format_size`
  of GLib), on disks and on the model hub, so that a model has the same size here, on its page at
  the hub and in the file manager. Windows Explorer alone divides by 1024.
- Memory (RAM and that of GPUs): binary. 1 GB is 1024 MB, as in Activity Monitor, the Task Manager
  and on memory modules, so that a computer sold with 16 GB has 16 GB here.

https://support.apple.com/102119, https://docs.gtk.org/glib/func.format_size.html
"""

from chatdesk.core.i18n import tr

KB, MB, GB = 10**3, 10**6, 10**9  # of a file
KIB, MIB, GIB = 2**10, 2**20, 2**30  # of memory


def size_words(size: float) -> str:
    """Return the size of a file, or the space on a disk: "98 MB", "7.3 GB"."""
    return _words(size, KB)


def memory_words(size: float) -> str:
    """Return a part of memory: "812 MB", "16 GB"."""
    return _words(size, KIB)


def part_words(done: int, total: int) -> str:
    """Return the present part of a file, in the unit of the whole: "0.1 of 5.0 GB"."""
    if total >= GB:
        return tr("{done} of {total} GB", done=f"{done / GB:.1f}", total=f"{total / GB:.1f}")
    return tr("{done} of {total} MB", done=round(done / MB), total=max(1, round(total / MB)))


def _words(size: float, step: int) -> str:
    """Return `size` in the largest unit that leaves at least 1; from GB on with one decimal."""
    number, power = max(size / step, 1.0) if size else 0.0, 0  # nothing alone is 0 kB
    while round(number) >= step and power < 3:
        number /= step
        power += 1
    n = f"{number:.1f}".removesuffix(".0") if power >= 2 else f"{number:.0f}"
    return (tr("{n} kB", n=n), tr("{n} MB", n=n), tr("{n} GB", n=n), tr("{n} TB", n=n))[power]

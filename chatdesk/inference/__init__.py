"""Everything that uses llama.cpp; runs in the engine process."""

import os

# llama.cpp's threads meet after every operation of a token. By default GNU OpenMP lets them spin
# there for milliseconds, so that one busy program beside them (our own window, painting) took
# decoding from 100 tokens/s to less than 5 on two cores. Yielding the core after 1000 turns has no
# measurable cost on an idle machine and kept 30 tokens/s beside the busy program. The library reads
# it when it is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

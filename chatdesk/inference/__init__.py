"""Everything that touches llama.cpp; runs in the engine process."""

import os

# llama.cpp's threads meet after every operation of a token. By default GNU OpenMP lets them spin
# there for milliseconds, so that one busy program beside them (our own window, painting) took
# decoding from 100 tokens/s to less than 5 on two cores. Giving up the core after 1000 turns
# costs nothing measurable on an idle machine and kept 30 tokens/s beside the busy program.
# Read by the library when it is loaded.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")

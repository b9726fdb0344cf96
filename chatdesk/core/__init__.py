"""The shared vocabulary: plain values, standard library only."""

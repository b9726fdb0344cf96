"""The gate: the proof that an adapter needs before it is used."""

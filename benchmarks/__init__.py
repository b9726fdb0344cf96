"""Measurements against a baseline: `chatdesk bench NAME`, or `python -m benchmarks.NAME`."""

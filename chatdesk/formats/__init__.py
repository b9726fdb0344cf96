"""File formats of models and adapters, for the app and its child processes.

The standard library, `core` and numpy only. Files may be hostile: nothing they state is believed
before it was held against their size.
"""

"""File formats of models and adapters, for the app and its child processes.

The standard library, `core` and numpy only. Files may be hostile: every stated number is checked
against their size.
"""

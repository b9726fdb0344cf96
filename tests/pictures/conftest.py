"""Widgets are made in the same application as those of tests/ui, which may run after these."""

from tests.ui.conftest import qapp_cls

__all__ = ["qapp_cls"]

"""The panel beside a chat."""

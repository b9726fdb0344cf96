"""The main window: its content, and its saved state."""

"""The main window: what fills it, and what it keeps."""

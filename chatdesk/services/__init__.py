"""The app's functions in plain Python, for the window, the command line and the server."""

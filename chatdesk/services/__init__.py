"""What the app can do, in plain Python, for the window, the command line and the server."""

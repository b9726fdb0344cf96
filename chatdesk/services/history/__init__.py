"""The user's history: projects and order, search, import and export."""

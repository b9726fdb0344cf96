"""A better model for this computer, suggested below the empty chat and fetched there."""

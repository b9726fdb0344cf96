"""What others might send or leave on the disk, damaged at random, and what comes of it."""

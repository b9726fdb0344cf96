"""What several rooms' tests share."""

import sys

FAKE_ENGINE = (sys.executable, "-m", "tests.fake_engine")

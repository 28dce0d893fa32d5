"""flatssl.SSL under its old name."""

import sys

import flatssl.SSL

sys.modules[__name__] = flatssl.SSL

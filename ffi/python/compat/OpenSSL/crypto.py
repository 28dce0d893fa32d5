"""flatssl.crypto under its old name."""

import sys

import flatssl.crypto

sys.modules[__name__] = flatssl.crypto

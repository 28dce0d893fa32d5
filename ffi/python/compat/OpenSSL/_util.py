"""A private name that Twisted imports. What it would call there is for OpenSSL 1.0 alone."""

from flatssl._load import ffi, lib

__all__ = ["ffi", "lib"]

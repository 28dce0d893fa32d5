"""The version of pyOpenSSL whose interface this is. Programs compare it with what they need."""

__version__ = "26.0.0"

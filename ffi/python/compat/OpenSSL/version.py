"""The version of pyOpenSSL whose interface this is. Programs compare it with what they need."""

__version__ = "26.0.0"
__title__ = "pyOpenSSL"
__summary__ = "The interface of pyOpenSSL over libflatssl"
__uri__ = ""
__author__ = __email__ = __copyright__ = ""
__license__ = "Apache License, Version 2.0"

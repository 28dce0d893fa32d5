"""The package of this name over flatssl: with this directory first on PYTHONPATH, programs that
were written for pyOpenSSL run on libflatssl unchanged."""

from flatssl import SSL, crypto

from . import version
from .version import __version__

__all__ = ["SSL", "__version__", "crypto"]

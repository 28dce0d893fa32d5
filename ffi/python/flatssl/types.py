"""Names for what functions take, for programs whose types are checked."""

import os
import typing

if typing.TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa

    from .certificate import Certificate, Key

Address = typing.Tuple[str, int]
Path = typing.Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Buffer = typing.Union[bytes, bytearray, memoryview]
Text = typing.Union[str, bytes]

AnyCert = typing.Union["Certificate", "x509.Certificate"]
AnyKey = typing.Union[
    "Key",
    "dsa.DSAPrivateKey",
    "ec.EllipticCurvePrivateKey",
    "ed25519.Ed25519PrivateKey",
    "ed448.Ed448PrivateKey",
    "rsa.RSAPrivateKey",
]

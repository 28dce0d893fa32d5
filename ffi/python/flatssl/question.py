"""What a handshake asks, and what is answered.

A connection that asks raises WantClientHelloError, WantX509LookupError or WantVerifyError from
do_handshake, or from I/O that carries the handshake on. Read the question, change the connection as
you like, answer from any thread and at any time, and call again.
"""

import typing

from . import _abi
from .certificate import Certificate, Key, Name
from .stream import Stream
from .types import Buffer, Text


def protocol_list(protos: typing.Iterable[Text]) -> bytes:
    """Returns protocol names in the form of ALPN: each with its length in a byte before it."""
    names = [name.encode("ascii") if isinstance(name, str) else bytes(name) for name in protos]
    for name in names:
        if not 0 < len(name) < 256:
            raise ValueError(f"a protocol's name has 1 to 255 bytes: {name!r}")
    return b"".join(bytes([len(name)]) + name for name in names)


class Questions(Stream):
    """A connection's questions, and what it has of its own in place of its context's."""

    def ask(self, mask: int) -> None:
        """Sets, before the handshake, which questions it asks: ASK_ bits."""
        _abi.conn_ask(self, mask)

    # ---- the client's hello, on a server ----

    def hello_bytes(self, part: int) -> bytes:
        """Returns a HELLO_ part, empty if it is not there."""
        return _abi.conn_hello_bytes(self, part)

    def hello_ext(self, type: int) -> bytes:
        """Returns the raw extension of a type, which the client must have sent."""
        return _abi.conn_hello_ext(self, type)

    def answer_hello(self, alert: int = 0) -> None:
        """Goes on with what is set by now, or refuses with an alert."""
        _abi.conn_answer_hello(self, alert)

    # ---- the own certificate ----

    def client_cas(self) -> typing.List[Name]:
        """Returns the issuers whose certificates a server takes."""
        count = _abi.conn_client_ca_count(self)
        return [Name._wrap(_abi.conn_client_ca_item(self, i)) for i in range(count)]

    def peer_signature_algorithms(self) -> bytes:
        """Returns the numbers of those that the peer takes, two bytes each."""
        return _abi.conn_peer_signature_algorithms(self)

    def answer_certificate(self, send: bool = True) -> None:
        """Sends the certificate that is set by now, or none."""
        _abi.conn_answer_certificate(self, send)

    # ---- the peer's certificate ----

    def verify_errors(self) -> typing.List[typing.Tuple[int, int]]:
        """Returns what is wrong with it as (X509_V_ code, depth)."""
        count = _abi.conn_verify_error_count(self)
        return [_abi.conn_verify_error_item(self, i) for i in range(count)]

    def waive_verify_error(self, index: int = -1) -> None:
        """Takes the peer in spite of one of these errors, or of all."""
        _abi.conn_waive_verify_error(self, index)

    def answer_verify(self, refusal: int = 0) -> None:
        """Takes the peer if every error was waived, or refuses it with an X509_V_ code."""
        _abi.conn_answer_verify(self, refusal)

    # ---- settings of this connection alone ----

    def use_certificate(self, certificate: Certificate) -> None:
        _abi.conn_use_certificate(self, certificate)

    def use_private_key(self, key: Key) -> None:
        _abi.conn_use_private_key(self, key)

    def set_verify(self, mode: int) -> None:
        _abi.conn_set_verify(self, mode)

    def verify_mode(self) -> int:
        return _abi.conn_verify_mode(self)

    def set_options(self, options: int) -> int:
        return _abi.conn_set_options(self, options)

    def options(self) -> int:
        return _abi.conn_options(self)

    def set_min_proto_version(self, version: int) -> None:
        _abi.conn_set_min_proto_version(self, version)

    def set_max_proto_version(self, version: int) -> None:
        _abi.conn_set_max_proto_version(self, version)

    def set_alpn_protos(self, protos: typing.Iterable[Text]) -> None:
        """Sets the protocols that a client offers."""
        _abi.conn_set_alpn_protos(self, protocol_list(protos))

    def set_alpn_preference(self, protos: typing.Iterable[Text]) -> None:
        """Sets the protocols that a server accepts, the best first."""
        _abi.conn_set_alpn_preference(self, protocol_list(protos))

    def set_ocsp_response(self, der: "Buffer | None") -> None:
        """Sets the OCSP response that a server staples."""
        _abi.conn_set_ocsp_response(self, der)

    def request_ocsp(self) -> None:
        """Asks, on a client, for an OCSP response."""
        _abi.conn_request_ocsp(self)

    def ocsp_response(self) -> bytes:
        """Returns the OCSP response that the server stapled, unchecked; empty for none."""
        return _abi.conn_ocsp_response(self)

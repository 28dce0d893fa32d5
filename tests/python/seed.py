"""The map from the names of OpenSSL.SSL to the code: what docs/seed.md is made of.

    python3 tests/python/seed.py    writes docs/seed.md anew; test_seed.py checks it

Each row says which function, constant or mechanism of the library serves a name, what it is called
in Python and in Lua, and which test of ffi/python/tests/test_ssl_*.py shows it. Where nothing is
said here, the names follow from the seed's own by rule.
"""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "seed.md"

HEAD = """# The seed

Every name of the reference of `OpenSSL.SSL` (pyOpenSSL 17.5), and where it is. The flat function is
declared in `abi/flatssl_decl.h`; the Python name is of `flatssl.SSL`, and so of `OpenSSL.SSL` with
`ffi/python/compat` first on `PYTHONPATH`; the Lua name is of `require "flatssl"`, methods with a
colon. The test is of `ffi/python/tests/test_ssl_*.py`. Made by `tests/python/seed.py`, checked by
`./dev test`.

| seed | library | Python | Lua | test |
|---|---|---|---|---|
"""

CONSTANTS = """SSLv2_METHOD SSLv3_METHOD SSLv23_METHOD TLSv1_METHOD TLSv1_1_METHOD TLSv1_2_METHOD
VERIFY_NONE VERIFY_PEER VERIFY_FAIL_IF_NO_PEER_CERT VERIFY_CLIENT_ONCE FILETYPE_PEM FILETYPE_ASN1
OP_SINGLE_DH_USE OP_SINGLE_ECDH_USE OP_EPHEMERAL_RSA OP_NO_TICKET OP_NO_COMPRESSION OP_NO_SSLv2
OP_NO_SSLv3 OP_NO_TLSv1 OP_NO_TLSv1_1 OP_NO_TLSv1_2 SSLEAY_VERSION SSLEAY_CFLAGS SSLEAY_BUILT_ON
SSLEAY_PLATFORM SSLEAY_DIR SESS_CACHE_OFF SESS_CACHE_CLIENT SESS_CACHE_SERVER SESS_CACHE_BOTH
SESS_CACHE_NO_AUTO_CLEAR SESS_CACHE_NO_INTERNAL_LOOKUP SESS_CACHE_NO_INTERNAL_STORE
SESS_CACHE_NO_INTERNAL SENT_SHUTDOWN RECEIVED_SHUTDOWN MODE_RELEASE_BUFFERS""".split()

# seed name: (library, Lua, test)
MODULE = {
    "OPENSSL_VERSION_NUMBER": ("fssl_version_openssl", "version.openssl", "test_versions"),
    "SSLeay_version": ("fssl_version_openssl_text", "version.openssl_text", "test_versions"),
    "ContextType": ("fssl_ctx_new", "ctx.new", "test_names_of_classes"),
    "Context": ("fssl_ctx_new", "ctx.new", "test_names_of_classes"),
    "Session": ("FSSL_TYPE_SESSION", "constants.TYPE_SESSION", "test_session"),
    "ConnectionType": ("fssl_conn_new", "conn.new", "test_names_of_classes"),
    "Connection": ("fssl_conn_new", "conn.new", "test_names_of_classes"),
    "Error": ("fssl_error_str", "error.str", "test_error_has_what_openssl_says"),
    "ZeroReturnError": ("FSSL_E_ZERO_RETURN", "constants.E_ZERO_RETURN", "test_zero_return"),
    "WantReadError": ("FSSL_E_WANT_READ", "constants.E_WANT_READ", "test_wants"),
    "WantWriteError": ("FSSL_E_WANT_WRITE", "constants.E_WANT_WRITE", "test_wants"),
    "WantX509LookupError": (
        "FSSL_E_WANT_CERTIFICATE", "constants.E_WANT_CERTIFICATE", "test_want_x509_lookup"),
    "SysCallError": ("FSSL_E_SYSCALL", "constants.E_SYSCALL", "test_syscall_error"),
}

# method: (flat name without its noun, test)
CONTEXT = {
    "check_privatekey": ("check_private_key", "test_key_and_certificate"),
    "get_app_data": ("app_data", "test_app_data"),
    "get_cert_store": ("cert_store", "test_trust"),
    "get_timeout": ("timeout", "test_session_settings"),
    "get_verify_depth": ("verify_depth", "test_verify_settings"),
    "get_verify_mode": ("verify_mode", "test_verify_settings"),
    "load_client_ca": ("load_client_ca", "test_client_cas"),
    "set_client_ca_list": ("set_client_ca_list", "test_client_cas"),
    "add_client_ca": ("add_client_ca", "test_client_cas"),
    "load_verify_locations": ("load_verify_locations", "test_trust"),
    "set_default_verify_paths": ("set_default_verify_paths", "test_trust"),
    "load_tmp_dh": ("load_tmp_dh", "test_temporary_keys"),
    "set_tmp_ecdh": ("set_groups", "test_temporary_keys"),
    "set_app_data": ("set_app_data", "test_app_data"),
    "set_cipher_list": ("set_cipher_list", "test_cipher_list"),
    "set_info_callback": ("set_info_callback", "test_info_callback"),
    "set_options": ("set_options", "test_options_and_mode"),
    "set_mode": ("set_mode", "test_options_and_mode"),
    "set_passwd_cb": ("set_passphrase", "test_passphrase"),
    "set_session_cache_mode": ("set_session_cache_mode", "test_session_settings"),
    "get_session_cache_mode": ("session_cache_mode", "test_session_settings"),
    "set_session_id": ("set_session_id_context", "test_session_settings"),
    "set_timeout": ("set_timeout", "test_session_settings"),
    "set_verify": ("set_verify", "test_verify_callback"),
    "set_verify_depth": ("set_verify_depth", "test_verify_settings"),
    "use_certificate": ("use_certificate", "test_key_and_certificate"),
    "add_extra_chain_cert": ("add_extra_chain_cert", "test_key_and_certificate"),
    "use_certificate_chain_file": ("use_certificate_chain_file", "test_files"),
    "use_privatekey": ("use_private_key", "test_key_and_certificate"),
    "use_certificate_file": ("use_certificate_file", "test_files"),
    "use_privatekey_file": ("use_private_key_file", "test_files"),
    "set_tlsext_servername_callback": ("set_server_name_callback", "test_servername"),
    "set_npn_advertise_callback": ("set_npn_advertise_callback", "test_npn"),
    "set_npn_select_callback": ("set_npn_select_callback", "test_npn"),
    "set_alpn_protos": ("set_alpn_protos", "test_alpn"),
    "set_alpn_select_callback": ("set_alpn_select_callback", "test_alpn"),
}

# What serves in Lua, which has data and questions in the place of callbacks.
LUA = {
    "fssl_ctx_set_info_callback": "ctx:next_info",
    "fssl_ctx_set_server_name_callback": "ctx:add_server_name",
    "fssl_ctx_set_npn_advertise_callback": "ctx:set_npn_advertised",
    "fssl_ctx_set_npn_select_callback": "ctx:set_npn_preference",
    "fssl_ctx_set_alpn_select_callback": "ctx:set_alpn_preference",
}

CONNECTION = {
    "accept": ("accept", "test_sockets"),
    "bind": ("bind", "test_sockets"),
    "close": ("detach", "test_sockets"),
    "connect": ("connect", "test_sockets"),
    "connect_ex": ("connect", "test_sockets"),
    "do_handshake": ("do_handshake", "test_methods"),
    "fileno": ("fileno", "test_sockets"),
    "listen": ("listen", "test_sockets"),
    "get_app_data": ("app_data", "test_app_data"),
    "get_cipher_list": ("cipher_list_item", "test_cipher_list"),
    "get_protocol_version": ("protocol_version", "test_state_and_versions"),
    "get_protocol_version_name": ("protocol_version_name", "test_state_and_versions"),
    "get_client_ca_list": ("client_ca_item", "test_client_cas"),
    "get_context": ("context", "test_servername"),
    "set_context": ("set_context", "test_servername"),
    "get_peer_certificate": ("peer_certificate", "test_certificates"),
    "get_peer_cert_chain": ("peer_chain_item", "test_certificates"),
    "getpeername": ("getpeername", "test_sockets"),
    "getsockname": ("getsockname", "test_sockets"),
    "getsockopt": ("getsockopt", "test_sockets"),
    "pending": ("pending", "test_data"),
    "recv": ("recv", "test_data"),
    "recv_into": ("recv", "test_data"),
    "bio_write": ("bio_write", "test_memory"),
    "renegotiate": ("renegotiate", "test_renegotiation"),
    "renegotiate_pending": ("renegotiate_pending", "test_renegotiation"),
    "total_renegotiations": ("total_renegotiations", "test_renegotiation"),
    "send": ("send", "test_data"),
    "bio_read": ("bio_read", "test_memory"),
    "sendall": ("send_all", "test_data"),
    "set_accept_state": ("set_accept_state", "test_methods"),
    "set_app_data": ("set_app_data", "test_app_data"),
    "set_connect_state": ("set_connect_state", "test_methods"),
    "setblocking": ("setblocking", "test_sockets"),
    "setsockopt": ("setsockopt", "test_sockets"),
    "shutdown": ("shutdown", "test_shutdown"),
    "get_shutdown": ("shutdown_state", "test_shutdown"),
    "set_shutdown": ("set_shutdown_state", "test_shutdown"),
    "sock_shutdown": ("sock_shutdown", "test_sockets"),
    "bio_shutdown": ("bio_shutdown", "test_unexpected_eof"),
    "get_state_string": ("state_string", "test_state_and_versions"),
    "client_random": ("client_random", "test_randoms_and_keys"),
    "server_random": ("server_random", "test_randoms_and_keys"),
    "master_key": ("master_key", "test_randoms_and_keys"),
    "want_read": ("want", "test_wants"),
    "want_write": ("want", "test_wants"),
    "set_tlsext_host_name": ("set_server_name", "test_servername"),
    "get_servername": ("server_name", "test_servername"),
    "get_session": ("session", "test_session"),
    "set_session": ("set_session", "test_session"),
    "get_finished": ("finished", "test_randoms_and_keys"),
    "get_peer_finished": ("peer_finished", "test_randoms_and_keys"),
    "get_cipher_name": ("cipher_name", "test_cipher_list"),
    "get_cipher_bits": ("cipher_bits", "test_cipher_list"),
    "get_cipher_version": ("cipher_version", "test_cipher_list"),
    "get_next_proto_negotiated": ("next_proto", "test_npn"),
    "set_alpn_protos": ("set_alpn_protos", "test_alpn"),
    "get_alpn_proto_negotiated": ("alpn_proto", "test_alpn"),
}

# Constants that have other names in the library.
RENAMED = {"SSLEAY_": "OPENSSL_"}


def constant(name):
    flat = name.upper()
    for old, new in RENAMED.items():
        flat = flat.replace(old, new)
    old = name in ("SSLv2_METHOD", "SSLv3_METHOD")
    test = "test_old_methods_raise" if old else "test_constants"
    return name, f"FSSL_{flat}", f"SSL.{name}", f"flatssl.constants.{flat}", test


def method(owner, noun, name, flat, test):
    function = f"fssl_{noun}_{flat}"
    lua = LUA.get(function, f"{noun}:{flat}")
    return f"{owner}.{name}", function, f"SSL.{owner}.{name}", lua, test


def rows():
    """Returns (seed name, library, Python, Lua, test) for each name."""
    found = [constant(name) for name in CONSTANTS]
    found += [(name, flat, f"SSL.{name}", f"flatssl.{lua}", test)
              for name, (flat, lua, test) in MODULE.items()]
    found += [method("Context", "ctx", name, *row) for name, row in CONTEXT.items()]
    found += [method("Connection", "conn", name, *row) for name, row in CONNECTION.items()]
    return found


def page():
    lines = ("| " + " | ".join(f"`{cell}`" for cell in row) + " |\n" for row in rows())
    return HEAD + "".join(lines)


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())

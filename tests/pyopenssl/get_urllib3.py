"""A client of urllib3.contrib.pyopenssl: prints what each of its requests came to.

    python3 get_urllib3.py CA-FILE OTHER-CA-FILE CLIENT-CERTIFICATE CLIENT-KEY PORT REFUSING-PORT
"""

import sys

import urllib3
import urllib3.contrib.pyopenssl

BIG = bytes(range(256)) * 8192  # 2 MiB: many records, and more than a socket takes at once


def outcome(request):
    try:
        return request()
    except urllib3.exceptions.HTTPError as error:
        reason = getattr(error, "reason", error)
        return type(error).__name__, type(reason).__name__


def main(ca, other_ca, cert, key, port, refusing_port):
    urllib3.contrib.pyopenssl.inject_into_urllib3()
    assert urllib3.util.IS_PYOPENSSL
    settings = dict(ca_certs=ca, retries=False, timeout=20.0)
    pool = urllib3.PoolManager(**settings)
    base, refusing = f"https://localhost:{port}", f"https://localhost:{refusing_port}"
    with_cert = urllib3.PoolManager(cert_file=cert, key_file=key, **settings)
    requests = {
        "get": lambda: (pool.request("GET", base + "/").status, pool.request("GET", base).data),
        "post": lambda: pool.request("POST", base + "/echo", body=BIG).data == BIG,
        "chunked": lambda: b"".join(
            pool.request("POST", base + "/echo", body=BIG, preload_content=False).stream(1000)
        ) == BIG,
        "kept alive": lambda: pool.connection_from_url(base).num_connections,
        "by address": lambda: pool.request("GET", f"https://127.0.0.1:{port}/").status,
        "wrong name": lambda: urllib3.PoolManager(
            assert_hostname="other.example", **settings
        ).request("GET", base).status,
        "untrusted": lambda: urllib3.PoolManager(ca_certs=other_ca, retries=False).request(
            "GET", base
        ).status,
        "unverified": lambda: urllib3.PoolManager(cert_reqs="CERT_NONE", retries=False).request(
            "GET", base
        ).status,
        "client certificate": lambda: with_cert.request("GET", refusing).data,
        # a reset may overtake the server's alert
        "no client certificate": lambda: outcome(lambda: pool.request("GET", refusing).status)
        in (("SSLError", "SSLError"), ("ProtocolError", "ProtocolError")),
        "slow": lambda: pool.request("GET", base + "/slow", timeout=0.3).status,
        "cut off": lambda: pool.request("GET", base + "/cut").status,
    }
    for name, request in requests.items():
        print(name, outcome(request))


main(*sys.argv[1:])

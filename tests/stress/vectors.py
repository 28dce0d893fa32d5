"""Verifies the public certificate vectors x509-limbo and BetterTLS by the rules of the safe
contexts, and those that come with a key once more over a handshake, which must give the same
verdict.

The vectors are xz-compressed JSON in the folder that FLATSSL_VECTORS names, or in ../shared/vectors
beside the tree; they are no part of it. Each case that is accepted wrongly needs its reason in
vectors.tsv.
"""

import atexit
import datetime
import fnmatch
import functools
import json
import lzma
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from flatssl import _abi as fssl
from flatssl import errors
from flatssl._load import lib

HERE = pathlib.Path(__file__).resolve().parent
FOLDER = os.environ.get("FLATSSL_VECTORS") or HERE.parents[2] / "shared" / "vectors"
LEVEL = 2  # the security level of the safe contexts
ACCEPTED_MOST = 43  # of the servers' cases: what OpenSSL by itself accepts wrongly
CLIENTS_ACCEPTED_MOST = 1
REFUSED_MOST = 122
STEPS = 20

RULES = lib.FSSL_STORE_X509_STRICT | lib.FSSL_STORE_PARTIAL_CHAIN
WANTS = (-lib.FSSL_E_WANT_READ, -lib.FSSL_E_WANT_WRITE)


class Open(list):
    """Handles that are closed in the end."""

    def __call__(self, handle):
        self.append(handle)
        return handle

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for handle in reversed(self):
            fssl.handle_close(handle)


def certificate(pem, made={}):
    if pem not in made:
        made[pem] = fssl.cert_from_pem(pem.encode())
    return made[pem]


def trusted(case, flags, keep):
    """Makes a store of what a case trusts."""
    store = keep(fssl.store_new())
    for pem in case["trusted_certs"]:
        fssl.store_add_cert(store, certificate(pem))
    for pem in case["crls"]:
        fssl.store_add_crl(store, keep(fssl.crl_from_pem(pem.encode())))
        flags |= lib.FSSL_STORE_CRL_CHECK
    fssl.store_set_flags(store, flags)
    if case["validation_time"]:
        moment = datetime.datetime.fromisoformat(case["validation_time"])
        fssl.store_set_time(store, int(moment.timestamp()))
    return store


def host_of(case):
    name = case["expected_peer_name"]
    return name["value"] if name and name["kind"] in ("DNS", "IP") else None


def by_chain(case):
    """Returns whether fssl_chain_verify accepts the case."""
    client = case["validation_kind"] == "CLIENT"
    with Open() as keep:
        try:
            store = trusted(case, RULES, keep)
            chain = keep(fssl.chain_new(store, certificate(case["peer_certificate"])))
            for pem in case["untrusted_intermediates"]:
                fssl.chain_add_untrusted(chain, certificate(pem))
            fssl.chain_set_purpose(
                chain, lib.FSSL_PURPOSE_SSL_CLIENT if client else lib.FSSL_PURPOSE_SSL_SERVER
            )
            fssl.chain_set_security_level(chain, LEVEL)
            if case["max_chain_depth"] is not None:
                fssl.chain_set_depth(chain, case["max_chain_depth"])
            if host_of(case):
                fssl.chain_set_host(chain, host_of(case))
            fssl.chain_verify(chain)
        except errors.Error:
            return False
        return True


# ---- over a handshake ----


@functools.cache
def parameters():
    """Writes parameters for Diffie-Hellman to a file. Returns its path."""
    path = os.path.join(tempfile.mkdtemp(), "dh.pem")
    atexit.register(shutil.rmtree, os.path.dirname(path))
    words = ["-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048", "-out", path]
    subprocess.run(["openssl", "genpkey", *words], check=True)
    return path


def showing(case, keep):
    """Makes a context that shows the case's certificate, whatever it is worth."""
    ctx = keep(fssl.ctx_new(lib.FSSL_TLS_METHOD))
    key = keep(fssl.key_from_pem(case["peer_certificate_key"].encode(), b""))
    if fssl.key_type(key) == lib.FSSL_KEY_DSA:  # for which 1.3 has no place
        fssl.ctx_set_max_proto_version(ctx, lib.FSSL_TLS1_2_VERSION)
        fssl.ctx_load_tmp_dh(ctx, parameters())
    fssl.ctx_set_cipher_list(ctx, "ALL")
    fssl.ctx_set_security_level(ctx, 0)
    fssl.ctx_use_certificate(ctx, certificate(case["peer_certificate"]))
    fssl.ctx_use_private_key(ctx, key)
    for pem in case["untrusted_intermediates"]:
        fssl.ctx_add_extra_chain_cert(ctx, certificate(pem))
    return ctx


def judging(case, client, keep):
    """Makes a context that verifies the case. A safe one, but where it would refuse before it has
    seen the certificate: without a host, and for DSA. A server shows the same one for its own."""
    rules = 0  # a safe context has its own
    key = keep(fssl.key_from_pem(case["peer_certificate_key"].encode(), b""))
    safe = host_of(case) and fssl.key_type(key) != lib.FSSL_KEY_DSA
    if not client and safe:
        ctx = keep(fssl.ctx_new_client())
    elif not client:
        ctx = keep(fssl.ctx_new(lib.FSSL_TLS_CLIENT_METHOD))
        fssl.ctx_set_verify(ctx, lib.FSSL_VERIFY_PEER)
        fssl.ctx_set_security_level(ctx, LEVEL)
        fssl.ctx_set_cipher_list(ctx, "ALL")
        rules = RULES
    else:
        ctx = keep(fssl.ctx_new_server())
        fssl.ctx_set_verify(ctx, lib.FSSL_VERIFY_PEER | lib.FSSL_VERIFY_FAIL_IF_NO_PEER_CERT)
        fssl.ctx_use_certificate(ctx, certificate(case["peer_certificate"]))
        fssl.ctx_use_private_key(ctx, key)
    fssl.ctx_set_cert_store(ctx, trusted(case, rules, keep))
    if case["max_chain_depth"] is not None:
        fssl.ctx_set_verify_depth(ctx, case["max_chain_depth"])
    return ctx


def carry(source, target):
    try:
        data = fssl.stream_out(lib.fssl_conn_bio_read, 65536, source)
    except errors.WantError:
        return
    fssl.conn_bio_write(target, data)


def shake_hands(judge, other):
    """Returns whether the judge takes the other end."""
    result = WANTS[0]
    for _ in range(STEPS):
        fssl.attempt(lib.fssl_conn_do_handshake, other)
        carry(other, judge)
        result = fssl.attempt(lib.fssl_conn_do_handshake, judge)
        if result not in WANTS:
            return result == 0
        carry(judge, other)
    raise AssertionError("the handshake does not end")


def by_handshake(case):
    """Returns whether a context takes the case's certificate in a handshake."""
    client = case["validation_kind"] == "CLIENT"
    with Open() as keep:
        other = keep(fssl.conn_new_memory(showing(case, keep)))
        judge = keep(fssl.conn_new_memory(judging(case, client, keep)))
        if client:
            fssl.conn_set_connect_state(other)
        else:
            fssl.conn_set_accept_state(other)
        try:
            if host_of(case):
                fssl.conn_set_host(judge, host_of(case))
        except errors.Error:
            return False
        return shake_hands(judge, other)


# ---- figures ----


class Figure:
    passed = failed = 0

    def __init__(self, name):
        self.name, self.points, self.failures, self.note = name, 0, 0, ""
        self.began = time.monotonic()

    def fail(self, text):
        self.failures += 1
        print(f"FAILED {self.name}: {text}")

    def end(self):
        if self.points == 0:
            self.fail("nothing was tried")
        seconds = time.monotonic() - self.began
        print(
            f"figure | {self.name} | {self.points} points | {self.failures} failed | "
            f"{seconds:.1f} s | {self.note}",
            flush=True,
        )
        Figure.failed += self.failures > 0
        Figure.passed += self.failures == 0


def reasons():
    lines = (HERE / "vectors.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def reason_for(name, listed):
    for pattern, reason in listed:
        if fnmatch.fnmatchcase(name, pattern):
            return reason
    return None


def judge_chains(name, cases, accepted_most, refused_most):
    figure, wrong, refused = Figure(name), [], 0
    listed = reasons()
    for case in cases:
        accepted = by_chain(case)
        figure.points += 1
        if accepted and case["expected_result"] == "FAILURE":
            wrong.append(case["id"])
        refused += not accepted and case["expected_result"] == "SUCCESS"
    for name in wrong:
        reason = reason_for(name, listed)
        print(f"  accepted wrongly: {name}: {reason}")
        if not reason:
            figure.fail(f"{name} is accepted, and vectors.tsv has no reason for it")
        if "nameconstraints" in name:
            figure.fail(f"{name} is accepted against a name constraint")
    if len(wrong) > accepted_most or refused > refused_most:
        figure.fail(f"{len(wrong)} accepted and {refused} refused wrongly")
    agree = figure.points - len(wrong) - refused
    figure.note = f"{agree} agree, {len(wrong)} accepted wrongly, {refused} refused wrongly"
    figure.end()


def compare_with_wire(cases):
    figure = Figure("vectors: chains and handshakes alike")
    for case in cases:
        figure.points += 1
        if by_chain(case) != by_handshake(case):
            verdict = "refused" if by_chain(case) else "accepted"
            figure.fail(f"{case['id']} is {verdict} on the wire")
    figure.note = f"{figure.points - figure.failures} of {figure.points} alike"
    figure.end()


def load(name):
    with lzma.open(pathlib.Path(FOLDER) / f"{name}.json.xz") as file:
        return json.load(file)["testcases"]


def main():
    if not (pathlib.Path(FOLDER) / "x509-limbo.json.xz").exists():
        print("figure | vectors | skipped | | | the vectors are not at hand (FLATSSL_VECTORS)")
        print("0 passed, 0 failed, 1 skipped")
        return 0
    limbo, bettertls = load("x509-limbo"), load("bettertls")
    servers = [case for case in limbo if case["validation_kind"] == "SERVER"]
    clients = [case for case in limbo if case["validation_kind"] == "CLIENT"]
    judge_chains("vectors: chains of servers", servers + bettertls, ACCEPTED_MOST, REFUSED_MOST)
    judge_chains("vectors: chains of clients", clients, CLIENTS_ACCEPTED_MOST, 0)
    compare_with_wire([case for case in limbo if case["peer_certificate_key"]])
    print(f"{Figure.passed} passed, {Figure.failed} failed, 0 skipped")
    return 1 if Figure.failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Prints where the Context of OpenSSL.SSL is from."""

import OpenSSL.SSL

print(OpenSSL.SSL.Context.__module__)

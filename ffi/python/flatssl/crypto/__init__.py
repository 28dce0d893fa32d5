"""OpenSSL.crypto over flatssl: keys, certificates and trust, as users of SSL need them."""

from ..errors import Error
from .cert import (
    X509,
    X509Req,
    dump_certificate,
    dump_certificate_request,
    load_certificate,
    load_certificate_request,
)
from .container import NetscapeSPKI, PKCS7, PKCS12, load_pkcs7_data, load_pkcs12
from .crl import CRL, Revoked, dump_crl, load_crl
from .constants import *  # noqa: F403
from .constants import X509StoreFlags, X509VerificationCodes
from .key import (
    PKey,
    dump_privatekey,
    dump_publickey,
    get_elliptic_curve,
    get_elliptic_curves,
    load_privatekey,
    load_publickey,
    sign,
    verify,
)
from .name import X509Extension, X509Name
from .store import X509Store, X509StoreContext, X509StoreContextError

X509Type = X509
X509NameType = X509Name
X509ExtensionType = X509Extension
X509ReqType = X509Req
X509StoreType = X509Store
PKeyType = PKey
CRLType = CRL
PKCS7Type = PKCS7
PKCS12Type = PKCS12
NetscapeSPKIType = NetscapeSPKI

"""OpenSSL.crypto over flatssl: keys, certificates and trust, as users of SSL need them."""

from ..errors import Error as Error
from .cert import (
    X509 as X509,
    X509Req as X509Req,
    dump_certificate as dump_certificate,
    dump_certificate_request as dump_certificate_request,
    load_certificate as load_certificate,
    load_certificate_request as load_certificate_request,
)
from .container import (
    NetscapeSPKI as NetscapeSPKI,
    PKCS7 as PKCS7,
    PKCS12 as PKCS12,
    load_pkcs7_data as load_pkcs7_data,
    load_pkcs12 as load_pkcs12,
)
from .crl import CRL as CRL, Revoked as Revoked, dump_crl as dump_crl, load_crl as load_crl
from .constants import *  # noqa: F403
from .key import (
    PKey as PKey,
    dump_privatekey as dump_privatekey,
    dump_publickey as dump_publickey,
    get_elliptic_curve as get_elliptic_curve,
    get_elliptic_curves as get_elliptic_curves,
    load_privatekey as load_privatekey,
    load_publickey as load_publickey,
    sign as sign,
    verify as verify,
)
from .name import X509Extension as X509Extension, X509Name as X509Name
from .store import (
    X509Store as X509Store,
    X509StoreContext as X509StoreContext,
    X509StoreContextError as X509StoreContextError,
)

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

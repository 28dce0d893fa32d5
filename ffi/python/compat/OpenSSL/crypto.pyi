from flatssl.crypto import *

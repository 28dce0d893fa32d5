from flatssl.SSL import *

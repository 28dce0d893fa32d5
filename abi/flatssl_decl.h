/* flatssl: TLS for every language, through one flat C ABI over OpenSSL.

   Every function returns >= 0 on success: 0, a count, a length, a value or a new handle. It
   returns < 0 on failure and then *err, which may be NULL, holds an FSSL_E_ code; the negative
   result alone tells the same through fssl_error_code and, with lines of text, fssl_error_text.

   Text and bytes go in as pointer and length. FSSL_NUL_TERMINATED as the length of a text stands
   for strlen; every negative length is FSSL_E_ARGUMENT. Text and bytes come out into the caller's
   buffer: the result is the full length (text is not NUL-terminated), capacity 0 asks for the
   length alone, and a buffer that is too small gives FSSL_E_BUFFER with nothing written.

   What a function "makes" is a handle that the caller closes with fssl_handle_close. Inputs are
   copied or used up during the call. Any function may be called from any thread. "Serves" says
   whose work a function does in pyOpenSSL 17.5, "the seed". The contract is abi/ABI.md. */

typedef int64_t fssl_handle;

enum { FSSL_NUL_TERMINATED = 0x7fffffff };

/* Codes. The hundreds are the kind, which fssl_error_kind returns for codes newer than a
   binding. */
enum {
    FSSL_OK = 0,

    /* Call again later with the same arguments; nothing was lost. */
    FSSL_KIND_WANT = 1,
    FSSL_E_WANT_READ = 101,
    FSSL_E_WANT_WRITE = 102,
    FSSL_E_WANT_CLIENT_HELLO = 103,
    FSSL_E_WANT_CERTIFICATE = 104,
    FSSL_E_WANT_VERIFY = 105,
    FSSL_E_INTERRUPTED = 106,

    /* The stream, or the call, has ended. */
    FSSL_KIND_CLOSED = 2,
    FSSL_E_ZERO_RETURN = 201,
    FSSL_E_EOF = 202,
    FSSL_E_CANCELLED = 203,
    FSSL_E_FORKED = 204,

    /* The operating system refused; the record holds errno. */
    FSSL_KIND_SYSTEM = 3,
    FSSL_E_SYSCALL = 301,
    FSSL_E_TIMEOUT = 302,
    FSSL_E_RESOLVE = 303,

    /* The protocol failed; the record holds OpenSSL's lines and a received alert. */
    FSSL_KIND_TLS = 4,
    FSSL_E_TLS = 401,
    FSSL_E_ALERT = 402,
    FSSL_E_CIPHER = 403,
    FSSL_E_CALLBACK = 404,
    FSSL_E_FLOOD = 405,

    /* A certificate, key or name was refused; the record holds the X.509 verify code. */
    FSSL_KIND_CERTIFICATE = 5,
    FSSL_E_VERIFY = 501,
    FSSL_E_HOST = 502,
    FSSL_E_KEY_MISMATCH = 503,
    FSSL_E_PARSE = 504,
    FSSL_E_PASSPHRASE_NEEDED = 505,
    FSSL_E_PASSPHRASE_WRONG = 506,

    /* The caller erred; the object is as it was. */
    FSSL_KIND_USAGE = 6,
    FSSL_E_HANDLE = 601,
    FSSL_E_HANDLE_TYPE = 602,
    FSSL_E_ARGUMENT = 603,
    FSSL_E_BUFFER = 604,
    FSSL_E_STATE = 605,
    FSSL_E_READONLY = 606,
    FSSL_E_UNSUPPORTED = 607,
    FSSL_E_IN_CALLBACK = 608,
    FSSL_E_EXPIRED = 609,

    /* flatssl or OpenSSL failed inside. */
    FSSL_KIND_INTERNAL = 7,
    FSSL_E_MEMORY = 701,
    FSSL_E_LIMIT = 702,
    FSSL_E_OPENSSL = 703
};

/* ---- version ---- */

/* What fssl_version_openssl_text is asked for: the numbers of the seed's SSLEAY_ constants. */
enum {
    FSSL_OPENSSL_VERSION = 0,
    FSSL_OPENSSL_CFLAGS = 1,
    FSSL_OPENSSL_BUILT_ON = 2,
    FSSL_OPENSSL_PLATFORM = 3,
    FSSL_OPENSSL_DIR = 4
};

/* Returns flatssl's own version as major * 10000 + minor * 100 + patch. */
int64_t fssl_version_number(int32_t *err);

/* Writes flatssl's own version, such as "1.0.0". Returns its length. */
int64_t fssl_version_text(char *buf, int64_t cap, int32_t *err);

/* Returns the number of the OpenSSL in use, such as 0x30000130 for 3.0.19.
   Serves OPENSSL_VERSION_NUMBER. */
int64_t fssl_version_openssl(int32_t *err);

/* Writes one of the FSSL_OPENSSL_ texts. Returns its length; FSSL_E_ARGUMENT for an unknown one.
   Serves SSLeay_version. */
int64_t fssl_version_openssl_text(int32_t which, char *buf, int64_t cap, int32_t *err);

/* ---- handle ---- */

enum {
    FSSL_TYPE_ANY = 0,
    FSSL_TYPE_CTX = 1,
    FSSL_TYPE_CONN = 2,
    FSSL_TYPE_SESSION = 3,
    FSSL_TYPE_CERT = 4,
    FSSL_TYPE_KEY = 5,
    FSSL_TYPE_NAME = 6,
    FSSL_TYPE_STORE = 7,
    FSSL_TYPE_EXT = 8,
    FSSL_TYPE_REQ = 9,
    FSSL_TYPE_CRL = 10,
    FSSL_TYPE_PKCS12 = 11,
    FSSL_TYPE_CHAIN = 12,
    FSSL_TYPE_REVOKED = 13,
    FSSL_TYPE_PKCS7 = 14,
    FSSL_TYPE_SPKI = 15
};

/* Closes a handle of any type. Never writes to a peer and never waits for one; calls that wait on
   a closed connection return FSSL_E_CANCELLED, and the object is freed when the last one is out.
   An fd that the connection owns is closed with it. */
int64_t fssl_handle_close(fssl_handle h, int32_t *err);

/* Returns the FSSL_TYPE_ of a live handle. */
int64_t fssl_handle_type(fssl_handle h, int32_t *err);

/* Returns how many handles of a type are open, or of all types for FSSL_TYPE_ANY. */
int64_t fssl_handle_count(int32_t type, int32_t *err);

/* Returns the open handle of a type that follows previous, in no promised order, or 0 after the
   last. previous 0 starts; it may have been closed since. Makes nothing: for leak reports. */
int64_t fssl_handle_next(int32_t type, fssl_handle previous, int32_t *err);

/* Returns 1 if both handles name one object, else 0. */
int64_t fssl_handle_same(fssl_handle a, fssl_handle b, int32_t *err);

/* ---- error ---- */

/* What fssl_error_int is asked for. The first three belong to the record, the others to a line. */
enum {
    FSSL_ERROR_ERRNO = 1,
    FSSL_ERROR_ALERT = 2,
    FSSL_ERROR_VERIFY_CODE = 3,
    FSSL_ERROR_OPENSSL_CODE = 4,
    FSSL_ERROR_SOURCE_LINE = 5
};

/* What fssl_error_str is asked for, of a line. */
enum {
    FSSL_ERROR_LIBRARY = 1,
    FSSL_ERROR_FUNCTION = 2,
    FSSL_ERROR_REASON = 3,
    FSSL_ERROR_DATA = 4,
    FSSL_ERROR_SOURCE_FILE = 5
};

/* Returns the FSSL_E_ code of a negative result of any function; FSSL_OK for a result >= 0;
   FSSL_E_EXPIRED once 1,024 later failures have overwritten its record. */
int64_t fssl_error_code(int64_t result, int32_t *err);

/* Returns the FSSL_KIND_ of a code, known or not. */
int64_t fssl_error_kind(int32_t code, int32_t *err);

/* Writes the name of a code, such as "FSSL_E_WANT_READ". Returns its length. */
int64_t fssl_error_name(int32_t code, char *buf, int64_t cap, int32_t *err);

/* Returns how many lines the record of a result holds, at most 16; 0 if the code is the cause. */
int64_t fssl_error_count(int64_t result, int32_t *err);

/* Sets *value to a number of the record or of one of its lines; -1 where there is none. An alert
   is one that the peer sent; a verify code is OpenSSL's X509_V_ number. */
int64_t fssl_error_int(int64_t result, int32_t field, int64_t line, int64_t *value, int32_t *err);

/* Writes a text of one line of the record. Returns its length.
   Serves the (library, function, reason) list of Error. */
int64_t fssl_error_str(int64_t result, int32_t field, int64_t line, char *buf, int64_t cap,
                       int32_t *err);

/* Writes the whole record as text for a person, its lines parted by a line feed. Returns its
   length. */
int64_t fssl_error_text(int64_t result, char *buf, int64_t cap, int32_t *err);

/* ---- ctx: Context ---- */

enum {
    FSSL_SSLV2_METHOD = 1,
    FSSL_SSLV3_METHOD = 2,
    FSSL_SSLV23_METHOD = 3,
    FSSL_TLSV1_METHOD = 4,
    FSSL_TLSV1_1_METHOD = 5,
    FSSL_TLSV1_2_METHOD = 6,
    FSSL_TLS_METHOD = 7,
    FSSL_TLS_SERVER_METHOD = 8,
    FSSL_TLS_CLIENT_METHOD = 9,
    FSSL_DTLS_METHOD = 10,
    FSSL_DTLS_SERVER_METHOD = 11,
    FSSL_DTLS_CLIENT_METHOD = 12,
    FSSL_SAFE = 0x100 /* beside the methods of one side, for fssl_ctx_new_apart */
};

enum { FSSL_FILETYPE_PEM = 1, FSSL_FILETYPE_ASN1 = 2, FSSL_FILETYPE_TEXT = 58 };

enum {
    FSSL_VERIFY_NONE = 0,
    FSSL_VERIFY_PEER = 1,
    FSSL_VERIFY_FAIL_IF_NO_PEER_CERT = 2,
    FSSL_VERIFY_CLIENT_ONCE = 4
};

enum {
    FSSL_SSL3_VERSION = 0x300,
    FSSL_TLS1_VERSION = 0x301,
    FSSL_TLS1_1_VERSION = 0x302,
    FSSL_TLS1_2_VERSION = 0x303,
    FSSL_TLS1_3_VERSION = 0x304,
    FSSL_DTLS1_VERSION = 0xfeff,
    FSSL_DTLS1_2_VERSION = 0xfefd
};

/* Options that fit an enum. Those above bit 30 come from fssl_ctx_option_value. */
enum {
    FSSL_OP_SINGLE_DH_USE = 0, /* 0: OpenSSL 3 always does it, or has nothing left to switch off */
    FSSL_OP_SINGLE_ECDH_USE = 0,
    FSSL_OP_EPHEMERAL_RSA = 0,
    FSSL_OP_NO_SSLV2 = 0,
    FSSL_OP_LEGACY_SERVER_CONNECT = 0x4,
    FSSL_OP_IGNORE_UNEXPECTED_EOF = 0x80,
    FSSL_OP_ALLOW_CLIENT_RENEGOTIATION = 0x100,
    FSSL_OP_DONT_INSERT_EMPTY_FRAGMENTS = 0x800,
    FSSL_OP_NO_QUERY_MTU = 0x1000,
    FSSL_OP_COOKIE_EXCHANGE = 0x2000,
    FSSL_OP_NO_TICKET = 0x4000,
    FSSL_OP_NO_COMPRESSION = 0x20000,
    FSSL_OP_NO_ENCRYPT_THEN_MAC = 0x80000,
    FSSL_OP_PRIORITIZE_CHACHA = 0x200000,
    FSSL_OP_CIPHER_SERVER_PREFERENCE = 0x400000,
    FSSL_OP_TLS_ROLLBACK_BUG = 0x800000,
    FSSL_OP_NO_SSLV3 = 0x2000000,
    FSSL_OP_NO_TLSV1 = 0x4000000,
    FSSL_OP_NO_TLSV1_2 = 0x8000000,
    FSSL_OP_NO_TLSV1_1 = 0x10000000,
    FSSL_OP_NO_TLSV1_3 = 0x20000000,
    FSSL_OP_NO_RENEGOTIATION = 0x40000000
};

/* What fssl_ctx_option_value is asked for. */
enum { FSSL_OPTION_ALL = 1, FSSL_OPTION_CRYPTOPRO_TLSEXT_BUG = 2, FSSL_OPTION_ENABLE_KTLS = 3 };

enum {
    FSSL_MODE_ENABLE_PARTIAL_WRITE = 0x1,
    FSSL_MODE_ACCEPT_MOVING_WRITE_BUFFER = 0x2,
    FSSL_MODE_AUTO_RETRY = 0x4,
    FSSL_MODE_NO_AUTO_CHAIN = 0x8,
    FSSL_MODE_RELEASE_BUFFERS = 0x10
};

enum {
    FSSL_SESS_CACHE_OFF = 0,
    FSSL_SESS_CACHE_CLIENT = 0x1,
    FSSL_SESS_CACHE_SERVER = 0x2,
    FSSL_SESS_CACHE_BOTH = 0x3,
    FSSL_SESS_CACHE_NO_AUTO_CLEAR = 0x80,
    FSSL_SESS_CACHE_NO_INTERNAL_LOOKUP = 0x100,
    FSSL_SESS_CACHE_NO_INTERNAL_STORE = 0x200,
    FSSL_SESS_CACHE_NO_INTERNAL = 0x300
};

/* Makes a context as the seed's Context(method) does: no verification, no trust, OpenSSL's
   defaults. The DTLS methods make contexts of DTLS (see dtls). FSSL_E_UNSUPPORTED for the SSL 2 and
   SSL 3 methods, FSSL_E_ARGUMENT for an unknown one. Newcomers should use fssl_ctx_new_client or
   fssl_ctx_new_server. Serves Context. */
int64_t fssl_ctx_new(int32_t method, int32_t *err);

/* Makes a client's context with safe defaults, whatever openssl.cnf says: TLS 1.2 or later, the
   peer verified against the system's trust, a host name required, no renegotiation, sessions
   resumed (see fssl_ctx_set_resumption). */
int64_t fssl_ctx_new_client(int32_t *err);

/* Makes a server's context with safe defaults, whatever openssl.cnf says: TLS 1.2 or later, no
   renegotiation, no client certificate asked for. */
int64_t fssl_ctx_new_server(int32_t *err);

/* Makes a client's context of DTLS 1.2, with safe defaults in the same way. Its ciphers are AEADs
   alone: OpenSSL 3 ends a connection over one forged record of the others. */
int64_t fssl_ctx_new_dtls_client(int32_t *err);

/* Makes a server's context of DTLS 1.2, with safe defaults in the same way. It should have
   fssl_ctx_set_dtls_cookie_secret too. */
int64_t fssl_ctx_new_dtls_server(int32_t *err);

/* Makes a context whose work in OpenSSL shares few locks with that of other places, for servers
   with many threads: one place for each, from 1 to 256, and 0 for where all other contexts are. A
   method beside FSSL_SAFE makes what fssl_ctx_new_client, _server and their like of DTLS make,
   alone what fssl_ctx_new makes. FSSL_E_ARGUMENT for another method or place, FSSL_E_UNSUPPORTED
   for a method that this OpenSSL lacks, and OpenSSL's own failure where a place cannot be made.

   A place is made at its first use, for which others wait, and never freed. It loads the providers
   that the process has at that time, by name alone, and demands FIPS where the process does. What
   openssl.cnf sets for a provider is not carried over; so a place cannot be made where OpenSSL's
   FIPS provider is one of them, which does not load without. */
int64_t fssl_ctx_new_apart(int32_t method, int64_t place, int32_t *err);

/* Associates a number of the caller's own with the context. Serves Context.set_app_data. */
int64_t fssl_ctx_set_app_data(fssl_handle ctx, int64_t data, int32_t *err);

/* Sets *data to the number last set, 0 if none was. Serves Context.get_app_data. */
int64_t fssl_ctx_app_data(fssl_handle ctx, int64_t *data, int32_t *err);

/* Uses a certificate, which is copied by reference. Serves Context.use_certificate. */
int64_t fssl_ctx_use_certificate(fssl_handle ctx, fssl_handle cert, int32_t *err);

/* Uses the first certificate of a file, of FSSL_FILETYPE_PEM or _ASN1.
   Serves Context.use_certificate_file. */
int64_t fssl_ctx_use_certificate_file(fssl_handle ctx, const char *path, int64_t path_len,
                                      int32_t filetype, int32_t *err);

/* Uses the certificates of a PEM file: the own one first, then its issuers.
   Serves Context.use_certificate_chain_file. */
int64_t fssl_ctx_use_certificate_chain_file(fssl_handle ctx, const char *path, int64_t path_len,
                                            int32_t *err);

/* The same from PEM in memory. */
int64_t fssl_ctx_use_certificate_chain(fssl_handle ctx, const uint8_t *pem, int64_t pem_len,
                                       int32_t *err);

/* Adds a certificate to the chain that is sent. Serves Context.add_extra_chain_cert. */
int64_t fssl_ctx_add_extra_chain_cert(fssl_handle ctx, fssl_handle cert, int32_t *err);

/* Uses a private key. FSSL_E_KEY_MISMATCH if it does not belong to the certificate in use.
   Serves Context.use_privatekey. */
int64_t fssl_ctx_use_private_key(fssl_handle ctx, fssl_handle key, int32_t *err);

/* Uses the private key of a file, of FSSL_FILETYPE_PEM or _ASN1, with the passphrase or passphrase
   callback of the context. FSSL_E_PASSPHRASE_NEEDED, FSSL_E_PASSPHRASE_WRONG.
   Serves Context.use_privatekey_file. */
int64_t fssl_ctx_use_private_key_file(fssl_handle ctx, const char *path, int64_t path_len,
                                      int32_t filetype, int32_t *err);

/* Sets the passphrase with which later private key files are read, at most 1,024 bytes; length 0
   forgets it. */
int64_t fssl_ctx_set_passphrase(fssl_handle ctx, const uint8_t *passphrase, int64_t passphrase_len,
                                int32_t *err);

/* Returns 0 if the private key belongs to the certificate, else FSSL_E_KEY_MISMATCH, or
   FSSL_E_STATE where either is missing. Serves Context.check_privatekey. */
int64_t fssl_ctx_check_private_key(fssl_handle ctx, int32_t *err);

/* Trusts the certificates of a PEM file and those of a hashed directory; either may be NULL with
   length 0, not both. An unreadable or partly bad file is an error and adds nothing.
   Serves Context.load_verify_locations. */
int64_t fssl_ctx_load_verify_locations(fssl_handle ctx, const char *file, int64_t file_len,
                                       const char *dir, int64_t dir_len, int32_t *err);

/* Trusts the certificates of PEM in memory, and uses its CRLs. Returns how many it held. */
int64_t fssl_ctx_load_verify_pem(fssl_handle ctx, const uint8_t *pem, int64_t pem_len,
                                 int32_t *err);

/* Trusts what the platform trusts. Serves Context.set_default_verify_paths. */
int64_t fssl_ctx_set_default_verify_paths(fssl_handle ctx, int32_t *err);

/* Makes a handle of the context's own trust store; what is added to it, the context trusts.
   Serves Context.get_cert_store. */
int64_t fssl_ctx_cert_store(fssl_handle ctx, int32_t *err);

/* Puts a store in the place of the context's trust store, for later connections. */
int64_t fssl_ctx_set_cert_store(fssl_handle ctx, fssl_handle store, int32_t *err);

/* Sets option bits (OpenSSL's own numbers). Returns all that are set now; FSSL_E_UNSUPPORTED for a
   bit that this OpenSSL lacks. Serves Context.set_options. */
int64_t fssl_ctx_set_options(fssl_handle ctx, int64_t options, int32_t *err);

/* Clears option bits. Returns all that are set now. */
int64_t fssl_ctx_clear_options(fssl_handle ctx, int64_t options, int32_t *err);

/* Returns the option bits. */
int64_t fssl_ctx_options(fssl_handle ctx, int32_t *err);

/* Returns the bits of an FSSL_OPTION_ in this OpenSSL. */
int64_t fssl_ctx_option_value(int32_t which, int32_t *err);

/* Sets mode bits. Returns all that are set now. Partial writes and moving buffers are always on;
   FSSL_MODE_AUTO_RETRY is kept for getters and changes nothing. FSSL_E_UNSUPPORTED for a bit that
   is no FSSL_MODE_. Serves Context.set_mode. */
int64_t fssl_ctx_set_mode(fssl_handle ctx, int64_t mode, int32_t *err);

/* Clears mode bits. Returns all that are set now. */
int64_t fssl_ctx_clear_mode(fssl_handle ctx, int64_t mode, int32_t *err);

/* Returns the mode bits. */
int64_t fssl_ctx_mode(fssl_handle ctx, int32_t *err);

/* Sets the ciphers of TLS 1.2 and earlier in OpenSSL's list language. FSSL_E_CIPHER if none
   matches. Serves Context.set_cipher_list. */
int64_t fssl_ctx_set_cipher_list(fssl_handle ctx, const char *list, int64_t list_len, int32_t *err);

/* Sets the suites of TLS 1.3, parted by colons. FSSL_E_CIPHER if one is unknown. */
int64_t fssl_ctx_set_ciphersuites(fssl_handle ctx, const char *list, int64_t list_len,
                                  int32_t *err);

/* Sets the groups (curves) for key exchange, parted by colons, such as "X25519:P-256". */
int64_t fssl_ctx_set_groups(fssl_handle ctx, const char *list, int64_t list_len, int32_t *err);

/* Loads parameters for ephemeral Diffie-Hellman from a PEM file. Serves Context.load_tmp_dh. */
int64_t fssl_ctx_load_tmp_dh(fssl_handle ctx, const char *path, int64_t path_len, int32_t *err);

/* Sets the lowest protocol version allowed, an FSSL_..._VERSION; 0 for the lowest there is. */
int64_t fssl_ctx_set_min_proto_version(fssl_handle ctx, int32_t version, int32_t *err);

/* Sets the highest protocol version allowed; 0 for the highest there is. */
int64_t fssl_ctx_set_max_proto_version(fssl_handle ctx, int32_t version, int32_t *err);

/* Returns the lowest protocol version allowed, 0 for the lowest there is. */
int64_t fssl_ctx_min_proto_version(fssl_handle ctx, int32_t *err);

/* Returns the highest protocol version allowed, 0 for the highest there is. */
int64_t fssl_ctx_max_proto_version(fssl_handle ctx, int32_t *err);

/* Sends the subjects of a PEM file's certificates as the issuers whose certificates a server takes,
   in place of those sent before. Serves Context.load_client_ca. */
int64_t fssl_ctx_load_client_ca(fssl_handle ctx, const char *path, int64_t path_len, int32_t *err);

/* Sets those issuers from names in DER, one after another (see fssl_name_to_der); all or none.
   Serves Context.set_client_ca_list. */
int64_t fssl_ctx_set_client_ca_list(fssl_handle ctx, const uint8_t *der, int64_t der_len,
                                    int32_t *err);

/* Adds the subject of a certificate to those issuers. Serves Context.add_client_ca. */
int64_t fssl_ctx_add_client_ca(fssl_handle ctx, fssl_handle cert, int32_t *err);

/* Sets OpenSSL's security level, 0 to 5. */
int64_t fssl_ctx_set_security_level(fssl_handle ctx, int32_t level, int32_t *err);

/* Returns the security level. */
int64_t fssl_ctx_security_level(fssl_handle ctx, int32_t *err);

/* Sets the FSSL_VERIFY_ mode. Serves Context.set_verify. */
int64_t fssl_ctx_set_verify(fssl_handle ctx, int32_t mode, int32_t *err);

/* Returns the FSSL_VERIFY_ mode. Serves Context.get_verify_mode. */
int64_t fssl_ctx_verify_mode(fssl_handle ctx, int32_t *err);

/* Sets how many certificates may stand between the peer's and a trusted one; -1 for no limit of
   its own. Serves Context.set_verify_depth. */
int64_t fssl_ctx_set_verify_depth(fssl_handle ctx, int32_t depth, int32_t *err);

/* Sets *depth to the verify depth, -1 if none was set. Serves Context.get_verify_depth. */
int64_t fssl_ctx_verify_depth(fssl_handle ctx, int64_t *depth, int32_t *err);

/* Has a server name lead to another context, as fssl_conn_set_context does, before a session is
   looked for. The name is taken without case; its first label may be "*". The other context must
   have no names itself. Names that lead nowhere stay with this context. */
int64_t fssl_ctx_add_server_name(fssl_handle ctx, const char *name, int64_t name_len,
                                 fssl_handle target, int32_t *err);

/* Sets the protocols that a client offers by ALPN, each with a length byte before it, in order
   of preference; length 0 offers none. Serves Context.set_alpn_protos. */
int64_t fssl_ctx_set_alpn_protos(fssl_handle ctx, const uint8_t *protos, int64_t protos_len,
                                 int32_t *err);

/* Sets the protocols from which a server selects, in its order of preference and in the same form.
   A client that offers none of them gets the alert no_application_protocol, as RFC 7301 says.
   Serves Context.set_alpn_select_callback. */
int64_t fssl_ctx_set_alpn_preference(fssl_handle ctx, const uint8_t *protos, int64_t protos_len,
                                     int32_t *err);

/* Sets the protocols that a server advertises by NPN (TLS 1.2 and earlier), in the same form.
   Serves Context.set_npn_advertise_callback. */
int64_t fssl_ctx_set_npn_advertised(fssl_handle ctx, const uint8_t *protos, int64_t protos_len,
                                    int32_t *err);

/* Sets the protocols from which a client selects by NPN, in its order of preference; where the
   server advertises none of them it selects the first. Serves Context.set_npn_select_callback. */
int64_t fssl_ctx_set_npn_preference(fssl_handle ctx, const uint8_t *protos, int64_t protos_len,
                                    int32_t *err);

/* Sets the keys of session tickets, 80 bytes each (name 16, HMAC-SHA-256 key 32, AES-256 key 32):
   the first encrypts, all decrypt. Servers that share them resume each other's sessions, if they
   share the session id context too. Where a server name leads to another context, that one's keys
   go first, if it has any. */
int64_t fssl_ctx_set_ticket_keys(fssl_handle ctx, const uint8_t *keys, int64_t keys_len,
                                 int32_t *err);

/* Sets how many session tickets a TLS 1.3 server sends after a full handshake, 2 if never set. */
int64_t fssl_ctx_set_num_tickets(fssl_handle ctx, int32_t count, int32_t *err);

/* Sets the OCSP response that a server staples for clients that ask; length 0 for none. */
int64_t fssl_ctx_set_ocsp_response(fssl_handle ctx, const uint8_t *der, int64_t der_len,
                                   int32_t *err);

/* Adds a pre-shared key with its identity (1 to 128 bytes without NUL; the key 1 to 256): a client
   offers its first, a server takes any. */
int64_t fssl_ctx_add_psk(fssl_handle ctx, const char *identity, int64_t identity_len,
                         const uint8_t *key, int64_t key_len, int32_t *err);

/* Sets whether a handshake without a pre-shared key fails, with FSSL_E_VERIFY. */
int64_t fssl_ctx_require_psk(fssl_handle ctx, int32_t flag, int32_t *err);

/* Pins a public key by the SHA-256 of its SubjectPublicKeyInfo, 32 bytes. With pins, a peer none of
   whose keys is pinned is refused, with FSSL_E_VERIFY, whatever else it shows. */
int64_t fssl_ctx_add_pin(fssl_handle ctx, const uint8_t *sha256, int64_t sha256_len, int32_t *err);

/* Sets the context within which sessions may be resumed, at most 32 bytes. A context has a random
   one of its own until then. Serves Context.set_session_id. */
int64_t fssl_ctx_set_session_id_context(fssl_handle ctx, const uint8_t *id, int64_t id_len,
                                        int32_t *err);

/* Sets FSSL_SESS_CACHE_ bits. Returns the former ones. Serves Context.set_session_cache_mode. */
int64_t fssl_ctx_set_session_cache_mode(fssl_handle ctx, int32_t mode, int32_t *err);

/* Returns the FSSL_SESS_CACHE_ bits. Serves Context.get_session_cache_mode. */
int64_t fssl_ctx_session_cache_mode(fssl_handle ctx, int32_t *err);

/* Sets how many sessions a context of fssl_ctx_new_client remembers to resume them by itself, 256
   if never set, 0 for none; FSSL_E_STATE for another context. One is remembered when its peer
   passed every check, and offered only to the same host under the same policy: trust, own
   certificate, verify mode, options, versions. Connections with pins, pre-shared keys, questions or
   a verify callback, and those that ask for an OCSP response, shake hands in full; those that
   resumed a session of fssl_conn_set_session add none. */
int64_t fssl_ctx_set_resumption(fssl_handle ctx, int64_t sessions, int32_t *err);

/* Sets for how long new sessions may be resumed, in seconds (300 if never set). Returns the
   former value. Serves Context.set_timeout. */
int64_t fssl_ctx_set_timeout(fssl_handle ctx, int64_t seconds, int32_t *err);

/* Returns for how long new sessions may be resumed, in seconds. Serves Context.get_timeout. */
int64_t fssl_ctx_timeout(fssl_handle ctx, int32_t *err);

/* Sets how many bytes a connection on a socket reads ahead in one system call, 0 for none. With
   read-ahead a program must ask fssl_conn_pending before it waits on the fd itself. */
int64_t fssl_ctx_set_read_ahead(fssl_handle ctx, int64_t bytes, int32_t *err);

/* Sets whether a connection that finds nothing to read frees its record buffers, for servers of
   many idle connections. */
int64_t fssl_ctx_set_buffer_release(fssl_handle ctx, int32_t flag, int32_t *err);

/* ---- conn: Connection ---- */

enum { FSSL_NO_FD = -1 };
enum { FSSL_MSG_PEEK = 2 };
enum { FSSL_SENT_SHUTDOWN = 1, FSSL_RECEIVED_SHUTDOWN = 2 };
enum { FSSL_WANT_READ = 1, FSSL_WANT_WRITE = 2 };

/* What fssl_conn_set_timeout takes beside milliseconds. */
enum { FSSL_TIMEOUT_AS_FD = -2, FSSL_TIMEOUT_NONE = -1 };

/* Makes a connection on an fd, which stays the caller's own (see fssl_conn_own_fd), or with
   FSSL_NO_FD one that fssl_conn_connect or fssl_conn_bind gives a socket. It blocks as the fd
   does. A context of fssl_ctx_new_client or _server sets its side. Serves Connection. */
int64_t fssl_conn_new(fssl_handle ctx, int64_t fd, int32_t *err);

/* Makes a connection on memory: ciphertext goes in by fssl_conn_bio_write and comes out by
   fssl_conn_bio_read. Never blocks. Serves Connection(context, None). */
int64_t fssl_conn_new_memory(fssl_handle ctx, int32_t *err);

/* Associates a number of the caller's own with the connection. Serves Connection.set_app_data. */
int64_t fssl_conn_set_app_data(fssl_handle conn, int64_t data, int32_t *err);

/* Sets *data to the number last set, 0 if none was. Serves Connection.get_app_data. */
int64_t fssl_conn_app_data(fssl_handle conn, int64_t *data, int32_t *err);

/* Makes a handle of the connection's context. Serves Connection.get_context. */
int64_t fssl_conn_context(fssl_handle conn, int32_t *err);

/* Replaces the context: its certificate, trust, verify mode and depth, client CA list, options,
   and ALPN preference, all for the handshake that runs or comes; profiles of SRTP too, until a
   client's handshake begins or a server has answered for the client's hello. Protocol versions and
   groups stay as they are, as in OpenSSL; versions that are set on the connection in a server
   name callback, or while the question about the client hello is open, still count.
   Serves Connection.set_context. */
int64_t fssl_conn_set_context(fssl_handle conn, fssl_handle ctx, int32_t *err);

/* Sets the FSSL_VERIFY_ mode of this connection. */
int64_t fssl_conn_set_verify(fssl_handle conn, int32_t mode, int32_t *err);

/* Returns the FSSL_VERIFY_ mode of this connection. */
int64_t fssl_conn_verify_mode(fssl_handle conn, int32_t *err);

/* Sets option bits of this connection. Returns all that are set now. */
int64_t fssl_conn_set_options(fssl_handle conn, int64_t options, int32_t *err);

/* Returns the option bits of this connection. */
int64_t fssl_conn_options(fssl_handle conn, int32_t *err);

/* Uses a certificate on this connection alone. */
int64_t fssl_conn_use_certificate(fssl_handle conn, fssl_handle cert, int32_t *err);

/* Uses a private key on this connection alone. */
int64_t fssl_conn_use_private_key(fssl_handle conn, fssl_handle key, int32_t *err);

/* Makes it a client. Serves Connection.set_connect_state. */
int64_t fssl_conn_set_connect_state(fssl_handle conn, int32_t *err);

/* Makes it a server. Serves Connection.set_accept_state. */
int64_t fssl_conn_set_accept_state(fssl_handle conn, int32_t *err);

/* Sets whom a client expects: a DNS name, sent as server name and checked against the peer's
   certificate, or an IP address, checked. ASCII (A-labels); a trailing dot is dropped; empty or
   with a NUL is FSSL_E_ARGUMENT. */
int64_t fssl_conn_set_host(fssl_handle conn, const char *host, int64_t host_len, int32_t *err);

/* Writes the host that was set, in the form in which it is checked. Returns its length, 0 if none
   was. */
int64_t fssl_conn_host(fssl_handle conn, char *buf, int64_t cap, int32_t *err);

/* Sets the server name to send and nothing else. Serves Connection.set_tlsext_host_name. */
int64_t fssl_conn_set_server_name(fssl_handle conn, const char *name, int64_t name_len,
                                  int32_t *err);

/* Writes the server name that the client sent. Returns its length, 0 if it sent none.
   Serves Connection.get_servername. */
int64_t fssl_conn_server_name(fssl_handle conn, char *buf, int64_t cap, int32_t *err);

/* Sets the lowest protocol version of this connection. */
int64_t fssl_conn_set_min_proto_version(fssl_handle conn, int32_t version, int32_t *err);

/* Sets the highest protocol version of this connection. */
int64_t fssl_conn_set_max_proto_version(fssl_handle conn, int32_t version, int32_t *err);

/* Sets the protocols from which this server's connection selects by ALPN. */
int64_t fssl_conn_set_alpn_preference(fssl_handle conn, const uint8_t *protos, int64_t protos_len,
                                      int32_t *err);

/* Sets the OCSP response that this server's connection staples. */
int64_t fssl_conn_set_ocsp_response(fssl_handle conn, const uint8_t *der, int64_t der_len,
                                    int32_t *err);

/* Asks, on a client, for an OCSP response. */
int64_t fssl_conn_request_ocsp(fssl_handle conn, int32_t *err);

/* Writes the OCSP response that the server stapled. Returns its length, 0 for none; it has not been
   checked. */
int64_t fssl_conn_ocsp_response(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t *err);

/* Sets the protocols to offer on this connection, as fssl_ctx_set_alpn_protos.
   Serves Connection.set_alpn_protos. */
int64_t fssl_conn_set_alpn_protos(fssl_handle conn, const uint8_t *protos, int64_t protos_len,
                                  int32_t *err);

/* On a client, offers a session for resumption, before the handshake. FSSL_E_ARGUMENT for a session
   of another context; one of another host, or one that was not verified where that is due now,
   is not offered. On a server, provides one that was fetched from elsewhere, at the client hello.
   Serves Connection.set_session. */
int64_t fssl_conn_set_session(fssl_handle conn, fssl_handle session, int32_t *err);

/* Makes a handle of the session in use, or returns 0 if there is none. A TLS 1.3 session can be
   resumed only after a ticket was received. Serves Connection.get_session. */
int64_t fssl_conn_session(fssl_handle conn, int32_t *err);

/* Returns 1 if the handshake resumed a session, else 0. */
int64_t fssl_conn_session_reused(fssl_handle conn, int32_t *err);

/* Advances the handshake to its end. FSSL_E_WANT_READ or FSSL_E_WANT_WRITE where the carrier does
   not block; FSSL_E_VERIFY and FSSL_E_HOST where the peer was refused.
   Serves Connection.do_handshake. */
int64_t fssl_conn_do_handshake(fssl_handle conn, int32_t *err);

/* Sends up to len bytes, after the handshake if that is due. Returns how many were accepted, at
   least 1 (0 only for len 0): all of them where the connection blocks, else what fits. Nothing of
   the buffer is kept. Serves Connection.send. */
int64_t fssl_conn_send(fssl_handle conn, const uint8_t *data, int64_t len, int32_t *err);

/* Sends all of data and always sets *sent, which may be NULL, to how many bytes were accepted,
   on failure too: after a want, go on behind them. Serves Connection.sendall. */
int64_t fssl_conn_send_all(fssl_handle conn, const uint8_t *data, int64_t len, int64_t *sent,
                           int32_t *err);

/* Reads up to cap bytes of plaintext into buf; flags is 0 or FSSL_MSG_PEEK. Returns how many, at
   least 1 (0 only for cap 0): what one record holds, and of those that have come behind it (to
   memory, or by read-ahead) what fits. WANT_READ or WANT_WRITE where the carrier does not block;
   ZERO_RETURN after the peer's close_notify, EOF where the stream ended without one. Serves
   Connection.recv and recv_into. */
int64_t fssl_conn_recv(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t flags, int32_t *err);

/* Returns how many bytes fssl_conn_recv can return without reading the carrier.
   Serves Connection.pending. */
int64_t fssl_conn_pending(fssl_handle conn, int32_t *err);

/* Gathers what is sent until it is so many bytes (at most 16,384) and sends it as one record then,
   so that many small messages cost little more than one; 0, as at first, sends each at once. What
   is gathered goes out before any fssl_conn_recv or fssl_conn_pump waits or wants, while another
   thread waits in one, when ciphertext is taken from memory, at fssl_conn_flush and
   fssl_conn_shutdown. Flush before you wait for the peer in any other way, or close: closing drops
   what is still gathered. If it cannot be sent, every later send, flush and shutdown fails. */
int64_t fssl_conn_set_coalescing(fssl_handle conn, int64_t bytes, int32_t *err);

/* Sends what was gathered, and ciphertext that the carrier would not take before. Returns 0 when
   none is left. */
int64_t fssl_conn_flush(fssl_handle conn, int32_t *err);

/* Returns what to poll for before calling again, as FSSL_WANT_ bits; 0 if the last call wanted
   nothing. Serves Connection.want_read and want_write. */
int64_t fssl_conn_want(fssl_handle conn, int32_t *err);

/* Sends close_notify. Returns 1 if the peer's has come too, else 0: then a second call, or
   fssl_conn_recv, waits for it; where data comes first the second call gives FSSL_E_STATE, and
   fssl_conn_recv the data. Serves Connection.shutdown. */
int64_t fssl_conn_shutdown(fssl_handle conn, int32_t *err);

/* Returns FSSL_SENT_SHUTDOWN and FSSL_RECEIVED_SHUTDOWN bits. Serves Connection.get_shutdown. */
int64_t fssl_conn_shutdown_state(fssl_handle conn, int32_t *err);

/* Sets the bits that fssl_conn_shutdown_state returns. Serves Connection.set_shutdown. */
int64_t fssl_conn_set_shutdown_state(fssl_handle conn, int32_t state, int32_t *err);

/* Sets how long a call may wait in all, in milliseconds: 0 never, FSSL_TIMEOUT_NONE for ever,
   FSSL_TIMEOUT_AS_FD (at first) as the fd's own blocking mode says. Past it FSSL_E_TIMEOUT, with
   the connection usable; with 0 the want. */
int64_t fssl_conn_set_timeout(fssl_handle conn, int64_t milliseconds, int32_t *err);

/* Ends the calls that wait on this connection now, with FSSL_E_CANCELLED, and none later. */
int64_t fssl_conn_cancel(fssl_handle conn, int32_t *err);

/* Writes ciphertext that is to be sent to the peer of a memory connection into buf. Returns how
   many bytes; WANT_READ if there are none. Serves Connection.bio_read. */
int64_t fssl_conn_bio_read(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t *err);

/* Takes ciphertext that came from the peer of a memory connection. Returns how many bytes were
   taken, which is fewer than len, or FSSL_E_LIMIT for none, when its buffer of 1 MiB is full: then
   fssl_conn_recv makes room. Serves Connection.bio_write. */
int64_t fssl_conn_bio_write(fssl_handle conn, const uint8_t *data, int64_t len, int32_t *err);

/* Says that the peer of a memory connection will send no more. Serves Connection.bio_shutdown. */
int64_t fssl_conn_bio_shutdown(fssl_handle conn, int32_t *err);

/* Takes ciphertext that came, advances the handshake or reads plaintext into plain, and writes
   ciphertext that is to be sent into out: all that an event loop has to do for a packet. Returns
   how many bytes of plaintext, 0 when the handshake has ended and plain_cap is 0, else as
   fssl_conn_recv. Always sets *taken and *given, on failure too: an alert may be in out. in and out
   may not overlap. */
int64_t fssl_conn_pump(fssl_handle conn, const uint8_t *in, int64_t in_len, int64_t *taken,
                       uint8_t *plain, int64_t plain_cap, uint8_t *out, int64_t out_cap,
                       int64_t *given, int32_t *err);

/* Sends as fssl_conn_send does, on memory, and writes ciphertext that is to be sent into out: all
   that an event loop has to do for a message. Returns how many bytes of data were accepted: up to
   and with the first record that out does not hold whole; the rest of that is for the next
   fssl_conn_seal, fssl_conn_pump or fssl_conn_bio_read. What was gathered goes out too. len 0 sends
   nothing more. Always sets *given, on failure too. data and out may not overlap.

   A handshake is begun, or carried on, where it is due; it moves by what fssl_conn_pump takes.
   Where nothing was accepted: FSSL_E_WANT_READ until it has ended, or while a renegotiation is
   under way, with its flight in out (pump what comes, then seal again); FSSL_E_WANT_WRITE while
   more than 1 MiB of ciphertext is still to be taken, while another thread sends, or while what
   came during a renegotiation is still to be received; FSSL_E_STATE where the connection is not on
   memory, lacks its side or the host that it has to verify, or has sent close_notify. */
int64_t fssl_conn_seal(fssl_handle conn, const uint8_t *data, int64_t len, uint8_t *out,
                       int64_t out_cap, int64_t *given, int32_t *err);

/* Writes raw bytes that were read behind the peer's close_notify, for a protocol that goes on in
   the clear. Returns how many, 0 for none; FSSL_E_STATE before close_notify. */
int64_t fssl_conn_leftover(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t *err);

/* Begins a renegotiation (TLS 1.2 and earlier), which fssl_conn_do_handshake or any I/O carries on.
   Returns 1, or 0 if one is under way. Serves Connection.renegotiate. */
int64_t fssl_conn_renegotiate(fssl_handle conn, int32_t *err);

/* Returns 1 while a renegotiation is under way, else 0. Serves Connection.renegotiate_pending. */
int64_t fssl_conn_renegotiate_pending(fssl_handle conn, int32_t *err);

/* Returns how many renegotiations were begun. Serves Connection.total_renegotiations. */
int64_t fssl_conn_total_renegotiations(fssl_handle conn, int32_t *err);

/* Writes the state of the handshake for a person. Serves Connection.get_state_string. */
int64_t fssl_conn_state_string(fssl_handle conn, char *buf, int64_t cap, int32_t *err);

/* Returns the protocol version, such as FSSL_TLS1_3_VERSION, also before the handshake.
   Serves Connection.get_protocol_version. */
int64_t fssl_conn_protocol_version(fssl_handle conn, int32_t *err);

/* Writes the protocol's name, such as "TLSv1.3", or "Unknown" before the handshake is done.
   Serves Connection.get_protocol_version_name. */
int64_t fssl_conn_protocol_version_name(fssl_handle conn, char *buf, int64_t cap, int32_t *err);

/* Writes the name of the cipher in use. Returns its length, 0 before one is chosen.
   Serves Connection.get_cipher_name. */
int64_t fssl_conn_cipher_name(fssl_handle conn, char *buf, int64_t cap, int32_t *err);

/* Returns the secret bits of the cipher in use, 0 before one is chosen.
   Serves Connection.get_cipher_bits. */
int64_t fssl_conn_cipher_bits(fssl_handle conn, int32_t *err);

/* Writes the protocol name of the cipher in use. Serves Connection.get_cipher_version. */
int64_t fssl_conn_cipher_version(fssl_handle conn, char *buf, int64_t cap, int32_t *err);

/* Writes the group of the key exchange, such as "x25519". Returns its length, 0 if there is none.
   */
int64_t fssl_conn_group_name(fssl_handle conn, char *buf, int64_t cap, int32_t *err);

/* Writes the protocol that ALPN selected. Returns its length, 0 for none.
   Serves Connection.get_alpn_proto_negotiated. */
int64_t fssl_conn_alpn_proto(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the protocol that NPN selected. Returns its length, 0 for none.
   Serves Connection.get_next_proto_negotiated. */
int64_t fssl_conn_next_proto(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t *err);

/* Returns how many ciphers the connection may use. Serves Connection.get_cipher_list. */
int64_t fssl_conn_cipher_list_count(fssl_handle conn, int32_t *err);

/* Writes the name of cipher i of those, in order of preference. */
int64_t fssl_conn_cipher_list_item(fssl_handle conn, int64_t i, char *buf, int64_t cap,
                                   int32_t *err);

/* Writes the random value of the client hello, 32 bytes. Returns 0 before there is a session.
   Serves Connection.client_random. */
int64_t fssl_conn_client_random(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the random value of the server hello, 32 bytes. Returns 0 before there is a session.
   Serves Connection.server_random. */
int64_t fssl_conn_server_random(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the master key of the session; with TLS 1.3 the secret for resumption. Returns 0 before
   there is one. Serves Connection.master_key. */
int64_t fssl_conn_master_key(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the Finished message that was sent last. Returns 0 before there is one.
   Serves Connection.get_finished. */
int64_t fssl_conn_finished(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the Finished message that came last. Returns 0 before there is one.
   Serves Connection.get_peer_finished. */
int64_t fssl_conn_peer_finished(fssl_handle conn, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes len bytes of keying material (RFC 5705) for a label; context NULL is none, which differs
   from an empty one before TLS 1.3. Returns len. */
int64_t fssl_conn_export_keying_material(fssl_handle conn, const char *label, int64_t label_len,
                                         const uint8_t *context, int64_t context_len, uint8_t *buf,
                                         int64_t len, int32_t *err);

/* Returns the X509_V_ code of the verification of the peer, 0 for OK; FSSL_E_STATE if the peer
   sent no certificate. */
int64_t fssl_conn_verify_result(fssl_handle conn, int32_t *err);

/* Makes a handle of the own certificate, or returns 0 if there is none. */
int64_t fssl_conn_certificate(fssl_handle conn, int32_t *err);

/* Makes a handle of the peer's certificate, or returns 0 if there is none.
   Serves Connection.get_peer_certificate. */
int64_t fssl_conn_peer_certificate(fssl_handle conn, int32_t *err);

/* Returns how many issuers a server names when it asks for a certificate: for a client those it was
   sent, else those it will send. Serves Connection.get_client_ca_list. */
int64_t fssl_conn_client_ca_count(fssl_handle conn, int32_t *err);

/* Makes a handle of name i of those. */
int64_t fssl_conn_client_ca_item(fssl_handle conn, int64_t i, int32_t *err);

/* Returns how many certificates the peer sent, its own included.
   Serves Connection.get_peer_cert_chain. */
int64_t fssl_conn_peer_chain_count(fssl_handle conn, int32_t *err);

/* Makes a handle of certificate i of those, the peer's own being 0. */
int64_t fssl_conn_peer_chain_item(fssl_handle conn, int64_t i, int32_t *err);

/* Returns how many certificates the verified chain has, from the peer's own to a trusted one; 0
   if it was not verified, or in an earlier connection whose session was resumed. */
int64_t fssl_conn_verified_chain_count(fssl_handle conn, int32_t *err);

/* Makes a handle of certificate i of the verified chain. */
int64_t fssl_conn_verified_chain_item(fssl_handle conn, int64_t i, int32_t *err);

/* ---- callbacks: pushed decisions and notifications ----

   Each is called on the calling thread, inside the call that caused it, with the token and the
   caller's own handle. In it getters, fssl_conn_set_context, _use_certificate and answers work on
   that handle; I/O gives FSSL_E_IN_CALLBACK; closing takes effect afterwards. One that decides
   returns 1 for yes (or after an answer) and 0 for no (or nothing chosen); anything else is a
   failure, which ends the handshake with an alert and FSSL_E_CALLBACK. What a notification returns
   is ignored. fn NULL takes a callback away. Nothing needs one: each has a pulled twin. */

typedef int32_t (*fssl_verify_callback)(int64_t token, fssl_handle conn, int32_t error,
                                        int32_t depth, int32_t ok);
typedef int32_t (*fssl_info_callback)(int64_t token, fssl_handle conn, int32_t where,
                                      int32_t result);
typedef int32_t (*fssl_server_name_callback)(int64_t token, fssl_handle conn);
typedef int32_t (*fssl_protos_callback)(int64_t token, fssl_handle conn, const uint8_t *protos,
                                        int64_t protos_len);
typedef int32_t (*fssl_text_callback)(int64_t token, fssl_handle conn, const char *text,
                                      int64_t len);
typedef int32_t (*fssl_passphrase_callback)(int64_t token, fssl_handle ctx, int32_t max,
                                            int32_t verify);

/* Called for each certificate of the peer's chain: error is its X509_V_ code, ok whether OpenSSL
   takes it. 1 takes it, whatever the error. Serves Context.set_verify. */
int64_t fssl_ctx_set_verify_callback(fssl_handle ctx, fssl_verify_callback fn, int64_t token,
                                     int32_t *err);

/* The same for one connection. */
int64_t fssl_conn_set_verify_callback(fssl_handle conn, fssl_verify_callback fn, int64_t token,
                                      int32_t *err);

/* Makes a handle of the certificate that a verify callback is called for, read-only; FSSL_E_STATE
   elsewhere. */
int64_t fssl_conn_verify_cert(fssl_handle conn, int32_t *err);

/* Notified of the handshake's steps and of alerts, with OpenSSL's SSL_CB_ numbers.
   Serves Context.set_info_callback. */
int64_t fssl_ctx_set_info_callback(fssl_handle ctx, fssl_info_callback fn, int64_t token,
                                   int32_t *err);

/* The same for one connection. */
int64_t fssl_conn_set_info_callback(fssl_handle conn, fssl_info_callback fn, int64_t token,
                                    int32_t *err);

/* Called on a server when the client hello was read, with a server name in it or not; it may
   switch the context. Serves Context.set_tlsext_servername_callback. */
int64_t fssl_ctx_set_server_name_callback(fssl_handle ctx, fssl_server_name_callback fn,
                                          int64_t token, int32_t *err);

/* Called on a server with the protocols that the client offers by ALPN; answers with one.
   Serves Context.set_alpn_select_callback. */
int64_t fssl_ctx_set_alpn_select_callback(fssl_handle ctx, fssl_protos_callback fn, int64_t token,
                                          int32_t *err);

/* Called on a server, with no protocols; answers with those to advertise by NPN.
   Serves Context.set_npn_advertise_callback. */
int64_t fssl_ctx_set_npn_advertise_callback(fssl_handle ctx, fssl_protos_callback fn, int64_t token,
                                            int32_t *err);

/* Called on a client with the protocols that the server advertises by NPN; answers with one.
   Serves Context.set_npn_select_callback. */
int64_t fssl_ctx_set_npn_select_callback(fssl_handle ctx, fssl_protos_callback fn, int64_t token,
                                         int32_t *err);

/* Notified of each line of the key log, in NSS's format. */
int64_t fssl_ctx_set_keylog_callback(fssl_handle ctx, fssl_text_callback fn, int64_t token,
                                     int32_t *err);

/* Called on a server whose client asks for an OCSP response, with no bytes; answers with it. */
int64_t fssl_ctx_set_ocsp_server_callback(fssl_handle ctx, fssl_protos_callback fn, int64_t token,
                                          int32_t *err);

/* Called on a client that asked, with the OCSP response, or none; 1 takes it. */
int64_t fssl_ctx_set_ocsp_client_callback(fssl_handle ctx, fssl_protos_callback fn, int64_t token,
                                          int32_t *err);

/* Called on a server of DTLS, with no bytes; answers with the cookie for the client, 1 to 255
   bytes. Serves Context.set_cookie_generate_callback. */
int64_t fssl_ctx_set_cookie_generate_callback(fssl_handle ctx, fssl_protos_callback fn,
                                              int64_t token, int32_t *err);

/* Called on a server of DTLS with the cookie that the client sent back; 1 takes it.
   Serves Context.set_cookie_verify_callback. */
int64_t fssl_ctx_set_cookie_verify_callback(fssl_handle ctx, fssl_protos_callback fn, int64_t token,
                                            int32_t *err);

/* Called when a private key file needs a passphrase of at most max bytes and none was set; answers
   by fssl_ctx_answer_passphrase. Serves Context.set_passwd_cb. */
int64_t fssl_ctx_set_passphrase_callback(fssl_handle ctx, fssl_passphrase_callback fn,
                                         int64_t token, int32_t *err);

/* Answers from within a callback: a protocol, protocols each with a length byte before it, an OCSP
   response or a cookie. FSSL_E_STATE elsewhere. */
int64_t fssl_conn_answer(fssl_handle conn, const uint8_t *data, int64_t len, int32_t *err);

/* Answers from within a passphrase callback, on its thread. FSSL_E_STATE elsewhere. */
int64_t fssl_ctx_answer_passphrase(fssl_handle ctx, const uint8_t *passphrase,
                                   int64_t passphrase_len, int32_t *err);

/* ---- queues: pulled notifications ---- */

enum { FSSL_QUEUE_KEYLOG = 0, FSSL_QUEUE_SESSION = 1, FSSL_QUEUE_INFO = 2 };

/* Has a context keep up to capacity key log lines, new sessions or handshake events of its
   connections; 0, as at first, keeps none. For sessions the cache modes are switched on. */
int64_t fssl_ctx_set_queue(fssl_handle ctx, int32_t queue, int64_t capacity, int32_t *err);

/* Returns how many items an FSSL_QUEUE_ holds. */
int64_t fssl_ctx_queue_count(fssl_handle ctx, int32_t queue, int32_t *err);

/* Returns how many items did not fit since the queue was first switched on, and how many key log
   lines an fd did not take, or not whole. */
int64_t fssl_ctx_queue_dropped(fssl_handle ctx, int32_t queue, int32_t *err);

/* Takes the next key log line, in NSS's format, without a line end. Returns its length, 0 if there
   is none. */
int64_t fssl_ctx_next_keylog(fssl_handle ctx, char *buf, int64_t cap, int32_t *err);

/* Has key log lines written to an fd too, of which a copy is kept; FSSL_NO_FD ends it. A handshake
   does not wait for it: a line that a full or broken pipe does not take counts as dropped. */
int64_t fssl_ctx_set_keylog_fd(fssl_handle ctx, int64_t fd, int32_t *err);

/* Makes a handle of the next new session, or returns 0 if there is none. */
int64_t fssl_ctx_next_session(fssl_handle ctx, int32_t *err);

/* Takes the next handshake event: which connection (the caller's own handle, which may be closed by
   now), OpenSSL's SSL_CB_ numbers, and the result. Returns 1, or 0 if there is none. */
int64_t fssl_ctx_next_info(fssl_handle ctx, int64_t *conn, int32_t *where, int32_t *result,
                           int32_t *err);

/* ---- questions: pulled decisions ----

   A connection that asks returns from the handshake (or from I/O that carries it on) with
   FSSL_E_WANT_CLIENT_HELLO, FSSL_E_WANT_CERTIFICATE or FSSL_E_WANT_VERIFY. Read the question,
   change the connection as you like, answer with one call, from any thread and at any time, and
   call the handshake again: before the answer it returns the same code. An answer or accessor
   without its question open is FSSL_E_STATE. Each question comes once in a connection. */

enum { FSSL_ASK_CLIENT_HELLO = 1, FSSL_ASK_CERTIFICATE = 2, FSSL_ASK_VERIFY = 4 };

/* Parts of a client hello. Lists are numbers of two bytes each, as on the wire; ALPN is protocols,
   each with a length byte before it; RAW is the whole message body, without the extensions that
   OpenSSL does not know. */
enum {
    FSSL_HELLO_RAW = 1,
    FSSL_HELLO_RANDOM = 2,
    FSSL_HELLO_SESSION_ID = 3,
    FSSL_HELLO_VERSIONS = 4,
    FSSL_HELLO_CIPHERS = 5,
    FSSL_HELLO_GROUPS = 6,
    FSSL_HELLO_SIGNATURE_ALGORITHMS = 7,
    FSSL_HELLO_ALPN = 8,
    FSSL_HELLO_EXTENSIONS = 9
};

/* Sets which questions the connection asks, FSSL_ASK_ bits, before its handshake: CLIENT_HELLO on a
   server, CERTIFICATE when its own is wanted, VERIFY about the peer's. */
int64_t fssl_conn_ask(fssl_handle conn, int32_t mask, int32_t *err);

/* Writes an FSSL_HELLO_ part of the client hello. Returns its length, 0 if it is not there. The
   server name is in fssl_conn_server_name. */
int64_t fssl_conn_hello_bytes(fssl_handle conn, int32_t part, uint8_t *buf, int64_t cap,
                              int32_t *err);

/* Writes the raw extension of a type. FSSL_E_ARGUMENT if the client sent none. */
int64_t fssl_conn_hello_ext(fssl_handle conn, int32_t type, uint8_t *buf, int64_t cap,
                            int32_t *err);

/* Answers FSSL_E_WANT_CLIENT_HELLO: 0 goes on, with the context, certificate, protocols and session
   that were set meanwhile; any other refuses with that alert. FSSL_E_ARGUMENT for an alert that is
   none, or no error. */
int64_t fssl_conn_answer_hello(fssl_handle conn, int32_t alert, int32_t *err);

/* Answers FSSL_E_WANT_CERTIFICATE: 1 sends the certificate that is set by now, 0 sends none. What
   was asked for is in fssl_conn_client_ca_item and fssl_conn_peer_signature_algorithms. */
int64_t fssl_conn_answer_certificate(fssl_handle conn, int32_t send, int32_t *err);

/* Writes the signature algorithms that the peer takes, two bytes each. */
int64_t fssl_conn_peer_signature_algorithms(fssl_handle conn, uint8_t *buf, int64_t cap,
                                            int32_t *err);

/* Returns how many errors OpenSSL finds with the peer's certificates, while FSSL_E_WANT_VERIFY is
   open. The certificates are in fssl_conn_peer_chain_item. */
int64_t fssl_conn_verify_error_count(fssl_handle conn, int32_t *err);

/* Returns the X509_V_ code of error i, and sets *depth to which certificate it is about, 0 being
   the peer's own. */
int64_t fssl_conn_verify_error_item(fssl_handle conn, int64_t i, int32_t *depth, int32_t *err);

/* Takes the peer in spite of error i, or of all errors shown for -1. */
int64_t fssl_conn_waive_verify_error(fssl_handle conn, int64_t i, int32_t *err);

/* Answers FSSL_E_WANT_VERIFY: 0 takes the peer if every error was waived, any other refuses with
   that X509_V_ code, FSSL_E_ARGUMENT if there is none such. On a server the handshake has ended by
   then: a refusal still sends a fatal alert, which OpenSSL does not let us choose, and forgets the
   session. */
int64_t fssl_conn_answer_verify(fssl_handle conn, int32_t refusal, int32_t *err);

/* ---- conn: its socket ---- */

/* Returns the fd, which stays whose it is; FSSL_E_STATE if there is none.
   Serves Connection.fileno. */
int64_t fssl_conn_fileno(fssl_handle conn, int32_t *err);

/* Gives the fd to the connection, which closes it when its handle is closed. */
int64_t fssl_conn_own_fd(fssl_handle conn, int32_t *err);

/* Takes the fd away: calls that wait on it end with FSSL_E_CANCELLED, and when it returns nobody
   uses the fd any more. Returns the fd, which is now the caller's to close. */
int64_t fssl_conn_detach(fssl_handle conn, int32_t *err);

/* Says, in a child of fork, that the parent has given the connection up; until then its I/O
   answers FSSL_E_FORKED there. */
int64_t fssl_conn_adopt(fssl_handle conn, int32_t *err);

/* Connects to a host, by TCP (UDP for DTLS) and to each of its addresses in turn, within the
   timeout of the connection (resolving the name is outside of it), and makes it a client. Makes and
   owns a socket if there is none, and sets the host if none was set. FSSL_E_RESOLVE for an unknown
   name; FSSL_E_TIMEOUT at once for a timeout of 0, unless it connects a socket that there is.
   Serves Connection.connect and connect_ex. */
int64_t fssl_conn_connect(fssl_handle conn, const char *host, int64_t host_len, int32_t port,
                          int32_t *err);

/* Binds the socket to an address and port (0 for a free one), making it if there is none.
   Serves Connection.bind. */
int64_t fssl_conn_bind(fssl_handle conn, const char *host, int64_t host_len, int32_t port,
                       int32_t *err);

/* Listens on the socket. Serves Connection.listen. */
int64_t fssl_conn_listen(fssl_handle conn, int32_t backlog, int32_t *err);

/* Waits for a client as recv does and makes a connection of the same context, a server, that owns
   its socket and has this one's timeout. Serves Connection.accept. */
int64_t fssl_conn_accept(fssl_handle conn, int32_t *err);

/* Sets whether the fd blocks. Serves Connection.setblocking. */
int64_t fssl_conn_setblocking(fssl_handle conn, int32_t flag, int32_t *err);

/* Writes the peer's numeric address and sets *port, which may be NULL; a path for a local socket.
   Returns its length. Serves Connection.getpeername. */
int64_t fssl_conn_getpeername(fssl_handle conn, char *buf, int64_t cap, int32_t *port,
                              int32_t *err);

/* Writes the own address in the same way. Serves Connection.getsockname. */
int64_t fssl_conn_getsockname(fssl_handle conn, char *buf, int64_t cap, int32_t *port,
                              int32_t *err);

/* Writes the value of a socket option, with the platform's own numbers. Returns how many bytes it
   has, at most cap; cap is what the system is offered. Serves Connection.getsockopt. */
int64_t fssl_conn_getsockopt(fssl_handle conn, int32_t level, int32_t option, uint8_t *buf,
                             int64_t cap, int32_t *err);

/* Sets a socket option from bytes. Serves Connection.setsockopt. */
int64_t fssl_conn_setsockopt(fssl_handle conn, int32_t level, int32_t option, const uint8_t *value,
                             int64_t value_len, int32_t *err);

enum { FSSL_SHUT_RD = 0, FSSL_SHUT_WR = 1, FSSL_SHUT_RDWR = 2 };

/* Shuts the socket down, FSSL_SHUT_RD, _WR or _RDWR. Serves Connection.sock_shutdown. */
int64_t fssl_conn_sock_shutdown(fssl_handle conn, int32_t how, int32_t *err);

/* ---- dtls: connections over datagrams ----

   A connection of a DTLS context is on a UDP socket that is connected, or on memory. There each
   fssl_conn_bio_write takes one datagram and each fssl_conn_bio_read gives one (FSSL_E_BUFFER if
   buf is too small, its length for cap 0); fssl_conn_pump takes one and, as fssl_conn_seal, gives
   at most one, none if out is too small: with FSSL_WANT_WRITE in fssl_conn_want there are more.
   What there is no room for is lost, as datagrams may be.

   A send is one datagram, whole or refused: FSSL_E_ARGUMENT past 16,384 bytes, or past what the
   socket takes. recv gives what one brought, and the rest of it next where buf is shorter. What
   the network answers, such as ECONNREFUSED, is told once as FSSL_E_SYSCALL, and the connection
   goes on. close_notify may be lost too: a peer that is gone shows by a timeout alone. A call that
   waits sends the flights of the handshake again by itself; elsewhere wait for
   fssl_conn_dtls_timeout too.

   Read-ahead, buffer release, coalescing, listen, accept, renegotiation and leftover are
   FSSL_E_UNSUPPORTED; the calls below are FSSL_E_STATE on other connections. */

/* Listens as a server, on a UDP socket that is bound and not connected, or on memory: answers
   client hellos with a cookie, keeping nothing, until one brings its cookie back. Returns 1 then,
   with the socket connected to that client: go on with the handshake, and give the next client a
   socket of its own. FSSL_E_WANT_READ where the carrier does not block. Serves
   Connection.DTLSv1_listen. */
int64_t fssl_conn_dtls_listen(fssl_handle conn, int32_t *err);

/* Sets the secret of a server's cookies, 16 to 1,024 bytes, and demands cookies of all clients. The
   secret before it still verifies: set a new one from time to time. */
int64_t fssl_ctx_set_dtls_cookie_secret(fssl_handle ctx, const uint8_t *secret, int64_t secret_len,
                                        int32_t *err);

/* Names the peer of a connection for its cookie, such as by its address and port, 1 to 256 bytes.
   On memory a cookie needs it; a socket's peer is named by its address. */
int64_t fssl_conn_set_dtls_peer(fssl_handle conn, const uint8_t *peer, int64_t peer_len,
                                int32_t *err);

/* Sets *milliseconds to when fssl_conn_handle_dtls_timeout is due, -1 for never.
   Serves Connection.DTLSv1_get_timeout. */
int64_t fssl_conn_dtls_timeout(fssl_handle conn, int64_t *milliseconds, int32_t *err);

/* Sends the last flight of the handshake again if that is due. Returns 1, or 0 if it was not.
   FSSL_E_TLS after a dozen times. Serves Connection.DTLSv1_handle_timeout. */
int64_t fssl_conn_handle_dtls_timeout(fssl_handle conn, int32_t *err);

/* Sets how long datagrams may be, 208 to 65,507 bytes; at first as the system knows the path, and
   1,232 on memory. The handshake keeps to it, and never goes past 4,096. Serves
   Connection.set_ciphertext_mtu. */
int64_t fssl_conn_set_ciphertext_mtu(fssl_handle conn, int64_t bytes, int32_t *err);

/* Returns how many bytes of plaintext fit in a datagram of that length, 0 before a cipher is
   chosen. Serves Connection.get_cleartext_mtu. */
int64_t fssl_conn_cleartext_mtu(fssl_handle conn, int32_t *err);

/* Sets the profiles of SRTP (RFC 5764) that a client of DTLS offers, or from which a server
   selects, in order of preference: names as OpenSSL has them, with colons between, such as
   "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80". For connections that are made later; with TLS
   nothing comes of it. FSSL_E_ARGUMENT for an unknown name, one that is given twice, or none.
   Serves Context.set_tlsext_use_srtp. */
int64_t fssl_ctx_set_srtp_profiles(fssl_handle ctx, const char *profiles, int64_t profiles_len,
                                   int32_t *err);

/* Returns the number of the profile of SRTP that both ends have, as it is registered (7 for
   SRTP_AEAD_AES_128_GCM); 0 for none, and until the handshake is done. The keys are what
   fssl_conn_export_keying_material gives for the label "EXTRACTOR-dtls_srtp" and no context: the
   client's and the server's, then the client's salt and the server's. */
int64_t fssl_conn_srtp_profile(fssl_handle conn, int32_t *err);

/* Writes the name of that profile. Returns its length, 0 where there is none.
   Serves Connection.get_selected_srtp_profile. */
int64_t fssl_conn_srtp_profile_name(fssl_handle conn, char *buf, int64_t cap, int32_t *err);

/* ---- session: Session ---- */

/* Makes a session from what fssl_session_to_bytes wrote, for use with one context. It stays bound
   to the host and policy that it was made under. */
int64_t fssl_session_from_bytes(fssl_handle ctx, const uint8_t *data, int64_t len, int32_t *err);

/* Writes a session as bytes that hold its secrets. Returns how many. */
int64_t fssl_session_to_bytes(fssl_handle session, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the session's id. Returns its length. */
int64_t fssl_session_id(fssl_handle session, uint8_t *buf, int64_t cap, int32_t *err);

/* Returns 1 if the session can be resumed, else 0. */
int64_t fssl_session_resumable(fssl_handle session, int32_t *err);

/* Sets *seconds to when the session was made, in seconds since 1970. */
int64_t fssl_session_time(fssl_handle session, int64_t *seconds, int32_t *err);

/* Returns for how long the session may be resumed, in seconds. */
int64_t fssl_session_timeout(fssl_handle session, int32_t *err);

/* ---- cert: X509 ---- */

/* Makes a certificate of which nothing is set, to be built and signed. Serves X509. */
int64_t fssl_cert_new(int32_t *err);

/* Makes a certificate from the first PEM block of that kind. FSSL_E_PARSE if there is none.
   Serves load_certificate. */
int64_t fssl_cert_from_pem(const uint8_t *pem, int64_t len, int32_t *err);

/* Makes a certificate from DER, all of which it must be. */
int64_t fssl_cert_from_der(const uint8_t *der, int64_t len, int32_t *err);

/* Writes the certificate as PEM. Returns its length. FSSL_E_PARSE where a field is not set yet.
   Serves dump_certificate. */
int64_t fssl_cert_to_pem(fssl_handle cert, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the certificate as DER. Returns its length. */
int64_t fssl_cert_to_der(fssl_handle cert, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes all that the certificate says, for a person. Serves dump_certificate with
   FILETYPE_TEXT. */
int64_t fssl_cert_to_text(fssl_handle cert, char *buf, int64_t cap, int32_t *err);

/* Makes a copy that can be changed. */
int64_t fssl_cert_copy(fssl_handle cert, int32_t *err);

/* Makes a handle of the subject's name, through which a mutable certificate is changed.
   Serves X509.get_subject. */
int64_t fssl_cert_subject(fssl_handle cert, int32_t *err);

/* Makes a handle of the issuer's name, through which a mutable certificate is changed.
   Serves X509.get_issuer. */
int64_t fssl_cert_issuer(fssl_handle cert, int32_t *err);

/* Returns the version as it is encoded: 2 for version 3. Serves X509.get_version. */
int64_t fssl_cert_version(fssl_handle cert, int32_t *err);

/* Writes the serial number as hexadecimal digits, with a minus sign before a negative one.
   Serves X509.get_serial_number. */
int64_t fssl_cert_serial(fssl_handle cert, char *buf, int64_t cap, int32_t *err);

/* Sets *seconds to the time from which the certificate is valid, in seconds since 1970.
   FSSL_E_STATE if none is set. */
int64_t fssl_cert_not_before(fssl_handle cert, int64_t *seconds, int32_t *err);

/* Sets *seconds to the last time at which the certificate is valid. */
int64_t fssl_cert_not_after(fssl_handle cert, int64_t *seconds, int32_t *err);

/* Writes the time from which the certificate is valid as YYYYMMDDhhmmssZ. Returns its length, 0 if
   none is set. Serves X509.get_notBefore. */
int64_t fssl_cert_not_before_text(fssl_handle cert, char *buf, int64_t cap, int32_t *err);

/* Writes the last time at which the certificate is valid in the same form.
   Serves X509.get_notAfter. */
int64_t fssl_cert_not_after_text(fssl_handle cert, char *buf, int64_t cap, int32_t *err);

/* Writes the name of the algorithm with which the certificate is signed, such as
   "sha256WithRSAEncryption". Returns its length, 0 before it is signed.
   Serves X509.get_signature_algorithm. */
int64_t fssl_cert_signature_algorithm(fssl_handle cert, char *buf, int64_t cap, int32_t *err);

/* Returns the hash of the subject's name by which OpenSSL finds it in a directory, 32 bits.
   Serves X509.subject_name_hash. */
int64_t fssl_cert_subject_name_hash(fssl_handle cert, int32_t *err);

/* Writes the digest of the certificate's DER by an algorithm such as "sha256", as bytes.
   Serves X509.digest. */
int64_t fssl_cert_digest(fssl_handle cert, const char *algorithm, int64_t algorithm_len,
                         uint8_t *buf, int64_t cap, int32_t *err);

/* Makes a handle of the certificate's public key. Serves X509.get_pubkey. */
int64_t fssl_cert_public_key(fssl_handle cert, int32_t *err);

/* Returns how many subject alternative names there are. */
int64_t fssl_cert_alt_name_count(fssl_handle cert, int32_t *err);

/* Writes alternative name i, for a DNS name, mail address or URI its text, for an IP address its 4
   or 16 bytes, else its DER, and sets *kind to its number in RFC 5280 (2 for DNS, 7 for IP), which
   may be NULL. Returns its length. */
int64_t fssl_cert_alt_name_item(fssl_handle cert, int64_t i, int32_t *kind, uint8_t *buf,
                                int64_t cap, int32_t *err);

/* Returns 1 if the certificate is for this DNS name or IP address, else 0. */
int64_t fssl_cert_matches_host(fssl_handle cert, const char *host, int64_t host_len, int32_t *err);

/* Returns how many extensions the certificate has. Serves X509.get_extension_count. */
int64_t fssl_cert_ext_count(fssl_handle cert, int32_t *err);

/* Makes a handle of extension i. Serves X509.get_extension. */
int64_t fssl_cert_ext_item(fssl_handle cert, int64_t i, int32_t *err);

/* Returns 0 if the certificate was signed with this public key's private key, else FSSL_E_VERIFY.
   Says nothing of trust, time or purpose: see fssl_chain_verify. */
int64_t fssl_cert_verify(fssl_handle cert, fssl_handle key, int32_t *err);

/* Returns 0 if a private key belongs to the certificate, else FSSL_E_KEY_MISMATCH; FSSL_E_STATE
   for a key without a private part. */
int64_t fssl_cert_check_private_key(fssl_handle cert, fssl_handle key, int32_t *err);

/* ---- cert: building X509 ---- */

/* Sets the version as it is encoded: 2 for version 3. FSSL_E_READONLY, here and below, for a
   certificate that came from a connection or a store. Serves X509.set_version. */
int64_t fssl_cert_set_version(fssl_handle cert, int32_t version, int32_t *err);

/* Sets the serial number from digits in base 10 or 16. Serves X509.set_serial_number. */
int64_t fssl_cert_set_serial(fssl_handle cert, const char *serial, int64_t serial_len, int32_t base,
                             int32_t *err);

/* Sets the time from which the certificate is valid, in seconds since 1970.
   Serves X509.gmtime_adj_notBefore. */
int64_t fssl_cert_set_not_before(fssl_handle cert, int64_t seconds, int32_t *err);

/* Sets the last time at which the certificate is valid. Serves X509.gmtime_adj_notAfter. */
int64_t fssl_cert_set_not_after(fssl_handle cert, int64_t seconds, int32_t *err);

/* Sets the time from which the certificate is valid, from ASN.1's text: YYYYMMDDhhmmssZ.
   Serves X509.set_notBefore. */
int64_t fssl_cert_set_not_before_text(fssl_handle cert, const char *text, int64_t text_len,
                                      int32_t *err);

/* Sets the last time at which the certificate is valid in the same form.
   Serves X509.set_notAfter. */
int64_t fssl_cert_set_not_after_text(fssl_handle cert, const char *text, int64_t text_len,
                                     int32_t *err);

/* Sets the subject to a copy of a name. Serves X509.set_subject. */
int64_t fssl_cert_set_subject(fssl_handle cert, fssl_handle name, int32_t *err);

/* Sets the issuer to a copy of a name. Serves X509.set_issuer. */
int64_t fssl_cert_set_issuer(fssl_handle cert, fssl_handle name, int32_t *err);

/* Sets the public key to that of a key. Serves X509.set_pubkey. */
int64_t fssl_cert_set_public_key(fssl_handle cert, fssl_handle key, int32_t *err);

/* Adds a copy of an extension at the end. Serves X509.add_extensions. */
int64_t fssl_cert_add_ext(fssl_handle cert, fssl_handle ext, int32_t *err);

/* Signs with a private key, by a digest such as "sha256"; length 0 stands for the key's own, which
   Ed25519 and Ed448 require. With extensions the version becomes 3. Serves X509.sign. */
int64_t fssl_cert_sign(fssl_handle cert, fssl_handle key, const char *digest, int64_t digest_len,
                       int32_t *err);

/* ---- key: PKey ---- */

enum {
    FSSL_KEY_RSA = 6,
    FSSL_KEY_DSA = 116,
    FSSL_KEY_DH = 28,
    FSSL_KEY_EC = 408,
    FSSL_KEY_ED25519 = 1087,
    FSSL_KEY_ED448 = 1088
};

/* Makes a private key from PEM; the passphrase is used if it is encrypted. FSSL_E_PARSE,
   FSSL_E_PASSPHRASE_NEEDED, FSSL_E_PASSPHRASE_WRONG. Never asks on a terminal. */
int64_t fssl_key_from_pem(const uint8_t *pem, int64_t len, const uint8_t *passphrase,
                          int64_t passphrase_len, int32_t *err);

/* Makes a private key from DER: PKCS#8 or the traditional form. */
int64_t fssl_key_from_der(const uint8_t *der, int64_t len, int32_t *err);

/* Makes a public key from PEM. */
int64_t fssl_key_public_from_pem(const uint8_t *pem, int64_t len, int32_t *err);

/* Makes a public key from DER (SubjectPublicKeyInfo). */
int64_t fssl_key_public_from_der(const uint8_t *der, int64_t len, int32_t *err);

/* Makes a new key pair. bits is for FSSL_KEY_RSA and FSSL_KEY_DSA, else 0; curve, such as "P-256",
   for FSSL_KEY_EC, else NULL. */
int64_t fssl_key_generate(int32_t type, int32_t bits, const char *curve, int64_t curve_len,
                          int32_t *err);

/* Writes the private key as PKCS#8 PEM, encrypted if a cipher such as "aes-256-cbc" is named. */
int64_t fssl_key_to_pem(fssl_handle key, const char *cipher, int64_t cipher_len,
                        const uint8_t *passphrase, int64_t passphrase_len, uint8_t *buf,
                        int64_t cap, int32_t *err);

/* Writes the private key as DER in its traditional form. */
int64_t fssl_key_to_der(fssl_handle key, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the public key as PEM (SubjectPublicKeyInfo). */
int64_t fssl_key_public_to_pem(fssl_handle key, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the public key as DER (SubjectPublicKeyInfo). */
int64_t fssl_key_public_to_der(fssl_handle key, uint8_t *buf, int64_t cap, int32_t *err);

/* Returns the FSSL_KEY_ type, OpenSSL's number for another. */
int64_t fssl_key_type(fssl_handle key, int32_t *err);

/* Returns the size in bits. */
int64_t fssl_key_bits(fssl_handle key, int32_t *err);

/* Returns 1 if there is a private part, else 0. */
int64_t fssl_key_is_private(fssl_handle key, int32_t *err);

/* Writes the name of an FSSL_KEY_EC key's curve, such as "prime256v1". Returns its length, 0 for a
   key of another type. */
int64_t fssl_key_curve(fssl_handle key, char *buf, int64_t cap, int32_t *err);

/* Returns 0 if the parts of a private key fit each other; FSSL_E_STATE if it has none,
   FSSL_E_UNSUPPORTED for a type that cannot be checked. Serves PKey.check. */
int64_t fssl_key_check(fssl_handle key, int32_t *err);

/* Writes all numbers of the key, the secret ones too, for a person. Serves dump_privatekey with
   FILETYPE_TEXT. */
int64_t fssl_key_to_text(fssl_handle key, char *buf, int64_t cap, int32_t *err);

/* Writes a signature of data by a digest such as "sha256" (length 0: the key's own). Returns its
   length; with cap 0 the most that it can be. Serves sign. */
int64_t fssl_key_sign(fssl_handle key, const uint8_t *data, int64_t len, const char *digest,
                      int64_t digest_len, uint8_t *buf, int64_t cap, int32_t *err);

/* Returns 0 if the signature is the key's, of this data and digest, else FSSL_E_VERIFY.
   Serves verify. */
int64_t fssl_key_verify(fssl_handle key, const uint8_t *signature, int64_t signature_len,
                        const uint8_t *data, int64_t len, const char *digest, int64_t digest_len,
                        int32_t *err);

/* ---- name: X509Name ---- */

/* Makes a name with no items. Serves X509Name. */
int64_t fssl_name_new(int32_t *err);

/* Makes a name from DER, all of which it must be. */
int64_t fssl_name_from_der(const uint8_t *der, int64_t len, int32_t *err);

/* Makes a copy that can be changed and belongs to nothing. */
int64_t fssl_name_copy(fssl_handle name, int32_t *err);

/* Appends an item: its type, such as "CN", "commonName" or "2.5.4.3", and its value in UTF-8.
   FSSL_E_ARGUMENT for an unknown type and a value with a NUL, FSSL_E_PARSE for a value that the
   type does not allow, FSSL_E_READONLY. */
int64_t fssl_name_add_item(fssl_handle name, const char *type, int64_t type_len,
                           const uint8_t *value, int64_t value_len, int32_t *err);

/* The same in the place of the first item of the type, which goes. Serves
   X509Name.__setattr__. */
int64_t fssl_name_set_item(fssl_handle name, const char *type, int64_t type_len,
                           const uint8_t *value, int64_t value_len, int32_t *err);

/* Returns how many (type, value) items the name has. */
int64_t fssl_name_count(fssl_handle name, int32_t *err);

/* Writes the type of item i, its short name such as "CN" or else its number in dots. */
int64_t fssl_name_item_type(fssl_handle name, int64_t i, char *buf, int64_t cap, int32_t *err);

/* Writes the value of item i as UTF-8, of any length and with any byte. */
int64_t fssl_name_item_value(fssl_handle name, int64_t i, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the name on one line as RFC 2253 has it, for a person; never parse it. */
int64_t fssl_name_text(fssl_handle name, char *buf, int64_t cap, int32_t *err);

/* Writes the name as DER. Serves X509Name.der. */
int64_t fssl_name_to_der(fssl_handle name, uint8_t *buf, int64_t cap, int32_t *err);

/* Returns the hash by which OpenSSL finds the name in a directory, 32 bits.
   Serves X509Name.hash. */
int64_t fssl_name_hash(fssl_handle name, int32_t *err);

/* Sets *order to 0 if the names are equal as RFC 5280 compares them, else to -1 or 1.
   Serves X509Name.__eq__. */
int64_t fssl_name_compare(fssl_handle name, fssl_handle other, int64_t *order, int32_t *err);

/* ---- store: X509Store ---- */

/* Rules of verification, with OpenSSL's own numbers: X509StoreFlags. */
enum {
    FSSL_STORE_CRL_CHECK = 0x4,
    FSSL_STORE_CRL_CHECK_ALL = 0x8,
    FSSL_STORE_IGNORE_CRITICAL = 0x10,
    FSSL_STORE_X509_STRICT = 0x20,
    FSSL_STORE_ALLOW_PROXY_CERTS = 0x40,
    FSSL_STORE_POLICY_CHECK = 0x80,
    FSSL_STORE_EXPLICIT_POLICY = 0x100,
    FSSL_STORE_INHIBIT_ANY = 0x200,
    FSSL_STORE_INHIBIT_MAP = 0x400,
    FSSL_STORE_NOTIFY_POLICY = 0x800,
    FSSL_STORE_EXTENDED_CRL_SUPPORT = 0x1000,
    FSSL_STORE_USE_DELTAS = 0x2000,
    FSSL_STORE_CHECK_SS_SIGNATURE = 0x4000,
    FSSL_STORE_TRUSTED_FIRST = 0x8000,
    FSSL_STORE_SUITEB_128_LOS_ONLY = 0x10000,
    FSSL_STORE_SUITEB_192_LOS = 0x20000,
    FSSL_STORE_PARTIAL_CHAIN = 0x80000,
    FSSL_STORE_NO_ALT_CHAINS = 0x100000,
    FSSL_STORE_NO_CHECK_TIME = 0x200000
};

/* Makes an empty store of trusted certificates. Serves X509Store. */
int64_t fssl_store_new(int32_t *err);

/* Trusts a certificate. Adding one twice is no error. Serves X509Store.add_cert. */
int64_t fssl_store_add_cert(fssl_handle store, fssl_handle cert, int32_t *err);

/* Adds a copy of a signed CRL, which is used where FSSL_STORE_CRL_CHECK is set.
   Serves X509Store.add_crl. */
int64_t fssl_store_add_crl(fssl_handle store, fssl_handle crl, int32_t *err);

/* Trusts the certificates of a PEM file and those of a hashed directory; either may be NULL with
   length 0, not both. An unreadable or partly bad file is an error and adds nothing.
   Serves X509Store.load_locations. */
int64_t fssl_store_load_locations(fssl_handle store, const char *file, int64_t file_len,
                                  const char *dir, int64_t dir_len, int32_t *err);

/* Sets FSSL_STORE_ bits beside those that are set. Serves X509Store.set_flags. */
int64_t fssl_store_set_flags(fssl_handle store, int64_t flags, int32_t *err);

/* Sets the time for which certificates must be valid, in seconds since 1970, in place of now.
   Serves X509Store.set_time. */
int64_t fssl_store_set_time(fssl_handle store, int64_t seconds, int32_t *err);

/* Adds the certificates and CRLs of PEM in memory. Returns how many it held; a partly bad PEM is an
   error and adds nothing. */
int64_t fssl_store_add_pem(fssl_handle store, const uint8_t *pem, int64_t len, int32_t *err);

/* Returns how many certificates and CRLs the store holds. */
int64_t fssl_store_count(fssl_handle store, int32_t *err);

/* Makes a read-only handle of item i, a certificate or a CRL as fssl_handle_type tells. */
int64_t fssl_store_item(fssl_handle store, int64_t i, int32_t *err);

/* ---- ext: X509Extension ---- */

/* Makes an extension from its short name, such as "basicConstraints", and its value in the language
   of OpenSSL's config, such as "CA:TRUE,pathlen:0". subject and issuer, the certificates that
   "hash" and "keyid" speak of, may be 0. FSSL_E_ARGUMENT for a name that cannot be written so and
   for a word that reads elsewhere (@section, file:, dirName:, otherName:, ASN1:, DER:, email:move);
   FSSL_E_PARSE for a value that is not understood. Serves X509Extension. */
int64_t fssl_ext_new(const char *name, int64_t name_len, int32_t critical, const char *value,
                     int64_t value_len, fssl_handle subject, fssl_handle issuer, int32_t *err);

/* Makes an extension of any type, by short name or number in dots, from the DER that it holds. */
int64_t fssl_ext_from_der(const char *type, int64_t type_len, int32_t critical, const uint8_t *der,
                          int64_t len, int32_t *err);

/* Writes the short name, or else the number in dots. Serves X509Extension.get_short_name. */
int64_t fssl_ext_name(fssl_handle ext, char *buf, int64_t cap, int32_t *err);

/* Returns 1 if the extension is critical, else 0. Serves X509Extension.get_critical. */
int64_t fssl_ext_critical(fssl_handle ext, int32_t *err);

/* Writes the DER that the extension holds. Serves X509Extension.get_data. */
int64_t fssl_ext_data(fssl_handle ext, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes what the extension says, for a person; the bytes of one that OpenSSL cannot read.
   Serves X509Extension.__str__. */
int64_t fssl_ext_text(fssl_handle ext, char *buf, int64_t cap, int32_t *err);

/* ---- req: X509Req ---- */

/* Makes a request of which nothing is set, to be built and signed. Serves X509Req. */
int64_t fssl_req_new(int32_t *err);

/* Makes a request from the first PEM block of that kind. Serves load_certificate_request. */
int64_t fssl_req_from_pem(const uint8_t *pem, int64_t len, int32_t *err);

/* Makes a request from DER, all of which it must be. */
int64_t fssl_req_from_der(const uint8_t *der, int64_t len, int32_t *err);

/* Writes the request as PEM. FSSL_E_PARSE where a field is not set yet.
   Serves dump_certificate_request. */
int64_t fssl_req_to_pem(fssl_handle req, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the request as DER. */
int64_t fssl_req_to_der(fssl_handle req, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes all that the request says, for a person. */
int64_t fssl_req_to_text(fssl_handle req, char *buf, int64_t cap, int32_t *err);

/* Returns the version as it is encoded: 0, the only one. Serves X509Req.get_version. */
int64_t fssl_req_version(fssl_handle req, int32_t *err);

/* Sets the version as it is encoded: 0, there is no other. Serves X509Req.set_version. */
int64_t fssl_req_set_version(fssl_handle req, int32_t version, int32_t *err);

/* Makes a handle of the subject's name, through which the request is changed.
   Serves X509Req.get_subject. */
int64_t fssl_req_subject(fssl_handle req, int32_t *err);

/* Sets the subject to a copy of a name. */
int64_t fssl_req_set_subject(fssl_handle req, fssl_handle name, int32_t *err);

/* Makes a handle of the public key. Serves X509Req.get_pubkey. */
int64_t fssl_req_public_key(fssl_handle req, int32_t *err);

/* Sets the public key to that of a key. Serves X509Req.set_pubkey. */
int64_t fssl_req_set_public_key(fssl_handle req, fssl_handle key, int32_t *err);

/* Adds a copy of an extension to those asked for. Serves X509Req.add_extensions. */
int64_t fssl_req_add_ext(fssl_handle req, fssl_handle ext, int32_t *err);

/* Returns how many extensions the request asks for. Serves X509Req.get_extensions. */
int64_t fssl_req_ext_count(fssl_handle req, int32_t *err);

/* Makes a handle of extension i. */
int64_t fssl_req_ext_item(fssl_handle req, int64_t i, int32_t *err);

/* Signs as fssl_cert_sign. Serves X509Req.sign. */
int64_t fssl_req_sign(fssl_handle req, fssl_handle key, const char *digest, int64_t digest_len,
                      int32_t *err);

/* Returns 0 if the request was signed with this public key's private key, else FSSL_E_VERIFY.
   Serves X509Req.verify. */
int64_t fssl_req_verify(fssl_handle req, fssl_handle key, int32_t *err);

/* ---- crl: CRL ---- */

/* Makes a CRL of which nothing is set, to be built and signed. Serves CRL. */
int64_t fssl_crl_new(int32_t *err);

/* Makes a CRL from the first PEM block of that kind. Serves load_crl. */
int64_t fssl_crl_from_pem(const uint8_t *pem, int64_t len, int32_t *err);

/* Makes a CRL from DER, all of which it must be. */
int64_t fssl_crl_from_der(const uint8_t *der, int64_t len, int32_t *err);

/* Writes the CRL as PEM. FSSL_E_PARSE where a field is not set yet. Serves dump_crl. */
int64_t fssl_crl_to_pem(fssl_handle crl, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes the CRL as DER. */
int64_t fssl_crl_to_der(fssl_handle crl, uint8_t *buf, int64_t cap, int32_t *err);

/* Writes all that the CRL says, for a person. */
int64_t fssl_crl_to_text(fssl_handle crl, char *buf, int64_t cap, int32_t *err);

/* Returns the version as it is encoded: 1 for version 2. */
int64_t fssl_crl_version(fssl_handle crl, int32_t *err);

/* Sets the version as it is encoded, 0 or 1. FSSL_E_READONLY, here and below, for a CRL that came
   from a store. Serves CRL.set_version. */
int64_t fssl_crl_set_version(fssl_handle crl, int32_t version, int32_t *err);

/* Makes a handle of the issuer's name, through which a mutable CRL is changed.
   Serves CRL.get_issuer. */
int64_t fssl_crl_issuer(fssl_handle crl, int32_t *err);

/* Sets the issuer to a copy of a name. */
int64_t fssl_crl_set_issuer(fssl_handle crl, fssl_handle name, int32_t *err);

/* Sets *seconds to when the CRL was made, in seconds since 1970. FSSL_E_STATE if it is not
   set. */
int64_t fssl_crl_last_update(fssl_handle crl, int64_t *seconds, int32_t *err);

/* Sets *seconds to when the next one is due. FSSL_E_STATE if that is not set. */
int64_t fssl_crl_next_update(fssl_handle crl, int64_t *seconds, int32_t *err);

/* Writes when the CRL was made as YYYYMMDDhhmmssZ. Returns its length, 0 if that is not set. */
int64_t fssl_crl_last_update_text(fssl_handle crl, char *buf, int64_t cap, int32_t *err);

/* Writes when the next one is due in the same form. */
int64_t fssl_crl_next_update_text(fssl_handle crl, char *buf, int64_t cap, int32_t *err);

/* Sets when the CRL was made, in seconds since 1970. */
int64_t fssl_crl_set_last_update(fssl_handle crl, int64_t seconds, int32_t *err);

/* Sets when the next one is due. */
int64_t fssl_crl_set_next_update(fssl_handle crl, int64_t seconds, int32_t *err);

/* Sets when the CRL was made, from ASN.1's text: YYYYMMDDhhmmssZ. Serves CRL.set_lastUpdate. */
int64_t fssl_crl_set_last_update_text(fssl_handle crl, const char *text, int64_t text_len,
                                      int32_t *err);

/* Sets when the next one is due in the same form. Serves CRL.set_nextUpdate. */
int64_t fssl_crl_set_next_update_text(fssl_handle crl, const char *text, int64_t text_len,
                                      int32_t *err);

/* Returns how many entries the CRL has. Serves CRL.get_revoked. */
int64_t fssl_crl_revoked_count(fssl_handle crl, int32_t *err);

/* Makes a handle of a copy of entry i. */
int64_t fssl_crl_revoked_item(fssl_handle crl, int64_t i, int32_t *err);

/* Adds a copy of an entry. Serves CRL.add_revoked. */
int64_t fssl_crl_add_revoked(fssl_handle crl, fssl_handle revoked, int32_t *err);

/* Adds a copy of an extension at the end. */
int64_t fssl_crl_add_ext(fssl_handle crl, fssl_handle ext, int32_t *err);

/* Returns how many extensions the CRL has. */
int64_t fssl_crl_ext_count(fssl_handle crl, int32_t *err);

/* Makes a handle of extension i. */
int64_t fssl_crl_ext_item(fssl_handle crl, int64_t i, int32_t *err);

/* Sorts the entries and signs as fssl_cert_sign. With extensions or reasons the version becomes 2.
   Serves CRL.sign. */
int64_t fssl_crl_sign(fssl_handle crl, fssl_handle key, const char *digest, int64_t digest_len,
                      int32_t *err);

/* Returns 0 if the CRL was signed with this public key's private key, else FSSL_E_VERIFY. */
int64_t fssl_crl_verify(fssl_handle crl, fssl_handle key, int32_t *err);

/* ---- revoked: Revoked ---- */

/* Why a certificate is revoked, with the numbers of RFC 5280. */
enum {
    FSSL_REASON_NONE = -1,
    FSSL_REASON_UNSPECIFIED = 0,
    FSSL_REASON_KEY_COMPROMISE = 1,
    FSSL_REASON_CA_COMPROMISE = 2,
    FSSL_REASON_AFFILIATION_CHANGED = 3,
    FSSL_REASON_SUPERSEDED = 4,
    FSSL_REASON_CESSATION_OF_OPERATION = 5,
    FSSL_REASON_CERTIFICATE_HOLD = 6,
    FSSL_REASON_REMOVE_FROM_CRL = 8,
    FSSL_REASON_PRIVILEGE_WITHDRAWN = 9,
    FSSL_REASON_AA_COMPROMISE = 10
};

/* Makes an entry for a CRL, of which nothing is set. Serves Revoked. */
int64_t fssl_revoked_new(int32_t *err);

/* Writes the serial number of the revoked certificate in hexadecimal digits.
   Serves Revoked.get_serial. */
int64_t fssl_revoked_serial(fssl_handle revoked, char *buf, int64_t cap, int32_t *err);

/* Sets the serial number from digits in base 10 or 16. Serves Revoked.set_serial. */
int64_t fssl_revoked_set_serial(fssl_handle revoked, const char *serial, int64_t serial_len,
                                int32_t base, int32_t *err);

/* Sets *seconds to when it was revoked, in seconds since 1970. FSSL_E_STATE if that is not set. */
int64_t fssl_revoked_date(fssl_handle revoked, int64_t *seconds, int32_t *err);

/* Writes when it was revoked as YYYYMMDDhhmmssZ. Returns its length, 0 if that is not set.
   Serves Revoked.get_rev_date. */
int64_t fssl_revoked_date_text(fssl_handle revoked, char *buf, int64_t cap, int32_t *err);

/* Sets when it was revoked, in seconds since 1970. */
int64_t fssl_revoked_set_date(fssl_handle revoked, int64_t seconds, int32_t *err);

/* Sets when it was revoked, from ASN.1's text: YYYYMMDDhhmmssZ. Serves Revoked.set_rev_date. */
int64_t fssl_revoked_set_date_text(fssl_handle revoked, const char *text, int64_t text_len,
                                   int32_t *err);

/* Sets *reason to the FSSL_REASON_ why, FSSL_REASON_NONE if none is given.
   Serves Revoked.get_reason. */
int64_t fssl_revoked_reason(fssl_handle revoked, int64_t *reason, int32_t *err);

/* Sets the FSSL_REASON_ why; FSSL_REASON_NONE takes it away. Serves Revoked.set_reason. */
int64_t fssl_revoked_set_reason(fssl_handle revoked, int32_t reason, int32_t *err);

/* Writes the name of an FSSL_REASON_, such as "keyCompromise"; FSSL_E_ARGUMENT for an unknown one.
   Serves Revoked.all_reasons. */
int64_t fssl_revoked_reason_name(int32_t reason, char *buf, int64_t cap, int32_t *err);

/* ---- chain: X509StoreContext ---- */

enum { FSSL_PURPOSE_SSL_CLIENT = 1, FSSL_PURPOSE_SSL_SERVER = 2, FSSL_PURPOSE_ANY = 7 };

/* Makes a verification of a certificate against a store, by the store's rules and those that are
   set here. Serves X509StoreContext. */
int64_t fssl_chain_new(fssl_handle store, fssl_handle cert, int32_t *err);

/* Puts another store in the place of the first. Serves X509StoreContext.set_store. */
int64_t fssl_chain_set_store(fssl_handle chain, fssl_handle store, int32_t *err);

/* Adds a certificate that may stand between the verified one and a trusted one. */
int64_t fssl_chain_add_untrusted(fssl_handle chain, fssl_handle cert, int32_t *err);

/* Sets FSSL_STORE_ bits beside those of the store. */
int64_t fssl_chain_set_flags(fssl_handle chain, int64_t flags, int32_t *err);

/* Sets the time for which the certificates must be valid, in seconds since 1970, in place of the
   store's. */
int64_t fssl_chain_set_time(fssl_handle chain, int64_t seconds, int32_t *err);

/* Sets for what the certificate must be good, an FSSL_PURPOSE_; at first any use passes. */
int64_t fssl_chain_set_purpose(fssl_handle chain, int32_t purpose, int32_t *err);

/* Sets how many certificates may stand between the verified one and a trusted one. */
int64_t fssl_chain_set_depth(fssl_handle chain, int32_t depth, int32_t *err);

/* Sets OpenSSL's security level for keys and signatures, 0 to 5. */
int64_t fssl_chain_set_security_level(fssl_handle chain, int32_t level, int32_t *err);

/* Sets the DNS name or IP address for which the certificate must be, as fssl_conn_set_host. */
int64_t fssl_chain_set_host(fssl_handle chain, const char *host, int64_t host_len, int32_t *err);

/* Returns 0 if the certificate is verified: a chain to a trusted one was found and passes every
   rule. Else FSSL_E_VERIFY or FSSL_E_HOST, with OpenSSL's X509_V_ number in the record. May be
   called again. Serves X509StoreContext.verify_certificate. */
int64_t fssl_chain_verify(fssl_handle chain, int32_t *err);

/* Returns the X509_V_ number of the last verification, 0 for verified; 1 before the first. */
int64_t fssl_chain_verify_code(fssl_handle chain, int32_t *err);

/* Returns at what depth the last verification ended, 0 being the certificate itself. */
int64_t fssl_chain_refused_depth(fssl_handle chain, int32_t *err);

/* Makes a handle of the certificate that did not pass, or returns 0 if none is to blame.
   Serves X509StoreContextError.certificate. */
int64_t fssl_chain_refused_certificate(fssl_handle chain, int32_t *err);

/* Returns how many certificates the verified chain has, the trusted one included; 0 if it is not
   verified. Serves X509StoreContext.get_verified_chain. */
int64_t fssl_chain_count(fssl_handle chain, int32_t *err);

/* Makes a handle of certificate i of the verified chain, the certificate itself being 0. */
int64_t fssl_chain_item(fssl_handle chain, int64_t i, int32_t *err);

/* ---- pkcs12: PKCS12 ---- */

/* Makes a PKCS#12 container with nothing in it. Serves PKCS12. */
int64_t fssl_pkcs12_new(int32_t *err);

/* Makes a container from DER; passphrase is NULL with length 0 where there is none.
   FSSL_E_PASSPHRASE_NEEDED, FSSL_E_PASSPHRASE_WRONG; FSSL_E_UNSUPPORTED for ciphers that this
   OpenSSL has given up. Serves load_pkcs12. */
int64_t fssl_pkcs12_from_der(const uint8_t *der, int64_t len, const uint8_t *passphrase,
                             int64_t passphrase_len, int32_t *err);

/* Writes the container as DER, encrypted with the passphrase, without which nothing is protected.
   iterations make guessing it slow; 0 stands for 2,048. FSSL_E_KEY_MISMATCH if key and certificate
   do not belong together, FSSL_E_STATE if there is nothing to write. Serves PKCS12.export. */
int64_t fssl_pkcs12_to_der(fssl_handle pkcs12, const uint8_t *passphrase, int64_t passphrase_len,
                           int32_t iterations, int32_t mac_iterations, uint8_t *buf, int64_t cap,
                           int32_t *err);

/* Makes a handle of the certificate, or returns 0 if there is none.
   Serves PKCS12.get_certificate. */
int64_t fssl_pkcs12_certificate(fssl_handle pkcs12, int32_t *err);

/* Sets the certificate; 0 for none. Serves PKCS12.set_certificate. */
int64_t fssl_pkcs12_set_certificate(fssl_handle pkcs12, fssl_handle cert, int32_t *err);

/* Makes a handle of the private key, or returns 0 if there is none.
   Serves PKCS12.get_privatekey. */
int64_t fssl_pkcs12_private_key(fssl_handle pkcs12, int32_t *err);

/* Sets the private key; 0 for none. Serves PKCS12.set_privatekey. */
int64_t fssl_pkcs12_set_private_key(fssl_handle pkcs12, fssl_handle key, int32_t *err);

/* Returns how many other certificates there are. Serves PKCS12.get_ca_certificates. */
int64_t fssl_pkcs12_ca_count(fssl_handle pkcs12, int32_t *err);

/* Makes a handle of other certificate i. */
int64_t fssl_pkcs12_ca_item(fssl_handle pkcs12, int64_t i, int32_t *err);

/* Adds another certificate. Serves PKCS12.set_ca_certificates. */
int64_t fssl_pkcs12_add_ca(fssl_handle pkcs12, fssl_handle cert, int32_t *err);

/* Takes all other certificates out. */
int64_t fssl_pkcs12_clear_ca(fssl_handle pkcs12, int32_t *err);

/* Writes the friendly name in UTF-8. Returns its length, 0 for none.
   Serves PKCS12.get_friendlyname. */
int64_t fssl_pkcs12_friendly_name(fssl_handle pkcs12, uint8_t *buf, int64_t cap, int32_t *err);

/* Sets the friendly name; length 0 for none. Serves PKCS12.set_friendlyname. */
int64_t fssl_pkcs12_set_friendly_name(fssl_handle pkcs12, const uint8_t *name, int64_t name_len,
                                      int32_t *err);

/* ---- pkcs7: PKCS7 ---- */

/* Makes a PKCS#7 message from the first PEM block of that kind. Serves load_pkcs7_data. */
int64_t fssl_pkcs7_from_pem(const uint8_t *pem, int64_t len, int32_t *err);

/* Makes a PKCS#7 message from DER, all of which it must be. */
int64_t fssl_pkcs7_from_der(const uint8_t *der, int64_t len, int32_t *err);

/* Writes what the message is: "pkcs7-signedData", "pkcs7-envelopedData",
   "pkcs7-signedAndEnvelopedData", "pkcs7-data" or another. Serves PKCS7.get_type_name. */
int64_t fssl_pkcs7_type_name(fssl_handle pkcs7, char *buf, int64_t cap, int32_t *err);

/* ---- spki: NetscapeSPKI ---- */

/* Makes a signed public key (SPKAC) of which nothing is set. Serves NetscapeSPKI. */
int64_t fssl_spki_new(int32_t *err);

/* Makes a signed public key from its base64 text. */
int64_t fssl_spki_from_base64(const char *text, int64_t text_len, int32_t *err);

/* Writes the base64 text. FSSL_E_STATE before it is signed. Serves NetscapeSPKI.b64_encode. */
int64_t fssl_spki_to_base64(fssl_handle spki, char *buf, int64_t cap, int32_t *err);

/* Makes a handle of the public key. Serves NetscapeSPKI.get_pubkey. */
int64_t fssl_spki_public_key(fssl_handle spki, int32_t *err);

/* Sets the public key to that of a key. Serves NetscapeSPKI.set_pubkey. */
int64_t fssl_spki_set_public_key(fssl_handle spki, fssl_handle key, int32_t *err);

/* Signs as fssl_cert_sign. Serves NetscapeSPKI.sign. */
int64_t fssl_spki_sign(fssl_handle spki, fssl_handle key, const char *digest, int64_t digest_len,
                       int32_t *err);

/* Returns 0 if it was signed with this public key's private key, else FSSL_E_VERIFY.
   Serves NetscapeSPKI.verify. */
int64_t fssl_spki_verify(fssl_handle spki, fssl_handle key, int32_t *err);

/* ---- curve ---- */

/* Returns how many elliptic curves there are. Serves get_elliptic_curves. */
int64_t fssl_curve_count(int32_t *err);

/* Writes the name of curve i, such as "prime256v1". */
int64_t fssl_curve_item(int64_t i, char *buf, int64_t cap, int32_t *err);

/* Returns 1 if TLS can use a curve, named so or as NIST does ("P-256"), else 0; FSSL_E_ARGUMENT if
   there is none of that name. Serves get_elliptic_curve. */
int64_t fssl_curve_in_tls(const char *name, int64_t name_len, int32_t *err);

package flatssl

// #include <flatssl.h>
import "C"

// Code tells one failure from another; the numbers are the library's and never change.
type Code int32

// Kind is what codes have in common: what a caller can do about them.
type Kind int32

const (
	KindWant        Kind = C.FSSL_KIND_WANT
	KindClosed      Kind = C.FSSL_KIND_CLOSED
	KindSystem      Kind = C.FSSL_KIND_SYSTEM
	KindTLS         Kind = C.FSSL_KIND_TLS
	KindCertificate Kind = C.FSSL_KIND_CERTIFICATE
	KindUsage       Kind = C.FSSL_KIND_USAGE
	KindInternal    Kind = C.FSSL_KIND_INTERNAL
)

const (
	CodeWantRead         Code = C.FSSL_E_WANT_READ
	CodeWantWrite        Code = C.FSSL_E_WANT_WRITE
	CodeWantClientHello  Code = C.FSSL_E_WANT_CLIENT_HELLO
	CodeWantCertificate  Code = C.FSSL_E_WANT_CERTIFICATE
	CodeWantVerify       Code = C.FSSL_E_WANT_VERIFY
	CodeInterrupted      Code = C.FSSL_E_INTERRUPTED
	CodeZeroReturn       Code = C.FSSL_E_ZERO_RETURN
	CodeEOF              Code = C.FSSL_E_EOF
	CodeCancelled        Code = C.FSSL_E_CANCELLED
	CodeForked           Code = C.FSSL_E_FORKED
	CodeSyscall          Code = C.FSSL_E_SYSCALL
	CodeTimeout          Code = C.FSSL_E_TIMEOUT
	CodeResolve          Code = C.FSSL_E_RESOLVE
	CodeTLS              Code = C.FSSL_E_TLS
	CodeAlert            Code = C.FSSL_E_ALERT
	CodeCipher           Code = C.FSSL_E_CIPHER
	CodeCallback         Code = C.FSSL_E_CALLBACK
	CodeFlood            Code = C.FSSL_E_FLOOD
	CodeVerify           Code = C.FSSL_E_VERIFY
	CodeHost             Code = C.FSSL_E_HOST
	CodeKeyMismatch      Code = C.FSSL_E_KEY_MISMATCH
	CodeParse            Code = C.FSSL_E_PARSE
	CodePassphraseNeeded Code = C.FSSL_E_PASSPHRASE_NEEDED
	CodePassphraseWrong  Code = C.FSSL_E_PASSPHRASE_WRONG
	CodeHandle           Code = C.FSSL_E_HANDLE
	CodeHandleType       Code = C.FSSL_E_HANDLE_TYPE
	CodeArgument         Code = C.FSSL_E_ARGUMENT
	CodeBuffer           Code = C.FSSL_E_BUFFER
	CodeState            Code = C.FSSL_E_STATE
	CodeReadonly         Code = C.FSSL_E_READONLY
	CodeUnsupported      Code = C.FSSL_E_UNSUPPORTED
	CodeInCallback       Code = C.FSSL_E_IN_CALLBACK
	CodeExpired          Code = C.FSSL_E_EXPIRED
	CodeMemory           Code = C.FSSL_E_MEMORY
	CodeLimit            Code = C.FSSL_E_LIMIT
	CodeOpenSSL          Code = C.FSSL_E_OPENSSL
)

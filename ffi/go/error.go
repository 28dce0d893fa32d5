package flatssl

// #include <flatssl.h>
import "C"

import (
	"io"
	"net"
	"os"
	"syscall"
)

// Error is a failure that the library reports. errors.Is compares it with a Code, with the Errno
// of the operating system, or with another Error.
type Error struct {
	Code       Code
	Kind       Kind
	Lines      []Line        // OpenSSL's own account, if it gave one
	Errno      syscall.Errno // 0 if the operating system has no part in it
	Alert      int           // what the peer sent, -1 if nothing
	VerifyCode int           // OpenSSL's X509_V_ number, -1 if no certificate was judged
	text       string
}

// Line is one entry of OpenSSL's error queue.
type Line struct {
	Library, Function, Reason, Data string
}

func (e *Error) Error() string {
	return "flatssl: " + e.text
}

func (e *Error) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == e.Code
}

func (e *Error) Unwrap() error {
	if e.Errno == 0 {
		return nil
	}
	return e.Errno
}

// Timeout and Temporary make it a net.Error.
func (e *Error) Timeout() bool   { return e.Code == CodeTimeout }
func (e *Error) Temporary() bool { return e.Kind == KindWant }

// Error makes a Code a target for errors.Is.
func (c Code) Error() string {
	return "flatssl: " + errorText(answer(-c))
}

// String returns the name of a code, such as "FSSL_E_VERIFY", "" for one that is not known.
func (c Code) String() string {
	return fetchText(func(buf *C.char, cap C.int64_t) answer {
		return C.fssl_error_name(C.int32_t(c), buf, cap, nil)
	})
}

// Kind returns the kind of a code, also of one that this package does not know.
func (c Code) Kind() Kind {
	return Kind(C.fssl_error_kind(C.int32_t(c), nil))
}

// What Go has a value of its own for, and callers compare with ==.
var values = map[Code]error{
	CodeZeroReturn: io.EOF,
	CodeEOF:        io.ErrUnexpectedEOF,
	CodeTimeout:    os.ErrDeadlineExceeded,
	CodeCancelled:  net.ErrClosed,
}

// failure makes the error of a negative answer, which alone tells all: no thread is asked. It also
// tells whether the record was there to the end.
func failure(result answer) (err error, whole bool) {
	code := Code(C.fssl_error_code(result, nil))
	if value, ok := values[code]; ok {
		return value, true
	}
	e := &Error{
		Code:       code,
		Kind:       code.Kind(),
		Lines:      errorLines(result),
		Alert:      errorNumber(result, C.FSSL_ERROR_ALERT),
		VerifyCode: errorNumber(result, C.FSSL_ERROR_VERIFY_CODE),
		text:       errorText(result),
	}
	if errno := errorNumber(result, C.FSSL_ERROR_ERRNO); errno > 0 {
		e.Errno = syscall.Errno(errno)
	}
	return e, code != CodeExpired && C.fssl_error_code(result, nil) != C.FSSL_E_EXPIRED
}

func errorText(result answer) string {
	return fetchText(func(buf *C.char, cap C.int64_t) answer {
		return C.fssl_error_text(result, buf, cap, nil)
	})
}

func errorNumber(result answer, field C.int32_t) int {
	value := C.int64_t(-1)
	C.fssl_error_int(result, field, 0, &value, nil)
	return int(value)
}

func errorLines(result answer) []Line {
	var lines []Line
	for i := C.int64_t(0); i < C.fssl_error_count(result, nil); i++ {
		lines = append(lines, Line{
			Library:  errorField(result, C.FSSL_ERROR_LIBRARY, i),
			Function: errorField(result, C.FSSL_ERROR_FUNCTION, i),
			Reason:   errorField(result, C.FSSL_ERROR_REASON, i),
			Data:     errorField(result, C.FSSL_ERROR_DATA, i),
		})
	}
	return lines
}

func errorField(result answer, field C.int32_t, line C.int64_t) string {
	return fetchText(func(buf *C.char, cap C.int64_t) answer {
		return C.fssl_error_str(result, field, line, buf, cap, nil)
	})
}

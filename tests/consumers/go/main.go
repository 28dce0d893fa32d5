// A program made against FLATSSL_1.0, as it was then, on the C functions themselves.
//
//	consumer get HOST PORT CA            fetches a page; the server is verified
//	consumer echo HOST PORT CA CERT KEY  shows a certificate; what it sends comes back
//	consumer refuse HOST PORT CA NAME    expects NAME, which the server's certificate is not for
//
// Exits 0 if it went so.
package main

// #cgo LDFLAGS: -lflatssl
// #include <flatssl.h>
import "C"

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"unsafe"
)

const (
	pageSize = 1 << 16
	patience = 20000 // milliseconds
)

// call makes a call until no signal interrupts it: Go's runtime sends some.
func call(do func() C.int64_t) (C.int64_t, error) {
	for {
		result := do()
		if result >= 0 {
			return result, nil
		}
		if C.fssl_error_code(result, nil) != C.FSSL_E_INTERRUPTED {
			return result, errors.New(errorText(result))
		}
	}
}

func errorText(result C.int64_t) string {
	text := make([]byte, 4096)
	n := C.fssl_error_text(result, (*C.char)(unsafe.Pointer(&text[0])), C.int64_t(len(text)), nil)
	if n < 0 {
		return "no text"
	}
	return string(text[:n])
}

func chars(text string) (*C.char, C.int64_t) {
	data := append([]byte(text), 0)
	return (*C.char)(unsafe.Pointer(&data[0])), C.int64_t(len(text))
}

func trusting(ca string) (C.fssl_handle, error) {
	ctx, err := call(func() C.int64_t { return C.fssl_ctx_new_client(nil) })
	if err != nil {
		return 0, err
	}
	file, n := chars(ca)
	_, err = call(func() C.int64_t {
		return C.fssl_ctx_load_verify_locations(ctx, file, n, nil, 0, nil)
	})
	return ctx, err
}

func withCertificate(ctx C.fssl_handle, cert, key string) error {
	file, n := chars(cert)
	_, err := call(func() C.int64_t {
		return C.fssl_ctx_use_certificate_chain_file(ctx, file, n, nil)
	})
	if err != nil {
		return err
	}
	file, n = chars(key)
	_, err = call(func() C.int64_t {
		return C.fssl_ctx_use_private_key_file(ctx, file, n, C.FSSL_FILETYPE_PEM, nil)
	})
	return err
}

// connected makes a connection, and gives the context to it.
func connected(ctx C.fssl_handle, host, port, name string) (C.fssl_handle, error) {
	number, err := strconv.Atoi(port)
	if err != nil {
		return 0, err
	}
	conn, err := call(func() C.int64_t { return C.fssl_conn_new(ctx, C.FSSL_NO_FD, nil) })
	if err != nil {
		return 0, err
	}
	expected, expectedLen := chars(name)
	address, addressLen := chars(host)
	for _, do := range []func() C.int64_t{
		func() C.int64_t { return C.fssl_handle_close(ctx, nil) },
		func() C.int64_t { return C.fssl_conn_set_timeout(conn, patience, nil) },
		func() C.int64_t { return C.fssl_conn_set_host(conn, expected, expectedLen, nil) },
		func() C.int64_t {
			return C.fssl_conn_connect(conn, address, addressLen, C.int32_t(number), nil)
		},
	} {
		if _, err := call(do); err != nil {
			return 0, err
		}
	}
	return conn, nil
}

func send(conn C.fssl_handle, data []byte) error {
	for len(data) > 0 {
		n, err := call(func() C.int64_t {
			return C.fssl_conn_send(conn, (*C.uint8_t)(&data[0]), C.int64_t(len(data)), nil)
		})
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// receive reads until the buffer is full or the peer ends.
func receive(conn C.fssl_handle, buf []byte) ([]byte, error) {
	filled := 0
	for filled < len(buf) {
		rest := buf[filled:]
		n, err := call(func() C.int64_t {
			return C.fssl_conn_recv(conn, (*C.uint8_t)(&rest[0]), C.int64_t(len(rest)), 0, nil)
		})
		if C.fssl_error_code(n, nil) == C.FSSL_E_ZERO_RETURN {
			break
		}
		if err != nil {
			return nil, err
		}
		filled += int(n)
	}
	return buf[:filled], nil
}

func end(conn C.fssl_handle) error {
	_, err := call(func() C.int64_t { return C.fssl_handle_close(conn, nil) })
	return err
}

func get(argument []string) error {
	ctx, err := trusting(argument[2])
	if err != nil {
		return err
	}
	conn, err := connected(ctx, argument[0], argument[1], argument[0])
	if err != nil {
		return err
	}
	if err := send(conn, []byte("GET / HTTP/1.0\r\n\r\n")); err != nil {
		return err
	}
	if result := C.fssl_conn_verify_result(conn, nil); result != 0 {
		return fmt.Errorf("verify result %d", result)
	}
	page, err := receive(conn, make([]byte, pageSize))
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(page, []byte("HTTP/1.0 200 ")) {
		return fmt.Errorf("%d bytes that are no page", len(page))
	}
	return end(conn)
}

func echo(argument []string) error {
	ctx, err := trusting(argument[2])
	if err != nil {
		return err
	}
	if err := withCertificate(ctx, argument[3], argument[4]); err != nil {
		return err
	}
	conn, err := connected(ctx, argument[0], argument[1], argument[0])
	if err != nil {
		return err
	}
	said := make([]byte, 10000)
	for i := range said {
		said[i] = byte(i * 31)
	}
	if err := send(conn, said); err != nil {
		return err
	}
	heard, err := receive(conn, make([]byte, len(said)))
	if err != nil {
		return err
	}
	if !bytes.Equal(said, heard) {
		return errors.New("other bytes came back")
	}
	if _, err := call(func() C.int64_t { return C.fssl_conn_shutdown(conn, nil) }); err != nil {
		return err
	}
	return end(conn)
}

func refuse(argument []string) error {
	ctx, err := trusting(argument[2])
	if err != nil {
		return err
	}
	conn, err := connected(ctx, argument[0], argument[1], argument[3])
	if err != nil {
		return err
	}
	result, err := call(func() C.int64_t { return C.fssl_conn_do_handshake(conn, nil) })
	if err == nil {
		return errors.New("not refused")
	}
	if C.fssl_error_code(result, nil) != C.FSSL_E_HOST {
		return fmt.Errorf("refused for another reason: %v", err)
	}
	return end(conn)
}

func main() {
	scenarios := map[string]struct {
		arguments int
		run       func(argument []string) error
	}{"get": {3, get}, "echo": {5, echo}, "refuse": {4, refuse}}

	if len(os.Args) < 2 || len(os.Args) != scenarios[os.Args[1]].arguments+2 {
		fmt.Println("consumer get|echo|refuse HOST PORT CA ...")
		os.Exit(2)
	}
	name := os.Args[1]
	err := scenarios[name].run(os.Args[2:])
	if open := C.fssl_handle_count(C.FSSL_TYPE_ANY, nil); err == nil && open != 0 {
		err = fmt.Errorf("%d handles are left", open)
	}
	if err != nil {
		fmt.Printf("not ok %s: %v\n", name, err)
		os.Exit(1)
	}
	fmt.Printf("ok %s\n", name)
}

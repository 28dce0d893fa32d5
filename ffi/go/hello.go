package flatssl

// #include <flatssl.h>
import "C"

import "crypto/tls"

const alertInternalError = 80

// A server that chooses by the client's hello asks the library to stop there. It goes on when the
// answer has come, so the choice is made in Go, on the caller's goroutine, and may take its time.

// ask makes the connection stop at the hello.
func (c *Conn) ask() error {
	_, err := c.handle.call(func() answer {
		return C.fssl_conn_ask(c.handle.id, C.FSSL_ASK_CLIENT_HELLO, nil)
	})
	return err
}

// answerHello has the Config chosen and the handshake go on with it, or end if there is none. Then
// c.refusal says why.
func (c *Conn) answerHello() {
	alert := C.int32_t(0)
	c.refusal = c.chooseConfig()
	if c.refusal != nil {
		alert = alertInternalError
	}
	C.fssl_conn_answer_hello(c.handle.id, alert, nil)
}

func (c *Conn) chooseConfig() error {
	config, err := c.choose(c.hello())
	if err != nil || config == nil {
		return err
	}
	ctx, err := config.context(true)
	if err != nil {
		return err
	}
	_, err = ctx.call(func() answer { return C.fssl_conn_set_context(c.handle.id, ctx.id, nil) })
	return err
}

func (c *Conn) hello() *tls.ClientHelloInfo {
	hello := &tls.ClientHelloInfo{
		ServerName:        c.serverName(),
		SupportedProtos:   names(c.helloBytes(C.FSSL_HELLO_ALPN)),
		SupportedVersions: numbers(c.helloBytes(C.FSSL_HELLO_VERSIONS)),
		CipherSuites:      numbers(c.helloBytes(C.FSSL_HELLO_CIPHERS)),
		Conn:              c.carrier,
	}
	for _, group := range numbers(c.helloBytes(C.FSSL_HELLO_GROUPS)) {
		hello.SupportedCurves = append(hello.SupportedCurves, tls.CurveID(group))
	}
	for _, scheme := range numbers(c.helloBytes(C.FSSL_HELLO_SIGNATURE_ALGORITHMS)) {
		hello.SignatureSchemes = append(hello.SignatureSchemes, tls.SignatureScheme(scheme))
	}
	return hello
}

func (c *Conn) helloBytes(part C.int32_t) []byte {
	return fetch(func(buf *C.uint8_t, cap C.int64_t) answer {
		return C.fssl_conn_hello_bytes(c.handle.id, part, buf, cap, nil)
	})
}

// numbers reads a list of two bytes each.
func numbers(wire []byte) []uint16 {
	var list []uint16
	for ; len(wire) >= 2; wire = wire[2:] {
		list = append(list, uint16(wire[0])<<8|uint16(wire[1]))
	}
	return list
}

// names reads a list of texts, each with a length byte before it.
func names(wire []byte) []string {
	var list []string
	for len(wire) > 0 && len(wire) > int(wire[0]) {
		list = append(list, string(wire[1:1+wire[0]]))
		wire = wire[1+int(wire[0]):]
	}
	return list
}

package flatssl

// #include <flatssl.h>
import "C"

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"strings"
	"time"
)

// handshakeLimit is for a handshake that ConnectionState has to run.
const handshakeLimit = time.Minute

// ConnectionState tells what the handshake agreed on. If none ran it runs one, since net/http asks
// before it reads: until a deadline, which http.Server.ConnContext may set, or for a minute, after
// which the connection is closed. If that fails the state is empty, and the next Read tells why.
// ExportKeyingMaterial of the value cannot be used. A certificate that crypto/x509 does not
// understand has its Raw bytes and nothing else.
func (c *Conn) ConnectionState() tls.ConnectionState {
	limit, cancel := context.WithTimeout(context.Background(), handshakeLimit)
	defer cancel()
	if c.HandshakeContext(limit) != nil {
		return tls.ConnectionState{}
	}
	state := tls.ConnectionState{
		Version:            uint16(C.fssl_conn_protocol_version(c.handle.id, nil)),
		HandshakeComplete:  true,
		DidResume:          C.fssl_conn_session_reused(c.handle.id, nil) == 1,
		CipherSuite:        cipherSuite(c.CipherName()),
		NegotiatedProtocol: c.protocol(),
		ServerName:         c.serverName(),
		PeerCertificates:   c.peerChain(),
	}
	state.NegotiatedProtocolIsMutual = state.NegotiatedProtocol != ""
	if chain := c.verifiedChain(); chain != nil {
		state.VerifiedChains = [][]*x509.Certificate{chain}
	}
	return state
}

// CipherName returns OpenSSL's name of the cipher in use, "" before the handshake.
func (c *Conn) CipherName() string {
	if c.handle == nil {
		return ""
	}
	return fetchText(func(buf *C.char, cap C.int64_t) answer {
		return C.fssl_conn_cipher_name(c.handle.id, buf, cap, nil)
	})
}

// GroupName returns OpenSSL's name of the group of the key exchange, such as "x25519".
func (c *Conn) GroupName() string {
	if c.handle == nil {
		return ""
	}
	return fetchText(func(buf *C.char, cap C.int64_t) answer {
		return C.fssl_conn_group_name(c.handle.id, buf, cap, nil)
	})
}

// NetConn returns the carrier, which is not to be read or written.
func (c *Conn) NetConn() net.Conn {
	return c.carrier
}

// LocalAddr returns the carrier's.
func (c *Conn) LocalAddr() net.Addr {
	return c.carrier.LocalAddr()
}

// RemoteAddr returns the carrier's.
func (c *Conn) RemoteAddr() net.Addr {
	return c.carrier.RemoteAddr()
}

func (c *Conn) protocol() string {
	return string(fetch(func(buf *C.uint8_t, cap C.int64_t) answer {
		return C.fssl_conn_alpn_proto(c.handle.id, buf, cap, nil)
	}))
}

// serverName is what the client sent on the server's side, whom it expects on its own.
func (c *Conn) serverName() string {
	host := fetchText(func(buf *C.char, cap C.int64_t) answer {
		return C.fssl_conn_host(c.handle.id, buf, cap, nil)
	})
	if host != "" {
		return host
	}
	return fetchText(func(buf *C.char, cap C.int64_t) answer {
		return C.fssl_conn_server_name(c.handle.id, buf, cap, nil)
	})
}

// ---- certificates ----

func (c *Conn) peerChain() []*x509.Certificate {
	count := C.fssl_conn_peer_chain_count(c.handle.id, nil)
	return chain(count, func(i C.int64_t) answer {
		return C.fssl_conn_peer_chain_item(c.handle.id, i, nil)
	})
}

func (c *Conn) verifiedChain() []*x509.Certificate {
	count := C.fssl_conn_verified_chain_count(c.handle.id, nil)
	return chain(count, func(i C.int64_t) answer {
		return C.fssl_conn_verified_chain_item(c.handle.id, i, nil)
	})
}

func chain(count answer, item func(i C.int64_t) answer) []*x509.Certificate {
	var certificates []*x509.Certificate
	for i := C.int64_t(0); i < count; i++ {
		cert, err := own(func() answer { return item(i) })
		if err != nil || cert == nil {
			return nil
		}
		certificates = append(certificates, parse(cert))
		cert.close()
	}
	return certificates
}

func parse(cert *handle) *x509.Certificate {
	der := fetch(func(buf *C.uint8_t, cap C.int64_t) answer {
		return C.fssl_cert_to_der(cert.id, buf, cap, nil)
	})
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return &x509.Certificate{Raw: der}
	}
	return parsed
}

// ---- ciphers ----

// cipherSuite finds the number of a suite that OpenSSL names, 0 for one that crypto/tls lacks. The
// names are those of the RFCs for TLS 1.3, else shortened ones: ECDHE-RSA-AES128-GCM-SHA256.
func cipherSuite(name string) uint16 {
	suites := append(tls.CipherSuites(), tls.InsecureCipherSuites()...)
	for _, suite := range suites {
		if suite.Name == name {
			return suite.ID
		}
	}
	for _, suite := range suites {
		if strings.Contains(suite.Name, "_WITH_") && shortName(suite.Name) == name {
			return suite.ID
		}
	}
	return 0
}

// shortName turns TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 into OpenSSL's name.
var shortName = strings.NewReplacer("TLS_RSA_WITH_", "", "TLS_", "", "_WITH_", "-", "AES_", "AES",
	"_CBC_SHA", "-SHA", "POLY1305_SHA256", "POLY1305", "3DES_EDE", "DES-CBC3", "_", "-").Replace

package flatssl

// #include <flatssl.h>
import "C"

import (
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"os"
	"sync"
)

// Config says how connections are made. Fields that crypto/tls.Config has too mean the same here.
// A Config may be used by any number of connections at once, and must not be changed or copied
// once one uses it. The zero Config, and nil, is a client that trusts what the system trusts.
type Config struct {
	// Certificates are the own ones: at most one for each type of key, of which the peer's
	// abilities choose. A server needs one; of names it knows nothing: see GetConfigForClient.
	Certificates []Certificate

	// Roots are the certificates, and CRLs, in PEM, by which a peer is verified. A client without
	// any takes those of the system; a server that asks for certificates then trusts none.
	Roots []byte

	// ServerName is the host, by name or address, for which the server's certificate must be.
	// Dial takes it from the address if it is empty.
	ServerName string

	// NextProtos are the protocols to offer, or to choose from, by ALPN, the most wanted first. A
	// client that offers only others is refused.
	NextProtos []string

	// InsecureSkipVerify lets a client take any server for the one it wants: for tests alone.
	InsecureSkipVerify bool

	// ClientAuth says what a server asks of clients: NoClientCert, VerifyClientCertIfGiven or
	// RequireAndVerifyClientCert. There is no asking without verifying.
	ClientAuth tls.ClientAuthType

	// GetConfigForClient chooses the Config for a client by its hello; nil stands for this one. An
	// error ends the handshake, which returns it. It may be called by several goroutines at once.
	GetConfigForClient func(*tls.ClientHelloInfo) (*Config, error)

	// MinVersion and MaxVersion are numbers of crypto/tls, VersionTLS12 or VersionTLS13. Zero is
	// TLS 1.2 for the one, the newest for the other.
	MinVersion, MaxVersion uint16

	// CipherList (TLS 1.2), CipherSuites (TLS 1.3) and Groups are lists in OpenSSL's language.
	// Empty stands for the library's own choice.
	CipherList, CipherSuites, Groups string

	// SessionTicketsDisabled makes every connection of a client shake hands in full; else sessions
	// are resumed under the same Config.
	SessionTicketsDisabled bool

	client, server lazy // made when first used
}

// Certificate is a certificate with its issuers, and its private key.
type Certificate struct {
	Chain      []byte // in PEM, the own one first
	Key        []byte // in PEM
	Passphrase []byte // of the key, if it is encrypted
}

// LoadCertificate reads a Certificate from two files.
func LoadCertificate(chainFile, keyFile string) (Certificate, error) {
	chain, err := os.ReadFile(chainFile)
	if err != nil {
		return Certificate{}, err
	}
	key, err := os.ReadFile(keyFile)
	return Certificate{Chain: chain, Key: key}, err
}

// lazy is a context of the library, which is made of a Config when the first connection needs it.
type lazy struct {
	once   sync.Once
	handle *handle
	err    error
}

var defaults Config

// context returns the context of a Config for a server or a client.
func (c *Config) context(server bool) (*handle, error) {
	made := &c.client
	if server {
		made = &c.server
	}
	made.once.Do(func() { made.handle, made.err = c.make(server) })
	return made.handle, made.err
}

func (c *Config) make(server bool) (*handle, error) {
	h, err := own(func() answer {
		if server {
			return C.fssl_ctx_new_server(nil)
		}
		return C.fssl_ctx_new_client(nil)
	})
	if err != nil {
		return nil, err
	}
	s := &settings{ctx: h}
	if !server && c.SessionTicketsDisabled {
		s.call(func() answer { return C.fssl_ctx_set_resumption(h.id, 0, nil) })
	}
	s.protocol(c, server)
	for _, certificate := range c.Certificates {
		s.certificate(certificate)
	}
	if server && s.err == nil { // said now, not to every client
		s.call(func() answer { return C.fssl_ctx_check_private_key(h.id, nil) })
	}
	s.trust(c, server)
	return h, s.err
}

// settings are made one after another; the first that fails is remembered, as bufio.Writer does.
type settings struct {
	ctx *handle
	err error
}

func (s *settings) call(do func() answer) {
	_, err := s.ctx.call(do)
	s.fail(err)
}

func (s *settings) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}

func (s *settings) protocol(c *Config, server bool) {
	ctx := s.ctx.id
	// Then idle connections hold no buffers.
	s.call(func() answer { return C.fssl_ctx_set_mode(ctx, C.FSSL_MODE_RELEASE_BUFFERS, nil) })
	s.version(c.MinVersion, func(version C.int32_t) answer {
		return C.fssl_ctx_set_min_proto_version(ctx, version, nil)
	})
	s.version(c.MaxVersion, func(version C.int32_t) answer {
		return C.fssl_ctx_set_max_proto_version(ctx, version, nil)
	})
	s.list(c.CipherList, func(list *C.char, n C.int64_t) answer {
		return C.fssl_ctx_set_cipher_list(ctx, list, n, nil)
	})
	s.list(c.CipherSuites, func(list *C.char, n C.int64_t) answer {
		return C.fssl_ctx_set_ciphersuites(ctx, list, n, nil)
	})
	s.list(c.Groups, func(list *C.char, n C.int64_t) answer {
		return C.fssl_ctx_set_groups(ctx, list, n, nil)
	})
	protos, n := lend(s.protos(c.NextProtos))
	s.call(func() answer {
		if server {
			return C.fssl_ctx_set_alpn_preference(ctx, protos, n, nil)
		}
		return C.fssl_ctx_set_alpn_protos(ctx, protos, n, nil)
	})
}

func (s *settings) version(version uint16, set func(version C.int32_t) answer) {
	if version != 0 {
		s.call(func() answer { return set(C.int32_t(version)) })
	}
}

func (s *settings) list(list string, set func(list *C.char, n C.int64_t) answer) {
	if list != "" {
		s.call(func() answer { return set(lendText(list)) })
	}
}

// protos writes names as ALPN does, each with a length byte before it.
func (s *settings) protos(names []string) []byte {
	var wire []byte
	for _, name := range names {
		if len(name) == 0 || len(name) > 255 {
			s.fail(fmt.Errorf("flatssl: bad name in NextProtos: %q", name))
			return nil
		}
		wire = append(append(wire, byte(len(name))), name...)
	}
	return wire
}

func (s *settings) certificate(certificate Certificate) {
	chain, chainLen := lend(certificate.Chain)
	s.call(func() answer {
		return C.fssl_ctx_use_certificate_chain(s.ctx.id, chain, chainLen, nil)
	})
	pem, pemLen := lend(certificate.Key)
	passphrase, passphraseLen := lend(certificate.Passphrase)
	s.part(func() answer {
		return C.fssl_key_from_pem(pem, pemLen, passphrase, passphraseLen, nil)
	}, func(key C.fssl_handle) answer {
		return C.fssl_ctx_use_private_key(s.ctx.id, key, nil)
	})
}

// part makes an object, uses it and closes it.
func (s *settings) part(make func() answer, use func(part C.fssl_handle) answer) {
	part, err := own(make)
	if err != nil {
		s.fail(err)
		return
	}
	s.call(func() answer { return use(part.id) })
	part.close()
}

func (s *settings) trust(c *Config, server bool) {
	mode := C.int32_t(C.FSSL_VERIFY_PEER)
	switch {
	case !server && c.InsecureSkipVerify, server && c.ClientAuth == tls.NoClientCert:
		mode = C.FSSL_VERIFY_NONE
	case server && c.ClientAuth == tls.RequireAndVerifyClientCert:
		mode |= C.FSSL_VERIFY_FAIL_IF_NO_PEER_CERT
	case server && c.ClientAuth != tls.VerifyClientCertIfGiven:
		s.fail(fmt.Errorf("flatssl: ClientAuth %v is not supported", c.ClientAuth))
	}
	s.call(func() answer { return C.fssl_ctx_set_verify(s.ctx.id, mode, nil) })
	if len(c.Roots) > 0 {
		s.roots(c.Roots)
	}
	if server && mode != C.FSSL_VERIFY_NONE {
		s.issuers(c.Roots)
	}
}

// roots puts a store of its own in the place of the system's.
func (s *settings) roots(roots []byte) {
	pem, n := lend(roots)
	s.part(func() answer { return C.fssl_store_new(nil) }, func(store C.fssl_handle) answer {
		count := C.fssl_store_add_pem(store, pem, n, nil)
		if count < 0 {
			return count
		}
		return C.fssl_ctx_set_cert_store(s.ctx.id, store, nil)
	})
}

// issuers tells clients which certificates are of use.
func (s *settings) issuers(roots []byte) {
	for {
		block, rest := pem.Decode(roots)
		if block == nil {
			return
		}
		roots = rest
		if block.Type != "CERTIFICATE" {
			continue
		}
		der, n := lend(block.Bytes)
		s.part(func() answer { return C.fssl_cert_from_der(der, n, nil) },
			func(cert C.fssl_handle) answer {
				return C.fssl_ctx_add_client_ca(s.ctx.id, cert, nil)
			})
	}
}

//go:build go1.26

package flatssl_test

import (
	"crypto/tls"
	"io"
	"net/http"
	"testing"

	"flatssl"
)

// A handler knows its client's certificate: net/http fills Request.TLS from any connection that
// tells its state.
func TestRequestTLS(t *testing.T) {
	config := serverConfig(t)
	config.ClientAuth, config.Roots = tls.RequireAndVerifyClientCert, trusted.pem
	address := serve(t, config, func(w http.ResponseWriter, r *http.Request) {
		if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
			http.Error(w, "who?", http.StatusForbidden)
			return
		}
		io.WriteString(w, r.TLS.PeerCertificates[0].Subject.CommonName)
	})
	dialer := &flatssl.Dialer{Config: &flatssl.Config{Roots: trusted.pem,
		Certificates: []flatssl.Certificate{clientID.ours}}}
	transport := &http.Transport{DialTLSContext: dialer.DialContext}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	response, err := client.Get("https://" + address)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	if string(body) != "client" {
		t.Errorf("the handler knows %q", body)
	}
}

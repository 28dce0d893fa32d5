package flatssl_test

// net/http over flatssl, at either end.

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"flatssl"
)

const (
	requests = 1000
	pageSize = 10_000
)

// site answers each path with its own page.
func site(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		io.Copy(w, r.Body)
		return
	}
	io.WriteString(w, page(r.URL.Path))
}

func page(path string) string {
	return strings.Repeat(path+"\n", pageSize/(len(path)+1))
}

// serve serves a site over flatssl and returns its address.
func serve(t testing.TB, config *flatssl.Config, handler http.HandlerFunc) string {
	t.Helper()
	listener, err := flatssl.Listen("tcp", "127.0.0.1:0", config)
	must(t, err)
	server := &http.Server{Handler: handler}
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Close()
		if err := <-done; err != http.ErrServerClosed {
			t.Errorf("Serve: %v", err)
		}
	})
	return listener.Addr().String()
}

func serverConfig(t testing.TB) *flatssl.Config {
	world(t)
	return &flatssl.Config{Certificates: []flatssl.Certificate{serverID.ours},
		NextProtos: []string{"http/1.1"}}
}

// clients are Go's own and ours.
func clients(t testing.TB) map[string]*http.Client {
	world(t)
	dialer := &flatssl.Dialer{Config: &flatssl.Config{Roots: trusted.pem}}
	transports := map[string]*http.Transport{
		"theirs": {TLSClientConfig: &tls.Config{RootCAs: trusted.pool}},
		"ours":   {DialTLSContext: dialer.DialContext},
	}
	all := map[string]*http.Client{}
	for name, transport := range transports {
		t.Cleanup(transport.CloseIdleConnections)
		all[name] = &http.Client{Transport: transport, Timeout: 9 * patience}
	}
	return all
}

// fetch gets a page and returns what is wrong with it.
func fetch(client *http.Client, url, path string) error {
	response, err := client.Get(url + path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK || string(body) != page(path) {
		return fmt.Errorf("%s: status %d, %d bytes", path, response.StatusCode, len(body))
	}
	return nil
}

// together answers none before all have asked.
func together(handler http.HandlerFunc) http.HandlerFunc {
	var asked sync.WaitGroup
	asked.Add(requests)
	return func(w http.ResponseWriter, r *http.Request) {
		asked.Done()
		asked.Wait()
		handler(w, r)
	}
}

// A thousand requests at once, each on a connection of its own, from Go's client and from ours.
func TestThousandRequests(t *testing.T) {
	for name, client := range clients(t) {
		t.Run(name, func(t *testing.T) {
			address := serve(t, serverConfig(t), together(site))
			var wait sync.WaitGroup
			for i := 0; i < requests; i++ {
				path := fmt.Sprintf("/%d", i)
				wait.Add(1)
				go func() {
					defer wait.Done()
					if err := fetch(client, "https://"+address, path); err != nil {
						t.Error(err)
					}
				}()
			}
			wait.Wait()
		})
	}
}

func TestThousandRequestsOfCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		t.Skip("no curl")
	}
	address := serve(t, serverConfig(t), site)
	folder := t.TempDir()
	ca := filepath.Join(folder, "ca.pem")
	must(t, os.WriteFile(ca, trusted.pem, 0o600))
	output, err := exec.Command(curl, "--silent", "--show-error", "--fail", "--cacert", ca,
		"--parallel", "--parallel-immediate", "--parallel-max", "300", "--max-time", "60",
		"--output", filepath.Join(folder, "page-#1"),
		fmt.Sprintf("https://%s/[1-%d]", address, requests)).CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, output)
	}
	for i := 1; i <= requests; i++ {
		got, err := os.ReadFile(filepath.Join(folder, fmt.Sprintf("page-%d", i)))
		if err != nil || string(got) != page(fmt.Sprintf("/%d", i)) {
			t.Errorf("page %d: %v, %d bytes", i, err, len(got))
		}
	}
}

// Connections are kept and used again; what is posted comes back whole.
func TestPost(t *testing.T) {
	address := serve(t, serverConfig(t), site)
	data := string(noise(5 << 20))
	for name, client := range clients(t) {
		t.Run(name, func(t *testing.T) {
			for i := 0; i < 3; i++ {
				response, err := client.Post("https://"+address, "", strings.NewReader(data))
				must(t, err)
				body, err := io.ReadAll(response.Body)
				must(t, err)
				response.Body.Close()
				if string(body) != data {
					t.Errorf("%d bytes came back", len(body))
				}
			}
		})
	}
}

// The client's errors reach the caller of net/http.
func TestClientErrors(t *testing.T) {
	address := serve(t, serverConfig(t), site)
	_, port, err := net.SplitHostPort(address)
	must(t, err)
	for url, config := range map[string]*flatssl.Config{
		"https://127.0.0.1:" + port:  {},
		"https://localhost:" + port:  {Roots: trusted.pem, ServerName: "example.org"},
		"https://127.0.0.1:1":        {},
		"https://no.host.invalid:44": {},
	} {
		dialer := &flatssl.Dialer{Config: config}
		client := &http.Client{Transport: &http.Transport{DialTLSContext: dialer.DialContext}}
		if response, err := client.Get(url); err == nil {
			response.Body.Close()
			t.Errorf("%s: no error", url)
		}
	}
}

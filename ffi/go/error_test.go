package flatssl_test

import (
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"flatssl"
)

// headerCodes are the names of codes and kinds in the header that pkg-config finds.
func headerCodes(t *testing.T) []string {
	t.Helper()
	flags, err := exec.Command("pkg-config", "--variable=includedir", "flatssl").Output()
	must(t, err)
	header, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(flags)), "flatssl_decl.h"))
	must(t, err)
	return regexp.MustCompile(`\bFSSL_(?:E|KIND)_[A-Z_0-9]+\b = `).FindAllString(string(header), -1)
}

// No code of the header is missing here.
func TestCodesAreAllOfTheHeader(t *testing.T) {
	source, err := os.ReadFile("code.go")
	must(t, err)
	names := headerCodes(t)
	if len(names) < 40 {
		t.Fatalf("only %d codes in the header", len(names))
	}
	for _, name := range names {
		name = strings.TrimSuffix(name, " = ")
		if !regexp.MustCompile(`= C\.` + name + `\b`).Match(source) {
			t.Errorf("%s is missing in code.go", name)
		}
	}
}

func TestCodes(t *testing.T) {
	for code, want := range map[flatssl.Code]struct {
		name string
		kind flatssl.Kind
	}{
		flatssl.CodeWantRead: {"FSSL_E_WANT_READ", flatssl.KindWant},
		flatssl.CodeHost:     {"FSSL_E_HOST", flatssl.KindCertificate},
		flatssl.CodeMemory:   {"FSSL_E_MEMORY", flatssl.KindInternal},
		499:                  {"", flatssl.KindTLS}, // one of a later library
	} {
		if code.String() != want.name || code.Kind() != want.kind {
			t.Errorf("%d: %q, kind %d", int32(code), code.String(), code.Kind())
		}
	}
	text := flatssl.CodeHost.Error()
	if text != "flatssl: the peer's certificate is for another host" {
		t.Errorf("text %q", text)
	}
}

// What net.Error and errors.Is see in an Error.
func TestErrorInterfaces(t *testing.T) {
	broken := &flatssl.Error{Code: flatssl.CodeSyscall, Errno: syscall.EPIPE}
	late := &flatssl.Error{Code: flatssl.CodeTimeout, Kind: flatssl.KindSystem}
	cases := []struct {
		name string
		got  bool
		want bool
	}{
		{"code", errors.Is(broken, flatssl.CodeSyscall), true},
		{"another code", errors.Is(broken, flatssl.CodeHost), false},
		{"errno", errors.Is(broken, syscall.EPIPE), true},
		{"another errno", errors.Is(broken, syscall.EIO), false},
		{"no errno", errors.Is(late, syscall.EPIPE), false},
		{"value", errors.Is(broken, io.EOF), false},
		{"timeout", net.Error(late).Timeout(), true},
		{"no timeout", net.Error(broken).Timeout(), false},
	}
	for _, c := range cases {
		if c.got != c.want {
			t.Errorf("%s: %v", c.name, c.got)
		}
	}
}

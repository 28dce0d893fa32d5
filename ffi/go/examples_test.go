package flatssl_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The examples, as a reader would run them.
func TestExamples(t *testing.T) {
	world(t)
	folder := t.TempDir()
	files := map[string][]byte{
		"ca": trusted.pem, "cert": serverID.ours.Chain, "key": serverID.ours.Key}
	for name, data := range files {
		must(t, os.WriteFile(filepath.Join(folder, name), data, 0o600))
	}
	run(t, "go", "build", "-o", folder+"/", "./examples/client", "./examples/server")

	server := exec.Command("./server", "-cert", "cert", "-key", "key", "-listen", "127.0.0.1:0")
	server.Dir = folder
	stdout, err := server.StdoutPipe()
	must(t, err)
	must(t, server.Start())
	defer func() {
		server.Process.Kill()
		server.Wait()
	}()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	must(t, err)
	url := strings.TrimSpace(strings.TrimPrefix(line, "listening on ")) + "/page"

	client := filepath.Join(folder, "client")
	page := run(t, client, "-ca", filepath.Join(folder, "ca"), url)
	if !strings.HasPrefix(page, "hello 127.0.0.1:") || !strings.HasSuffix(page, "this is /page\n") {
		t.Errorf("the page is %q", page)
	}
	for name, args := range map[string][]string{
		"an authority that nobody trusts": {url},
		"a file that is not there":        {"-ca", filepath.Join(folder, "no"), url},
	} {
		output, err := exec.Command(client, args...).CombinedOutput()
		if err == nil {
			t.Errorf("%s: printed %q", name, output)
		}
	}
}

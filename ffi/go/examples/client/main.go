// Command client fetches a page by HTTPS and prints it: net/http over flatssl.
//
//	client [-ca roots.pem] https://localhost:8443/
package main

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"flatssl"
)

func main() {
	log.SetFlags(0)
	roots := flag.String("ca", "", "PEM file of the certificates to trust in place of the system's")
	flag.Parse()
	if flag.NArg() != 1 {
		log.Fatal("usage: client [-ca roots.pem] URL")
	}
	if err := get(flag.Arg(0), *roots); err != nil {
		log.Fatal(err)
	}
}

func get(url, roots string) error {
	config := &flatssl.Config{}
	if roots != "" {
		pem, err := os.ReadFile(roots)
		if err != nil {
			return err
		}
		config.Roots = pem
	}
	dialer := &flatssl.Dialer{Config: config}
	transport := &http.Transport{DialTLSContext: dialer.DialContext}
	client := &http.Client{Transport: transport, Timeout: time.Minute}

	response, err := client.Get(url)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	_, err = io.Copy(os.Stdout, response.Body)
	return err
}

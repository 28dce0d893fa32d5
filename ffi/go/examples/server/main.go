// Command server serves a page by HTTPS: net/http over flatssl.
//
//	server -cert chain.pem -key key.pem [-listen :8443]
package main

import (
	"flag"
	"fmt"
	"log"
	"net/http"
	"time"

	"flatssl"
)

func main() {
	log.SetFlags(0)
	cert := flag.String("cert", "", "PEM file of the certificate and its issuers")
	key := flag.String("key", "", "PEM file of the private key")
	address := flag.String("listen", "127.0.0.1:8443", "address to listen on")
	flag.Parse()

	certificate, err := flatssl.LoadCertificate(*cert, *key)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := flatssl.Listen("tcp", *address, &flatssl.Config{
		Certificates: []flatssl.Certificate{certificate},
		NextProtos:   []string{"http/1.1"},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on https://%s\n", listener.Addr())
	server := &http.Server{Handler: http.HandlerFunc(greet), ReadHeaderTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}

func greet(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "hello %s, this is %s\n", r.RemoteAddr, r.URL.Path)
}

package flatssl

import (
	"context"
	"net"
)

// Dial connects to an address and runs the handshake, with the host of the address as the server's
// name unless the Config has one.
func Dial(network, addr string, config *Config) (*Conn, error) {
	return (&Dialer{Config: config}).dial(context.Background(), network, addr)
}

// Dialer is what Dial works with.
type Dialer struct {
	NetDialer *net.Dialer // how the carrier is made; nil is the zero one. Its limits span both
	Config    *Config
}

// Dial is DialContext without an end.
func (d *Dialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

// DialContext returns a *Conn whose handshake has run: what http.Transport.DialTLSContext asks for.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err // not a nil *Conn, which would be no nil net.Conn
	}
	return c, nil
}

func (d *Dialer) dial(ctx context.Context, network, addr string) (*Conn, error) {
	dialer := d.NetDialer
	if dialer == nil {
		dialer = new(net.Dialer)
	}
	if dialer.Timeout != 0 {
		limited, cancel := context.WithTimeout(ctx, dialer.Timeout)
		defer cancel()
		ctx = limited
	}
	if !dialer.Deadline.IsZero() {
		limited, cancel := context.WithDeadline(ctx, dialer.Deadline)
		defer cancel()
		ctx = limited
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	carrier, err := dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	c := newConn(carrier, d.Config, host)
	if err := c.HandshakeContext(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

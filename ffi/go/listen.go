package flatssl

import "net"

// Listener is a net.Listener whose connections are *Conn.
type Listener struct {
	net.Listener
	config *Config
}

// Listen listens on an address. What is wrong with the Config is told here.
func Listen(network, addr string, config *Config) (*Listener, error) {
	if config == nil {
		config = &defaults
	}
	if _, err := config.context(true); err != nil {
		return nil, err
	}
	inner, err := net.Listen(network, addr)
	if err != nil {
		return nil, err
	}
	return NewListener(inner, config), nil
}

// NewListener makes a Listener of any other.
func NewListener(inner net.Listener, config *Config) *Listener {
	return &Listener{inner, config}
}

// Accept returns the next connection, a *Conn. Its handshake has not run, so that a slow client
// keeps nobody waiting.
func (l *Listener) Accept() (net.Conn, error) {
	carrier, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Server(carrier, l.config), nil
}

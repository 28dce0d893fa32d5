package flatssl

// #include <flatssl.h>
import "C"

import (
	"net"
	"time"
)

const (
	farewell   = 5 * time.Second      // how long Close tries to send close_notify
	shortWhile = 5 * time.Millisecond // see awaitMessage
)

// Close sends close_notify, for at most five seconds, and closes the carrier. It wakes whoever
// waits; if one of them waits to send, close_notify is left out.
func (c *Conn) Close() error {
	if c.closed.Swap(true) {
		return net.ErrClosed
	}
	if c.sending.Load() == 0 && c.handle != nil {
		c.carrier.SetReadDeadline(time.Unix(1, 0))
		c.carrier.SetWriteDeadline(time.Now().Add(farewell))
		if c.established.Load() {
			c.notify()
		} else {
			c.flush() // an alert may be due
		}
	}
	err := c.carrier.Close()
	if c.handle != nil {
		c.handle.close()
	}
	return err
}

// CloseWrite sends close_notify: the peer reads its io.EOF, and may still send.
func (c *Conn) CloseWrite() error {
	c.sending.Add(1)
	defer c.sending.Add(-1)
	if c.closed.Load() {
		return net.ErrClosed
	}
	if err := c.writeDeadline.passed(); err != nil {
		return err
	}
	return c.orClosed(c.notify())
}

// notify sends close_notify.
func (c *Conn) notify() error {
	if c.failed != nil {
		return c.failed
	}
	c.out.Lock()
	defer c.out.Unlock()
	_, err := c.handle.call(func() answer { return C.fssl_conn_shutdown(c.handle.id, nil) })
	if sent := c.drain(); err == nil {
		err = sent
	}
	return err
}

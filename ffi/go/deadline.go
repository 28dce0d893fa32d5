package flatssl

import (
	"errors"
	"os"
	"sync/atomic"
	"time"
)

// A deadline is a copy of one of the carrier's. The carrier sees to it while it waits; the copy
// keeps a call from beginning after it, with plaintext that needs no carrier.
type deadline struct {
	at atomic.Int64 // in nanoseconds since 1970, 0 for none
}

func (d *deadline) set(t time.Time) {
	at := int64(0)
	if !t.IsZero() {
		at = t.UnixNano()
	}
	d.at.Store(at)
}

func (d *deadline) time() time.Time {
	at := d.at.Load()
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(0, at)
}

func (d *deadline) passed() error {
	at := d.at.Load()
	if at != 0 && time.Now().UnixNano() >= at {
		return os.ErrDeadlineExceeded
	}
	return nil
}

// SetDeadline sets both deadlines, as net.Conn has them.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline ends a Read that waits then, and every later one. Nothing is lost by it.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	c.readDeadline.set(t)
	return c.carrier.SetReadDeadline(t)
}

// SetWriteDeadline ends a Write that waits then, and every later one. Unlike one of crypto/tls, the
// connection can be written to afterwards.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	c.writeDeadline.set(t)
	return c.carrier.SetWriteDeadline(t)
}

// restoreReadDeadline gives the carrier back the one that the caller set.
func (c *Conn) restoreReadDeadline() {
	c.deadlines.Lock()
	defer c.deadlines.Unlock()
	c.carrier.SetReadDeadline(c.readDeadline.time())
}

func isTimeout(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded)
}

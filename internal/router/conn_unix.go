//go:build unix

package router

import (
	"errors"
	"syscall"
)

// endedByApp looks for an end that has arrived but that nobody has read yet. It does not wait, and leaves in
// place whatever there is to read.
func (c *appConn) endedByApp() bool {
	ended := false
	// Control and not Read, which would wait for the transport's own Read of the idle connection.
	err := c.raw.Control(func(fd uintptr) {
		var next [1]byte
		n, _, err := syscall.Recvfrom(int(fd), next[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		switch {
		case err == nil:
			ended = n == 0
		default:
			ended = !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EINTR)
		}
	})
	return ended || err != nil
}

package transport

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// endSilence has the kernel give up a connection whose other side has not said for that long that it got what was sent. Left to itself it goes on
// for a quarter of an hour, and with it a request to a machine that has lost its power.
func endSilence(after time.Duration) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) {
			set = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(after.Milliseconds()))
		})
		if err != nil {
			return err
		}
		return set
	}
}

//go:build !linux

package transport

import (
	"syscall"
	"time"
)

// endSilence leaves it to the kernel how long it waits for a machine that does not answer any more.
func endSilence(time.Duration) func(network, address string, c syscall.RawConn) error { return nil }

//go:build unix

package transport

import "syscall"

// isQuiet reports that a socket is open and has nothing to read. It does not wait, and takes nothing away.
func isQuiet(fd int) bool {
	var next [1]byte
	_, _, err := syscall.Recvfrom(fd, next[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	return err == syscall.EAGAIN
}

//go:build unix

package router

import "syscall"

// gone reports whether a connection was reset, or closed by us: it has no peer any more.
func gone(conn halfConn) bool {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return true
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return true
	}
	var noPeer error
	err = raw.Control(func(fd uintptr) {
		_, noPeer = syscall.Getpeername(int(fd))
	})
	return err != nil || noPeer != nil
}

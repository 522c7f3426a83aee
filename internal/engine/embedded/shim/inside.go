//go:build linux && cgo

package shim

import (
	"os"

	"github.com/opencontainers/runc/libcontainer"
	"golang.org/x/sys/unix"
)

// Inside turns this process into the first, or a further, process of a container when libcontainer has started it for
// that. It does not return then.
func Inside() {
	if len(os.Args) != 2 || os.Args[1] != "init" || os.Getenv("_LIBCONTAINER_INITPIPE") == "" {
		return
	}
	if os.Getenv("_LIBCONTAINER_INITTYPE") == "standard" {
		dieWithShim()
	}
	libcontainer.Init()
}

// dieWithShim is for the first process: without its shim a container would run unseen, its output going nowhere and
// nobody learning how it ends. libcontainer's own setting for this does not reach the process that matters.
func dieWithShim() {
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
}

//go:build linux && cgo

// Command setops-shim stands beside one container of the embedded engine. setopsd carries it, unpacks it and starts it;
// nobody else does. See package shim.
package main

import (
	"fmt"
	"os"
	"runtime"

	"github.com/setopsco/setops/internal/engine/embedded/shim"
)

// The main goroutine stays on the main thread: the container dies with the thread that started it, and that one never
// ends before the process.
func init() { runtime.LockOSThread() }

func main() {
	shim.Inside()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	in, out, err := shim.Streams()
	if err != nil {
		return err
	}
	return shim.Run(in, out)
}

// Command machine is the first process of a machine of a test cluster. It makes the machine's files, starts the programs that it is told
// of, and collects what ends. When it ends the kernel ends all else in its PID namespace.
//
// It is started with a directory, whose file control it reads: a line of JSON for each program. File descriptor 3, where it is given one, is
// a leash: at its end, so with the process that holds it, the machine ends.
package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "machine:", err)
		os.Exit(1)
	}
}

func run() error {
	if os.Getpid() != 1 || len(os.Args) != 4 {
		return fmt.Errorf("wanted: machine CLUSTER-DIRECTORY NAME PROGRAMS-DIRECTORY, as the first process of a PID namespace")
	}
	if os.Getenv("LEASHED") != "" {
		go endWith(os.NewFile(3, "leash"))
	}
	if err := mountAll(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		return err
	}
	if err := syscall.Sethostname([]byte(os.Args[2])); err != nil {
		return fmt.Errorf("set the host name: %w", err)
	}
	return serve("/run/machine")
}

func endWith(leash *os.File) {
	_, _ = io.Copy(io.Discard, leash)
	os.Exit(0)
}

// Command testapp is the program in the images that engines are tested with; package script says what it does.
package main

import (
	"context"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/enginetest/script"
)

func main() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGTERM)
	terms := make(chan syscall.Signal, 4)
	go func() {
		for range signals {
			terms <- syscall.SIGTERM
		}
	}()
	var dialer net.Dialer
	os.Exit(script.Run(context.Background(), script.Process{
		Args: os.Args[1:], Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Size: size, Signals: terms,
		Listen:   func(address string) (net.Listener, error) { return net.Listen("tcp", address) },
		Dial:     func(ctx context.Context, a string) (net.Conn, error) { return dialer.DialContext(ctx, "tcp", a) },
		Files:    files{},
		Allocate: allocate,
	}))
}

func size() (columns, rows int) {
	s, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
	if err != nil {
		return 0, 0
	}
	return int(s.Col), int(s.Row)
}

// files are in /tmp/testapp, which the image need not have.
type files struct{}

const dir = "/tmp/testapp"

func (files) Touch(name string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), nil, 0o600)
}

func (files) Drop(name string) error { return os.Remove(filepath.Join(dir, name)) }

func (files) Has(name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

var kept [][]byte

// allocate writes to every page, slowly enough for the kernel to notice.
func allocate(_ context.Context, megabytes int) {
	const page = 4096
	for range megabytes {
		chunk := make([]byte, 1<<20)
		for i := 0; i < len(chunk); i += page {
			chunk[i] = 1
		}
		kept = append(kept, chunk)
		time.Sleep(time.Millisecond)
	}
}

//go:build !linux

package pgtest

// TempDir is where temporary directories are made. It is short: a socket, whose path is limited, is below it.
func TempDir() string { return "/tmp" }

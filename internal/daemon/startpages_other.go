//go:build !linux

package daemon

// giveBackStartPages does nothing: no server runs here.
func giveBackStartPages() error { return nil }

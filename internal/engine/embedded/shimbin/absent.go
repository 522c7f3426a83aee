//go:build !shim

package shimbin

var carried []byte

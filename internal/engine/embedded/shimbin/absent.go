//go:build !shim || !(amd64 || arm64)

package shimbin

var carried []byte

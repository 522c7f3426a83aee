//go:build !shim || !(amd64 || arm64)

package latch

var carried []byte

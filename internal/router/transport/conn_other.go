//go:build !unix

package transport

// isQuiet sees nothing here, so that a request may be written in vain. It is not sent again either.
func isQuiet(int) bool { return true }

//go:build !linux

package embedded

// Check says what is missing: here, Linux.
func Check() []string {
	return []string{"The embedded engine needs Linux."}
}

//go:build linux

package embedded

import "os"

// Check says in sentences what is missing on this machine; nothing is missing when it is empty.
func Check() []string {
	if os.Geteuid() != 0 {
		return []string{"setopsd does not run as root"}
	}
	return nil
}

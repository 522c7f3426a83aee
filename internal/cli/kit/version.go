package kit

import (
	"fmt"

	"github.com/setopsco/setops/pkg/api"
)

// warnOfVersion says where the server is so much older or newer than this program that a command may fail for it. Versions
// that are one minor apart work together; the API never changes within its own version but by additions.
func (k *Kit) warnOfVersion(server api.ServerVersion) {
	if apart(k.Version, server.Version) {
		k.Note("Warning: setops is %s and the server %s, more than one minor version apart. Some commands may fail; install the "+
			"setops of the server's version.", k.Version, server.Version)
	}
}

// apart says whether two versions are more than one minor version apart. A build of a working tree has no place among them.
func apart(one, other string) bool {
	var a, b struct{ major, minor int }
	for text, v := range map[string]*struct{ major, minor int }{one: &a, other: &b} {
		if n, _ := fmt.Sscanf(text, "%d.%d.", &v.major, &v.minor); n < 2 {
			return false
		}
	}
	if one == other || a.major+a.minor == 0 || b.major+b.minor == 0 {
		return false
	}
	return a.major != b.major || a.minor-b.minor > 1 || b.minor-a.minor > 1
}

//go:build linux && cgo

package shim

/*
#include <stdlib.h>
#include <unistd.h>

// The server wants no child that outlives it, and Go cannot fork: so the shim forks here, before Go's runtime has any
// thread. The first process ends at once, its child goes on in a session of its own.
__attribute__((constructor)) static void setops_detach(void) {
	if (getenv("SETOPS_SHIM_DETACH") == NULL) {
		return;
	}
	unsetenv("SETOPS_SHIM_DETACH");
	switch (fork()) {
	case -1:
		_exit(70);
	case 0:
		setsid();
		return;
	default:
		_exit(0);
	}
}
*/
import "C"

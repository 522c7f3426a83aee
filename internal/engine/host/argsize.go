package host

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// What execve takes, from the kernel's fs/exec.c. Beyond it a program ends with E2BIG before it has begun, which nobody
// could tell from an app that ends at once.
const (
	stringLimit = 128<<10 - 1 // bytes of one argument or variable, without the zero byte behind it
	leastRoom   = 128 << 10   // for all of them, however small the stack is
	mostRoom    = 6 << 20     // however large it is
	pointerSize = 8           // each of them has one, which counts
	// reserve is for what is added on the way: the path of the program and of its interpreter, HOME, and a health check
	// that is longer than the command.
	reserve = 16 << 10
)

// RoomForArguments is how many bytes the arguments and the environment of a program may have, which inherits this
// process's stack limit.
func RoomForArguments() int {
	const unknown = 8 << 20 // what most systems set
	stack := unix.Rlimit{Cur: unknown}
	if err := unix.Getrlimit(unix.RLIMIT_STACK, &stack); err != nil {
		stack.Cur = unknown
	}
	return int(min(max(stack.Cur/4, leastRoom), mostRoom)) - reserve
}

// CheckSize refuses what execve would, by a *StartError: room is for all arguments and variables together. It names
// variables and never shows a value.
func CheckSize(args, env []string, room int) error {
	total := 0
	for i, a := range args {
		if len(a) > stringLimit {
			return tooLarge("the arguments of the app are", "number %d of the command has %d bytes, at most %d are possible", i, len(a), stringLimit)
		}
		total += len(a) + 1 + pointerSize
	}
	largest := ""
	for _, e := range env {
		if len(e) > len(largest) {
			largest = e
		}
		total += len(e) + 1 + pointerSize
	}
	if len(largest) > stringLimit {
		return tooLarge("the environment of the app is", "%s has %d bytes with its name, at most %d are possible", nameOf(largest), len(largest), stringLimit)
	}
	if total > room {
		return tooLarge("the environment and the arguments of the app are",
			"together they need %d bytes, at most %d are possible here; the largest variable is %s with %d bytes",
			total, room, nameOf(largest), len(largest))
	}
	return nil
}

func tooLarge(what, format string, args ...any) error {
	return &StartError{Reason: what + " too large: " + fmt.Sprintf(format, args...)}
}

// nameOf is the name of a variable. Names of ours are short, an image's need not be.
func nameOf(variable string) string {
	name, _, _ := strings.Cut(variable, "=")
	return fmt.Sprintf("%.256q", name)
}

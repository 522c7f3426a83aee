//go:build linux

package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// Find gives the path of the program that argv names, as a process in cwd with that environment would find it. What
// could not be executed is a *Fault: nothing there, no program, one for another machine, or one whose interpreter is
// missing. Permissions of single users are not looked at.
func Find(root string, argv []string, cwd string, env []string) (string, error) {
	name := argv[0]
	if name == "" {
		return "", &Fault{Reason: "the name of the program to run is empty", Missing: true}
	}
	if strings.Contains(name, "/") {
		program := inDir(cwd, name)
		return program, check(root, program)
	}
	search := pathOf(env)
	var unfit error
	for dir := range strings.SplitSeq(search, ":") {
		program := path.Join(inDir(cwd, dir), name)
		err := check(root, program)
		if err == nil {
			return program, nil
		}
		var fault *Fault
		if !errors.As(err, &fault) || (!fault.Missing && unfit == nil) {
			unfit = err
		}
	}
	if unfit != nil {
		return "", unfit
	}
	return "", &Fault{Reason: fmt.Sprintf("there is no program %q in the image (PATH is %s)", name, search), Missing: true}
}

func inDir(dir, name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join("/", dir, name)
}

// pathOf gives the PATH that holds: the last one.
func pathOf(env []string) string {
	value := ""
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "PATH="); ok {
			value = v
		}
	}
	return value
}

func check(root, program string) error {
	f, info, err := Open(root, program)
	switch {
	case err == nil:
		defer f.Close()
	case info != nil && info.IsDir():
		return &Fault{Reason: program + " is a directory, not a program"}
	case info != nil && !info.Mode().IsRegular():
		return &Fault{Reason: program + " is not a program but a special file"}
	case missing(err):
		return &Fault{Reason: fmt.Sprintf("there is no program %s in the image", program), Missing: true}
	case errors.Is(err, unix.ENOSYS):
		return nil // a kernel before 5.6: the container itself will find out
	default:
		return fmt.Errorf("look at program %s: %w", program, err)
	}
	if info.Mode().Perm()&0o111 == 0 {
		return &Fault{Reason: fmt.Sprintf("%s is not executable (its mode is %04o)", program, info.Mode().Perm())}
	}
	return checkFormat(root, program, f)
}

// missing includes paths that lead through files, and links in circles.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP) ||
		errors.Is(err, unix.ENAMETOOLONG)
}

// exists reports whether an interpreter is there; where that cannot be told, it is.
func exists(root, file string) bool {
	f, _, err := Open(root, file)
	if err == nil {
		f.Close()
	}
	return !missing(err)
}

package shimbin

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// hashShape is how unpack names the directories of its programs.
var hashShape = regexp.MustCompile(`^[0-9a-f]{16}$`)

// prune removes the programs of other versions in dir that no process runs any more, where that can be told for sure.
// What it fails to remove, the next start of the server tries again.
func prune(dir, keep string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var old []string
	for _, e := range entries {
		if home := filepath.Join(dir, e.Name()); e.IsDir() && hashShape.MatchString(e.Name()) && home != keep {
			old = append(old, home)
		}
	}
	if len(old) == 0 {
		return
	}
	running, err := programs()
	if err != nil {
		return
	}
	for _, home := range old {
		path := filepath.Join(home, program)
		info, err := os.Stat(path)
		if err == nil && isAmong(info, running) {
			continue
		}
		for _, gone := range []string{path, path + ".new", home} {
			_ = os.Remove(gone)
		}
	}
}

func isAmong(one os.FileInfo, all []os.FileInfo) bool {
	for _, other := range all {
		if os.SameFile(one, other) {
			return true
		}
	}
	return false
}

// programs are what all processes run, but those that this one may not look at and that are no shims by their name. It is
// an error not to know of a shim.
func programs() ([]os.FileInfo, error) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil || len(links) == 0 {
		return nil, errors.New("the processes cannot be listed")
	}
	var all []os.FileInfo
	for _, link := range links {
		info, err := os.Stat(link)
		if err == nil {
			all = append(all, info)
			continue
		}
		// One that has ended, or belongs to the kernel, has a name and no program.
		name, unnamed := os.ReadFile(filepath.Join(filepath.Dir(link), "comm"))
		if errors.Is(err, fs.ErrPermission) && (unnamed != nil || string(name) == program+"\n") {
			return nil, err
		}
	}
	return all, nil
}

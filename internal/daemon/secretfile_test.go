package daemon

import (
	"io/fs"
	"os"
	"syscall"
	"testing"
	"time"
)

// file is what is asked of one: its mode, and whose it is.
type file struct {
	fs.FileInfo
	mode fs.FileMode
	uid  uint32
}

func (f file) Mode() fs.FileMode  { return f.mode }
func (f file) Sys() any           { return &syscall.Stat_t{Uid: f.uid} }
func (f file) ModTime() time.Time { return time.Time{} }

func TestASecretIsExposedWhereMoreCanReadItThanMust(t *testing.T) {
	own, other := uint32(os.Geteuid()), uint32(os.Geteuid()+1)
	byGroup := os.Geteuid() == 0 // root reads without a group's leave
	for _, test := range []struct {
		file
		exposed bool
	}{
		{file{mode: 0o600, uid: own}, false},
		{file{mode: 0o640, uid: own}, true},
		{file{mode: 0o604, uid: own}, true},
		{file{mode: 0o440, uid: other}, byGroup}, // as a cluster mounts a Secret
		{file{mode: 0o444, uid: other}, true},
	} {
		if got := isExposed(test.file); got != test.exposed {
			t.Errorf("%v of user %d: %t", test.mode, test.uid, got)
		}
	}
}

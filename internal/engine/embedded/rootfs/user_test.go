//go:build linux

package rootfs

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
)

func TestUsersAreThoseOfTheImage(t *testing.T) {
	root := tree(t, map[string]string{
		"etc/passwd": "root:x:0:0::/root:/bin/sh\nweb:x:1000:1001::/home/web:/bin/sh\n",
		"etc/group":  "root:x:0:\nweb:x:1001:\nlog:x:1500:web\n",
	})
	for spec, want := range map[string]User{
		"":          {0, 0, []uint32{0}},
		"root":      {0, 0, []uint32{0}},
		"web":       {1000, 1001, []uint32{1001, 1500}},
		"1000":      {1000, 1001, []uint32{1001, 1500}},
		"web:log":   {1000, 1500, []uint32{1500}},
		"4711":      {4711, 0, []uint32{0}},
		"4711:4712": {4711, 4712, []uint32{4712}},
	} {
		got, err := LookupUser(root, spec)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: got %v, %v, want %v", spec, got, err, want)
		}
	}
	for _, spec := range []string{"nobody", "web:nobody", "-1", "99999999999"} {
		var fault *Fault
		if got, err := LookupUser(root, spec); !errors.As(err, &fault) {
			t.Errorf("%q: got %v, %v", spec, got, err)
		}
	}
}

func TestAnImageWithoutAccountsKnowsNumbersOnly(t *testing.T) {
	root := t.TempDir()
	if got, err := LookupUser(root, "7:8"); err != nil || got.UID != 7 || got.GID != 8 {
		t.Errorf("got %v, %v", got, err)
	}
	if got, err := LookupUser(root, "web"); err == nil {
		t.Errorf("got %v", got)
	}
}

func TestAccountsOfTheHostAreNoneOfTheImages(t *testing.T) {
	root := tree(t, map[string]string{"etc/x": ""})
	outside := filepath.Join(t.TempDir(), "passwd")
	write(t, outside, "web:x:1:1::/:/bin/sh\n", 0o644)
	link(t, root, outside, "etc/passwd")
	if got, err := LookupUser(root, "web"); err == nil {
		t.Errorf("got %v", got)
	}
}

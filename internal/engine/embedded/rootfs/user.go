//go:build linux

package rootfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/moby/sys/user"
)

// User is whom a program runs as.
type User struct {
	UID, GID uint32
	Groups   []uint32 // GID among them
}

// databaseLimit is how much of a passwd or group file is read, in bytes.
const databaseLimit = 4 << 20

// LookupUser resolves an image's USER: a name or uid, with an optional group name or gid after a colon. Empty is root.
// One that the image does not know is a *Fault.
func LookupUser(root, spec string) (User, error) {
	passwd, err := database(root, "/etc/passwd")
	if err != nil {
		return User{}, err
	}
	defer passwd.Close()
	group, err := database(root, "/etc/group")
	if err != nil {
		return User{}, err
	}
	defer group.Close()
	found, err := user.GetExecUser(spec, &user.ExecUser{}, passwd, group)
	if err != nil {
		return User{}, &Fault{Reason: fmt.Sprintf("the image is to run as user %q, which it does not know: %v", spec, err)}
	}
	u := User{UID: uint32(found.Uid), GID: uint32(found.Gid), Groups: []uint32{uint32(found.Gid)}}
	for _, g := range found.Sgids {
		if g != found.Gid {
			u.Groups = append(u.Groups, uint32(g))
		}
	}
	return u, nil
}

// database opens a file of accounts; one that is not there, or is no file, is empty.
func database(root, path string) (io.ReadCloser, error) {
	f, info, err := Open(root, path)
	if err == nil {
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(f, databaseLimit), f}, nil
	}
	if missing(err) || errors.Is(err, fs.ErrPermission) || info != nil {
		return none{}, nil
	}
	return nil, fmt.Errorf("read the image's %s: %w", path, err)
}

// none is an empty file.
type none struct{}

func (none) Read([]byte) (int, error) { return 0, io.EOF }
func (none) Close() error             { return nil }

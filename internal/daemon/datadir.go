package daemon

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// dataDir is the directory of one installation:
//
//	setops.db        projects, stages, changesets, commits (SQLite), or instead
//	database         says that they are in PostgreSQL
//	key              seals values of env; whoever has it and the database can read them; with key.new and key.old: key.go
//	instance         8 hexadecimal digits that name what this installation makes in the kernel, or on a cluster
//	server           names this server among those of a cluster that share a database
//	admin-password   where it was generated
//	registry/        images as they were pushed
//	engine/          unpacked images, tasks, logs, networks
//	control.sock     where `setopsd gc` asks the server that runs
//	lock             held while a server runs, with the number of its process in it
//	standby          held by all servers that stand by
type dataDir struct {
	path string
	lock *os.File // of the server that runs, or of one that stands by
}

// errInUse is the error of a data directory that another server uses.
var errInUse = errors.New("another setopsd uses the data directory")

// atDataDir names the directory and takes nothing of it.
func atDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	return &dataDir{path: path}, err
}

// shareDataDir opens the directory beside the server that uses it.
func shareDataDir(path string) (*dataDir, error) {
	d, err := atDataDir(path)
	if err != nil {
		return nil, err
	}
	if d.lock, err = os.OpenFile(d.file("standby"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	if err := unix.Flock(int(d.lock.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		d.lock.Close()
		return nil, fmt.Errorf("the key of the data directory %s is being changed by setopsd rotate-key; start the server once that has ended", d.path)
	}
	return d, nil
}

// excludeOthers makes sure that no server stands by, and that none begins to, until release is called.
func (d *dataDir) excludeOthers() (release func() error, err error) {
	f, err := os.OpenFile(d.file("standby"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close()
		return nil, fmt.Errorf("%w %s: it stands by; stop all of its servers", errInUse, d.path)
	}
	return func() error { return errors.Join(unix.Flock(int(f.Fd()), unix.LOCK_UN), f.Close()) }, nil
}

// openDataDir makes the directory where it is not there, and makes sure that no other server uses it. Errors: errInUse.
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make data directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open data directory: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		lock.Close()
		return nil, fmt.Errorf("%w %s; stop it, or give this one its own with --data-dir", errInUse, path)
	}
	d := &dataDir{path: path, lock: lock}
	if err := d.sign(); err != nil {
		return nil, errors.Join(fmt.Errorf("open data directory: %w", err), d.Close())
	}
	return d, nil
}

// sign writes into the lock who holds it, for those who want to signal to the server.
func (d *dataDir) sign() error {
	// In this order, whoever reads meanwhile finds a number and never nothing.
	text := []byte(strconv.Itoa(os.Getpid()) + "\n")
	if _, err := d.lock.WriteAt(text, 0); err != nil {
		return err
	}
	return d.lock.Truncate(int64(len(text)))
}

// Close lets the next server have the directory. Closing the file alone would not do: a process that is being started just now has the file open, too, until it runs its program.
func (d *dataDir) Close() error {
	if d.lock == nil {
		return nil
	}
	return errors.Join(unix.Flock(int(d.lock.Fd()), unix.LOCK_UN), d.lock.Close())
}

func (d *dataDir) file(elements ...string) string {
	return filepath.Join(append([]string{d.path}, elements...)...)
}

// secret reads a file of random bytes in hexadecimal, and makes it at the first start. A database without its key is
// refused: a new key could open nothing in it.
func (d *dataDir) secret(name string, size int, needed bool) ([]byte, error) {
	text, err := os.ReadFile(d.file(name))
	if errors.Is(err, fs.ErrNotExist) {
		if needed {
			return nil, fmt.Errorf("the file %s is gone; put it back from a backup", d.file(name))
		}
		value := make([]byte, size)
		rand.Read(value)
		return value, writeNew(d.file(name), []byte(hex.EncodeToString(value)+"\n"))
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return decodeKey(d.file(name), text, size)
}

// pass gives the directory to who takes this one's place: closing this one does not let others have it any more.
func (d *dataDir) pass() *dataDir {
	taken := *d
	d.lock = nil
	return &taken
}

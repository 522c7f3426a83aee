package pgtest

import "syscall"

const (
	disk   = "/tmp" // short: a socket, whose path is limited, is below it
	memory = "/dev/shm"
	tmpfs  = 0x01021994 // statfs(2): TMPFS_MAGIC
	room   = 2 << 30    // bytes; containers often have 64 MiB there
)

// TempDir is where temporary directories are made: in memory, where there is room. What tests kill is processes, so that no
// store of theirs has to outlive the power, and waiting for a busy disk at each write would be most of their time.
func TempDir() string {
	var fs syscall.Statfs_t
	err := syscall.Statfs(memory, &fs)
	if err != nil || fs.Type != tmpfs || fs.Bavail*uint64(fs.Bsize) < room {
		return disk
	}
	return memory
}

package wire

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// The shim's files in the container's directory.
const (
	RecordFile = "shim.json"
	ExitFile   = "exit.json"
	SocketFile = "shim.sock"
	LogFile    = "shim.log" // what the shim itself has to complain about
	StateDir   = "state"    // libcontainer's
)

// Record says which process the shim is and what its container does.
type Record struct {
	Version   int       `json:"v"`
	Shim      Process   `json:"shim"`
	StartedAt time.Time `json:"started_at,omitzero"` // of the program; zero: not yet
}

// Exit says how the container ended.
type Exit struct {
	Version   int       `json:"v"`
	Code      int       `json:"code"` // 128+n after signal n
	Signal    int       `json:"signal,omitempty"`
	OOMKilled bool      `json:"oom_killed,omitempty"`
	At        time.Time `json:"at"`
}

// ReadRecord reads a container's Record. The error wraps fs.ErrNotExist where there is none.
func ReadRecord(dir string) (Record, error) {
	var r Record
	return r, readJSON(filepath.Join(dir, RecordFile), &r)
}

// ReadExit reads a container's Exit. The error wraps fs.ErrNotExist where there is none.
func ReadExit(dir string) (Exit, error) {
	var e Exit
	return e, readJSON(filepath.Join(dir, ExitFile), &e)
}

func readJSON(path string, v any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	return nil
}

// WriteJSON replaces a file as a whole: readers see the old one or the new one. With durable set it survives a power cut
// from then on.
func WriteJSON(path string, v any, durable bool) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	if err := replace(path, append(b, '\n'), durable); err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

func replace(path string, content []byte, durable bool) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil && durable {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Process names one process for ever: pids are used again, and all begin anew with the machine.
type Process struct {
	PID        int    `json:"pid"`
	StartTicks uint64 `json:"start_ticks"` // since boot, in clock ticks
	BootID     string `json:"boot_id"`
}

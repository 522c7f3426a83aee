//go:build linux

package wire

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Self describes the calling process.
func Self() (Process, error) {
	boot, err := BootID()
	if err != nil {
		return Process{}, err
	}
	started, _, err := stat(os.Getpid())
	if err != nil {
		return Process{}, fmt.Errorf("read own start time: %w", err)
	}
	return Process{PID: os.Getpid(), StartTicks: started, BootID: boot}, nil
}

// BootID is different after each start of the machine.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("read boot id: %w", err)
	}
	return strings.TrimSpace(string(b)), nil
}

// Alive reports whether the very process still runs. One that has ended and was not reaped yet does not.
func (p Process) Alive() bool {
	boot, err := BootID()
	if err != nil || boot != p.BootID || p.PID <= 0 {
		return false
	}
	started, state, err := stat(p.PID)
	return err == nil && started == p.StartTicks && state != 'Z' && state != 'X'
}

// stat reads start time and state of a process.
func stat(pid int) (started uint64, state byte, err error) {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0, 0, err
	}
	// The name, in parentheses, may hold anything: fields are counted from the last parenthesis.
	const stateField, startField = 0, 19
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) <= startField {
		return 0, 0, fmt.Errorf("process %d: stat is cut short", pid)
	}
	started, err = strconv.ParseUint(string(fields[startField]), 10, 64)
	return started, fields[stateField][0], err
}

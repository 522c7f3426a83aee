//go:build linux

package docker

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
)

const (
	frameHeader = 8
	maxFrame    = 1 << 20 // bytes of one message; Docker cuts lines at 16 KiB
)

// readLog calls yield for each message of a log, as its container writes to pipes or a terminal.
func readLog(r io.Reader, terminal bool, yield func(at time.Time, text string)) error {
	if terminal {
		return readTerminal(r, yield)
	}
	return readMessages(r, yield)
}

// terminalPart is where Docker cuts a line, without an end of it.
const terminalPart = 16 << 10

// readTerminal reads the log of what was written to a terminal: it has no frames, and lines end as on one.
func readTerminal(r io.Reader, yield func(at time.Time, text string)) error {
	in := bufio.NewReaderSize(r, 32<<10)
	for {
		line, err := in.ReadString('\n')
		for rest := strings.TrimSuffix(line, "\n"); rest != ""; {
			at, text, err := parseMessage(rest)
			if err != nil {
				return err
			}
			rest = ""
			if len(text) > terminalPart {
				if _, _, err := parseMessage(text[terminalPart:]); err == nil {
					text, rest = text[:terminalPart], text[terminalPart:]
				}
			}
			yield(at, strings.TrimSuffix(text, "\r"))
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a log: %w", err)
		}
	}
}

// readMessages calls yield for each message of a log with time stamps, until it ends. Docker sends each in a frame of its
// own: the stream's number, three zeros, the length, the time, a blank, the text. A line that Docker has cut comes as
// several messages, of which only the last ends with a newline; each becomes a line.
func readMessages(r io.Reader, yield func(at time.Time, text string)) error {
	in := bufio.NewReaderSize(r, 32<<10)
	var header [frameHeader]byte
	var body []byte
	for {
		if _, err := io.ReadFull(in, header[:]); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read a log: %w", err)
		}
		size := binary.BigEndian.Uint32(header[4:])
		if size > maxFrame {
			return fmt.Errorf("read a log: a message of %d bytes is no message", size)
		}
		body = append(body[:0], make([]byte, size)...)
		if _, err := io.ReadFull(in, body); err != nil {
			return fmt.Errorf("read a log: %w", err)
		}
		if stdcopy.StdType(header[0]) == stdcopy.Systemerr {
			return fmt.Errorf("read a log: %s", body)
		}
		at, text, err := parseMessage(string(body))
		if err != nil {
			return err
		}
		yield(at, text)
	}
}

func parseMessage(body string) (time.Time, string, error) {
	stamp, text, _ := strings.Cut(body, " ")
	at, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return time.Time{}, "", fmt.Errorf("read a log: a message has no time: %w", err)
	}
	return at, strings.TrimSuffix(text, "\n"), nil
}

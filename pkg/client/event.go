package client

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// maxEventLine bounds one line of a stream, so that a broken server cannot fill the memory.
const maxEventLine = 8 << 20

// event is one server-sent event.
type event struct {
	name string
	id   string // of this event or of the last before it that had one
	data []byte
}

// readEvents calls yield for each event until it returns an error, and returns that, or io.EOF at the end of the stream.
// Comments, retry hints and events without data are passed over, as is one that the end cuts off.
func readEvents(r io.Reader, yield func(event) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEventLine)
	name, id, data := "message", "", []string(nil)
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case lines.Text() == "":
			if data != nil {
				if err := yield(event{name: name, id: id, data: []byte(strings.Join(data, "\n"))}); err != nil {
					return err
				}
			}
			name, data = "message", nil
		case field == "event":
			name = value
		case field == "id":
			id = value
		case field == "data":
			data = append(data, value)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read events: %w", err)
	}
	return io.EOF
}

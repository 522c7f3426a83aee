package wire

import (
	"encoding/binary"
	"errors"
	"io"
)

// The frames of an attached program, behind the Response that says that it has begun: a byte for the kind, four for the length
// of what follows, in network order. The server sends Input, InputEnd and Resize; the shim Output, Errors and, last, Ended.
const (
	Input    byte = iota // bytes for the program
	InputEnd             // there are no more
	Resize               // columns and rows of the terminal, two bytes each
	Output               // bytes that it wrote
	Errors               // bytes that it wrote as errors; never on a terminal
	Ended                // its exit code, four bytes
)

// MaxFrame is the longest content of a frame, in bytes.
const MaxFrame = 32 << 10

var errFrame = errors.New("a frame is too long")

// WriteFrame writes one frame by one call of Write.
func WriteFrame(w io.Writer, kind byte, content []byte) error {
	frame := make([]byte, 5, 5+len(content))
	frame[0] = kind
	binary.BigEndian.PutUint32(frame[1:], uint32(len(content)))
	_, err := w.Write(append(frame, content...))
	return err
}

// ReadFrame reads one frame. Where r ends between two frames the error is io.EOF.
func ReadFrame(r io.Reader) (kind byte, content []byte, err error) {
	var head [5]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	n := binary.BigEndian.Uint32(head[1:])
	if n > MaxFrame {
		return 0, nil, errFrame
	}
	content = make([]byte, n)
	_, err = io.ReadFull(r, content)
	return head[0], content, err
}

// SizeContent is the content of Resize, and CodeContent that of Ended.
func SizeContent(columns, rows uint16) []byte {
	return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(nil, columns), rows)
}

// ParseSize reads what SizeContent made.
func ParseSize(content []byte) (columns, rows uint16, ok bool) {
	if len(content) != 4 {
		return 0, 0, false
	}
	return binary.BigEndian.Uint16(content), binary.BigEndian.Uint16(content[2:]), true
}

// CodeContent is the content of Ended.
func CodeContent(code int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(int32(code))) }

// ParseCode reads what CodeContent made.
func ParseCode(content []byte) (code int, ok bool) {
	if len(content) != 4 {
		return 0, false
	}
	return int(int32(binary.BigEndian.Uint32(content))), true
}

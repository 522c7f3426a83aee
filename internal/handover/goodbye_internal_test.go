package handover

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"testing"
)

// sink keeps what is written to it.
type sink struct {
	net.Conn
	bytes.Buffer
}

func (s *sink) Write(b []byte) (int, error) { return s.Buffer.Write(b) }
func (s *sink) Read([]byte) (int, error)    { panic("nobody reads") }

// frames gives the frames that make up all of b, in which a type stands for a whole one.
func frames(t *testing.T, b []byte) (types []byte) {
	t.Helper()
	for len(b) > 0 {
		length := int(binary.BigEndian.Uint32(b) >> 8)
		types = append(types, b[3])
		if len(b) < frameHead+length {
			t.Fatalf("the frame %d is cut", b[3])
		}
		if b[3] == goAway[3] && !bytes.Equal(b[:frameHead+length], goAway) {
			t.Errorf("another good-bye: %v", b[:frameHead+length])
		}
		b = b[frameHead+length:]
	}
	return types
}

func TestTheGoodByeComesOnceBetweenTwoFrames(t *testing.T) {
	for range 1000 {
		var said bytes.Buffer
		for range 5 {
			length := rand.IntN(40)
			said.Write([]byte{0, 0, byte(length), 1, 0, 0, 0, 0, 1})
			said.Write(bytes.Repeat([]byte{7}, length))
		}
		all, out := said.Bytes(), &sink{}
		p := &parting{Conn: out, closed: make(chan struct{})}
		when := rand.IntN(len(all))
		for sent := 0; sent < len(all); {
			if sent >= when {
				p.sayGoodBye()
			}
			n := min(1+rand.IntN(30), len(all)-sent)
			if _, err := p.Write(all[sent : sent+n]); err != nil {
				t.Fatal(err)
			}
			sent += n
		}
		p.sayGoodBye()
		got := frames(t, out.Bytes())
		if len(got) != 6 || bytes.Count(got, goAway[3:4]) != 1 || got[0] != 1 {
			t.Fatalf("frames of types %v", got)
		}
	}
}

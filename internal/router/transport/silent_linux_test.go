package transport_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/router/transport"
)

// A machine without power and a program that reads nothing look the same to who sends: nothing of it is taken.
func TestARequestOfWhichNothingIsTakenIsGivenUp(t *testing.T) {
	up := newTask(t, func(w *wire) bool {
		<-w.stop
		return false
	})
	tr := newTransport(t, transport.Config{Silence: 300 * time.Millisecond})
	body := io.LimitReader(endless{}, 256<<20) // more than all buffers between hold
	req := up.request(t, http.MethodPost, body)
	res, err := tr.RoundTrip(req)
	if err == nil {
		res.Body.Close()
		t.Fatalf("it is answered: %s", res.Status)
	}
	if req.Context().Err() != nil {
		t.Errorf("the client gave it up: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, strings.Repeat("x", len(p))), nil }

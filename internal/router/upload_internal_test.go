package router

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The server may reuse what the body is read from, for the connection's next request.
func TestABodyIsNotReadAfterItsRequest(t *testing.T) {
	f := New(Config{}).newFlight()
	f.writer, f.request = httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", strings.NewReader("body"))
	f.request.Header.Set("Expect", "100-continue") // so that it is not taken at once
	if err := f.takeBody(); err != nil {
		t.Fatal(err)
	}
	u := f.upload
	f.end()
	if n, err := u.Read(make([]byte, 1)); n != 0 || !errors.Is(err, errOver) {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

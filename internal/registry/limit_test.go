package registry_test

import (
	"bytes"
	"io"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/setopsco/setops/internal/registry"
)

const limit = 100_000

func startLimited(t *testing.T) running {
	return start(t, func(c *registry.Config) { c.MaxLayerBytes = limit })
}

func TestALayerAtTheLimitIsTaken(t *testing.T) {
	r := startLimited(t)
	r.push(t, web, "v1", image(t, platform, limit))
}

func TestALayerAboveTheLimitIsRefusedWithASentence(t *testing.T) {
	r := startLimited(t)
	err := remote.Write(r.tag(t, web, "v1"), image(t, platform, limit+1), remote.WithAuth(alice))
	if err == nil || !strings.Contains(err.Error(), "DENIED: a layer may have at most 100000 bytes") {
		t.Fatalf("got %v", err)
	}
	wantNoUploads(t, r)
}

func TestAnAnnouncedLayerAboveTheLimitIsRefusedBeforeItIsSent(t *testing.T) {
	r := startLimited(t)
	read := &countingReader{Reader: bytes.NewReader(randomBytes(50 << 20))}
	req := newRequest(t, http.MethodPatch, startUpload(t, r))
	req.SetBasicAuth("alice", "wonderland")
	req.Header.Set("Expect", "100-continue")
	req.Body, req.ContentLength = read, 50<<20
	resp, err := waitingTransport(t).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	wantRefusal(t, resp, http.StatusRequestEntityTooLarge, "DENIED", "at most 100000 bytes")
	if read.n > 1<<20 {
		t.Fatalf("%d bytes were sent", read.n)
	}
	wantNoUploads(t, r)
}

// waitingTransport sends no body unasked, as http.DefaultTransport does where the server has not answered within a second.
func waitingTransport(t *testing.T) *http.Transport {
	transport := &http.Transport{ExpectContinueTimeout: time.Minute}
	t.Cleanup(transport.CloseIdleConnections)
	return transport
}

func TestChunksTogetherMayNotExceedTheLimit(t *testing.T) {
	r := startLimited(t)
	resp := r.send(t, http.MethodPatch, startUpload(t, r), bytes.NewReader(randomBytes(limit-10)))
	wantStatus(t, resp, http.StatusAccepted)
	next := r.url + resp.Header.Get("Location")
	// A reader of unknown length is sent in chunks, without Content-Length.
	resp = r.send(t, http.MethodPatch, next, io.MultiReader(bytes.NewReader(randomBytes(11))))
	wantRefusal(t, resp, http.StatusRequestEntityTooLarge, "DENIED", "at most 100000 bytes")
	wantNoUploads(t, r)
	resp = r.send(t, http.MethodPatch, next, bytes.NewReader([]byte("x")))
	wantStatus(t, resp, http.StatusNotFound)
}

func TestAManifestAboveFourMebibytesIsRefused(t *testing.T) {
	r := start(t)
	resp := r.send(t, http.MethodPut, "/v2/"+web+"/manifests/v1", bytes.NewReader(make([]byte, 4<<20+1)),
		"Content-Type", "application/vnd.oci.image.manifest.v1+json")
	wantStatus(t, resp, http.StatusBadRequest)
}

// startUpload returns the address to send to.
func startUpload(t testing.TB, r running) string {
	t.Helper()
	resp := r.send(t, http.MethodPost, "/v2/"+web+"/blobs/uploads/", nil)
	wantStatus(t, resp, http.StatusAccepted)
	return r.url + resp.Header.Get("Location")
}

// wantNoUploads checks that no refused layer is left. Other layers of the same
// image may be, and may still be on their way: the client gives up on them
// without a word.
func wantNoUploads(t *testing.T, r running) {
	t.Helper()
	for _, file := range r.files(t, repositoriesDir+"/"+web+"/_uploads") {
		if left := r.size(t, file); path.Base(file) == "data" && left > 1000 {
			t.Fatalf("%d bytes are left behind", left)
		}
	}
	if s3, is := r.kept.(inBucket); is {
		for _, left := range s3.Incomplete(t) {
			if left > 1000 {
				t.Fatalf("%d bytes are left behind", left)
			}
		}
	}
}

type countingReader struct {
	io.Reader
	n int
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += n
	return n, err
}

func (*countingReader) Close() error { return nil }

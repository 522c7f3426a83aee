// Package s3test is a server for tests that speaks the protocol of S3 and keeps a bucket in memory. It asks nobody for
// credentials.
//
// Start with Start.
package s3test

import (
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// Bucket is the name of the one that there is.
const Bucket = "images"

// Server is a running server; make one with Start.
type Server struct {
	http.Handler
	URL         string // http://127.0.0.1:PORT
	Credentials string // file, as ~/.aws/credentials

	backend *s3mem.Backend
	clock   *clock
}

// Start serves an empty bucket until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{clock: &clock{}, Credentials: filepath.Join(t.TempDir(), "credentials")}
	text := "[default]\naws_access_key_id = setops\naws_secret_access_key = secret\n"
	if err := os.WriteFile(s.Credentials, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s.backend = s3mem.New(s3mem.WithTimeSource(s.clock))
	if err := s.backend.CreateBucket(Bucket); err != nil {
		t.Fatal(err)
	}
	s.Handler = copyingParts{s, gofakes3.New(s.backend, gofakes3.WithTimeSource(s.clock)).Server()}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Keys are those of objects that begin with prefix, sorted.
func (s *Server) Keys(t testing.TB, prefix string) []string {
	t.Helper()
	found, err := s.backend.ListBucket(Bucket, nil, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, object := range found.Contents {
		if strings.HasPrefix(object.Key, prefix) {
			keys = append(keys, object.Key)
		}
	}
	return keys
}

// Put writes an object.
func (s *Server) Put(t testing.TB, key, content string) {
	t.Helper()
	_, err := s.backend.PutObject(Bucket, key, map[string]string{}, strings.NewReader(content), int64(len(content)), nil)
	if err != nil {
		t.Fatal(err)
	}
}

// Size is how many bytes an object has, 0 where there is none.
func (s *Server) Size(t testing.TB, key string) int64 {
	t.Helper()
	object, err := s.backend.HeadObject(Bucket, key)
	if gofakes3.HasErrorCode(err, gofakes3.ErrNoSuchKey) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return object.Size
}

// Get reads an object.
func (s *Server) Get(t testing.TB, key string) string {
	t.Helper()
	object, err := s.backend.GetObject(Bucket, key, nil)
	if err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(object.Contents)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// Delete removes the objects whose keys begin with prefix.
func (s *Server) Delete(t testing.TB, prefix string) {
	t.Helper()
	for _, key := range s.Keys(t, prefix) {
		if _, err := s.backend.DeleteObject(Bucket, key); err != nil {
			t.Fatal(err)
		}
	}
}

// Age makes the objects whose keys begin with prefix as old as this. S3 has no such call: they are written anew, in the past.
func (s *Server) Age(t testing.TB, prefix string, by time.Duration) {
	t.Helper()
	s.clock.set(-by)
	defer s.clock.set(0)
	for _, key := range s.Keys(t, prefix) {
		s.Put(t, key, s.Get(t, key))
	}
}

// clock is a gofakes3.TimeSource that can be put back.
type clock struct {
	mu  sync.Mutex
	off time.Duration
}

func (c *clock) set(off time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = off
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off).UTC()
}

func (c *clock) Since(t time.Time) time.Duration { return c.Now().Sub(t) }

// Incomplete are the uploads of parts that are neither completed nor aborted, by key, with the bytes that they have.
func (s *Server) Incomplete(t testing.TB) map[string]int {
	t.Helper()
	var uploads struct {
		Upload []struct{ Key, UploadId string }
	}
	s.ask(t, "/"+Bucket+"?uploads", &uploads)
	sizes := map[string]int{}
	for _, upload := range uploads.Upload {
		var parts struct{ Part []struct{ Size int } }
		s.ask(t, "/"+Bucket+"/"+upload.Key+"?uploadId="+upload.UploadId, &parts)
		sizes[upload.Key] = 0
		for _, part := range parts.Part {
			sizes[upload.Key] += part.Size
		}
	}
	return sizes
}

func (s *Server) ask(t testing.TB, path string, answer any) {
	t.Helper()
	response, err := http.Get(s.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := xml.NewDecoder(response.Body).Decode(answer); err != nil {
		t.Fatal(err)
	}
}

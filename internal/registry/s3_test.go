package registry_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/registry/s3test"
)

func TestABucketThatCannotBeUsedIsRefusedWithWhatToCheck(t *testing.T) {
	for code, want := range map[string]string{
		"NoSuchBucket":          "there is no such bucket; make it",
		"AccessDenied":          "allow s3:GetObject",
		"InvalidAccessKeyId":    "check the credentials and the endpoint",
		"SignatureDoesNotMatch": "the secret key is not the one of the access key",
		"PermanentRedirect":     "check the region",
	} {
		t.Run(code, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(http.StatusForbidden)
				_ = xml.NewEncoder(w).Encode(struct {
					XMLName       xml.Name `xml:"Error"`
					Code, Message string
				}{Code: code, Message: "as S3 has it"})
			}))
			t.Cleanup(server.Close)
			err := openBucket(t, registry.S3{Bucket: "pictures", Endpoint: server.URL, CredentialsFile: s3test.Start(t).Credentials})
			wantError(t, err, "bucket pictures, at "+server.URL, want, "as S3 has it")
		})
	}
}

func TestABucketThatNobodyServesIsRefused(t *testing.T) {
	const endpoint = "http://127.0.0.1:1" // a port that was free might be another test's by now
	err := openBucket(t, registry.S3{Bucket: s3test.Bucket, Endpoint: endpoint, CredentialsFile: s3test.Start(t).Credentials})
	wantError(t, err, "nobody answers there; check the endpoint")
}

func TestCredentialsAreReadFromAFileWhereOneIsNamed(t *testing.T) {
	server := s3test.Start(t)
	var signature atomic.Value
	seen := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signature.Store(r.Header.Get("Authorization"))
		server.ServeHTTP(w, r)
	}))
	t.Cleanup(seen.Close)
	bucket := registry.S3{Bucket: s3test.Bucket, Endpoint: seen.URL, CredentialsFile: server.Credentials}
	err := openBucket(t, bucket)
	if signedBy, _ := signature.Load().(string); err != nil || !strings.Contains(signedBy, "Credential=setops/") {
		t.Fatalf("signed by %q, %v", signedBy, err)
	}
	if left := server.Keys(t, ""); len(left) > 0 {
		t.Fatalf("the proof has left %v", left)
	}

	bucket.CredentialsFile = filepath.Join(t.TempDir(), "none")
	wantError(t, openBucket(t, bucket), "aws_access_key_id", bucket.CredentialsFile)
}

func openBucket(t *testing.T, bucket registry.S3) error {
	t.Helper()
	h := newHouse()
	r, err := registry.New(t.Context(), registry.Config{S3: &bucket, Secret: []byte(secret), Authenticator: h, Authorizer: h})
	if err == nil {
		err = r.Close()
	}
	return err
}

func wantError(t *testing.T, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("no %q in: %v", part, err)
		}
	}
}

func TestALargeLayerIsPushedInPartsToABucket(t *testing.T) {
	r := startIn(t, inBucket{s3test.Start(t)})
	digest := r.push(t, web, "v1", image(t, platform, 40<<20)) // it is moved in parts, too
	wantWhole(t, r, web, digest)
	if left := r.kept.(inBucket).Incomplete(t); len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
}

func TestAnUploadToABucketGoesOnWhereItWasInterrupted(t *testing.T) {
	before := startIn(t, inBucket{s3test.Start(t)})
	layer := randomBytes(30 << 20)
	address, sent := startUpload(t, before), 0
	// Of the parts that S3 has, the last one may be smaller than what it takes for others.
	for _, end := range []int{6 << 20, 14<<20 + 5, 20 << 20} {
		resp := before.send(t, http.MethodPatch, address, bytes.NewReader(layer[sent:end]))
		wantStatus(t, resp, http.StatusAccepted)
		if want := fmt.Sprintf("0-%d", end-1); resp.Header.Get("Range") != want {
			t.Fatalf("the server has %s, want %s", resp.Header.Get("Range"), want)
		}
		address, sent = before.url+resp.Header.Get("Location"), end
	}
	after := startIn(t, before.kept)
	digest := sha256Of(layer)
	address = strings.Replace(address, before.url, after.url, 1) + "&digest=" + digest
	resp := after.send(t, http.MethodPut, address, bytes.NewReader(layer[sent:]))
	wantStatus(t, resp, http.StatusCreated)
	if got := sha256Of([]byte(after.read(t, blobDir(digest)+"/data"))); got != digest {
		t.Fatalf("stored as %s, want %s", got, digest)
	}
}

func TestAnAbandonedUploadToABucketIsNotPurgedWhileSomebodyPushes(t *testing.T) {
	r := startIn(t, inBucket{s3test.Start(t)})
	resp := r.send(t, http.MethodPatch, startUpload(t, r), bytes.NewReader(randomBytes(1000)))
	wantStatus(t, resp, http.StatusAccepted)
	r.age(t)
	purge := func() int {
		t.Helper()
		n, err := r.PurgeUploads(t.Context(), time.Now().Add(-24*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	pushing := beginUpload(t, r)
	if n := purge(); n > 0 {
		t.Fatalf("%d uploads are purged while somebody pushes", n)
	}
	pushing()
	r.age(t)
	purge() // at most two, as the purge at the start may come late
	if left := r.kept.(inBucket).Incomplete(t); len(left) > 0 {
		t.Fatalf("left behind: %v", left)
	}
}

func TestRegistriesInOneBucketDoNotSeeEachOther(t *testing.T) {
	server := s3test.Start(t)
	one := startIn(t, inBucket{server})
	digest := one.push(t, web, "v1", image(t, platform, 1000))
	two := startIn(t, inBucket{server}, func(c *registry.Config) { c.S3.Prefix += "more" })
	wantExists(t, two, web, digest, false)
	two.collect(t, keep())
	if err := two.RemovePrefix(t.Context(), "acme/shop"); err != nil {
		t.Fatal(err)
	}
	wantWhole(t, one, web, digest)
}

// beginUpload sends a part of a layer, and the rest when what it returns is called.
func beginUpload(t *testing.T, r running) (finish func()) {
	t.Helper()
	content, sending := io.Pipe()
	req := newRequest(t, http.MethodPatch, startUpload(t, r))
	req.SetBasicAuth("alice", "wonderland")
	req.Body = content
	answered := make(chan error, 1)
	go func() {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err == nil {
			err = resp.Body.Close()
		}
		answered <- err
	}()
	// More than fits in between: the server has begun to read it.
	if _, err := sending.Write(randomBytes(32 << 20)); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := errors.Join(sending.Close(), <-answered); err != nil {
			t.Fatal(err)
		}
	}
}

func sha256Of(content []byte) string {
	sum := sha256.Sum256(content)
	return "sha256:" + hex.EncodeToString(sum[:])
}

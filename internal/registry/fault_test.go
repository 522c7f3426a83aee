package registry_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/registry"
)

func TestAnUploadGoesOnAfterARestart(t *testing.T) {
	layer := randomBytes(100_000)
	before := start(t)
	resp := before.send(t, http.MethodPatch, startUpload(t, before), bytes.NewReader(layer[:60_000]))
	wantStatus(t, resp, http.StatusAccepted)
	location := resp.Header.Get("Location")

	after := startIn(t, before.kept)
	resp = after.send(t, http.MethodPatch, location, bytes.NewReader(layer[60_000:]))
	wantStatus(t, resp, http.StatusAccepted)
	sum := sha256.Sum256(layer)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	resp = after.send(t, http.MethodPut, resp.Header.Get("Location")+"&digest="+digest, nil)
	wantStatus(t, resp, http.StatusCreated)
	blob, err := after.Blob(t.Context(), web, digest)
	if err != nil {
		t.Fatal(err)
	}
	blob.Close()
}

func TestAWrongDigestIsNotStored(t *testing.T) {
	r := start(t)
	resp := r.send(t, http.MethodPut, startUpload(t, r)+"&digest="+missing, strings.NewReader("other content"))
	wantStatus(t, resp, http.StatusBadRequest)
	if found := r.blobs(t); len(found) > 0 {
		t.Fatalf("stored: %v", found)
	}
}

func TestAFullDiskIsToldToTheClientAndLeavesNothing(t *testing.T) {
	r := startIn(t, onDisk{smallDisk(t, "1m")})
	resp := r.send(t, http.MethodPatch, startUpload(t, r), bytes.NewReader(randomBytes(4<<20)))
	wantRefusal(t, resp, http.StatusRequestEntityTooLarge, "DENIED", "the server's disk is full")
	wantNoUploads(t, r)
	r.push(t, web, "v1", image(t, platform, 100_000)) // there is room again
}

func TestWhatTheDiskDidNotTakeIsNotReportedAsStored(t *testing.T) {
	disk := onDisk{smallDisk(t, "1m")}
	r := startIn(t, disk)
	address := startUpload(t, r)
	filler, err := os.Create(filepath.Join(disk.dir, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	defer filler.Close()
	if _, err := filler.Write(make([]byte, 2<<20)); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("the disk is not full: %v", err)
	}
	// So few bytes that they are written when the file is closed.
	resp := r.send(t, http.MethodPatch, address, strings.NewReader("a short chunk"))
	wantRefusal(t, resp, http.StatusRequestEntityTooLarge, "DENIED", "which may be full")
}

func TestAStorageFaultIsAnErrorWithoutFileNames(t *testing.T) {
	disk := onDisk{t.TempDir()}
	r := startIn(t, disk)
	repositories := filepath.Join(disk.dir, repositoriesDir, web)
	if err := os.MkdirAll(repositories, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(repositories, "_uploads"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	resp := r.send(t, http.MethodPost, "/v2/"+web+"/blobs/uploads/", nil)
	wantRefusal(t, resp, http.StatusInternalServerError, "UNKNOWN", "the server's log says why")
}

func TestNothingIsWrittenToTheTerminal(t *testing.T) {
	if os.Getenv("SETOPS_TEST_OUTPUT") != "" {
		r := start(t)
		r.push(t, web, "v1", image(t, platform))
		wantStatus(t, r.send(t, http.MethodGet, "/v2/"+web+"/manifests/none", nil), http.StatusNotFound)
		return
	}
	output := runSelf(t, "SETOPS_TEST_OUTPUT=1")
	if strings.TrimSpace(output) != "PASS" {
		t.Fatalf("got:\n%s", output)
	}
}

func TestNoGoroutineIsLeftAfterClose(t *testing.T) {
	h := newHouse()
	cycle := func() {
		r, err := registry.New(t.Context(), registry.Config{Dir: t.TempDir(), Secret: []byte(secret), Authenticator: h, Authorizer: h})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
	cycle()
	before := runtime.NumGoroutine()
	const rounds = 20
	for range rounds {
		cycle()
	}
	// Distribution keeps one parked goroutine, its event broadcaster, which
	// cannot be reached to be stopped.
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > before+rounds {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines before, %d after %d registries", before, runtime.NumGoroutine(), rounds)
		}
		runtime.Gosched()
	}
}

// smallDisk mounts a file system of the given size until the test ends.
func smallDisk(t *testing.T, size string) string {
	t.Helper()
	if os.Geteuid() != 0 {
		if os.Getenv("SETOPS_TEST_ALL") != "" {
			t.Fatal("a small disk can be mounted by root only")
		}
		t.Skip("a small disk can be mounted by root only")
	}
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return dir
}

package registry_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/registry/s3test"
)

// kept is what a registry has stored, seen from outside. Paths begin with docker/registry/v2.
type kept interface {
	configure(c *registry.Config)
	// age makes all in a directory so old.
	age(t testing.TB, dir string, by time.Duration)
	// files are those below a directory, sorted.
	files(t testing.TB, dir string) []string
	read(t testing.TB, file string) string
	size(t testing.TB, file string) int64 // 0: it has gone since it was listed
	write(t testing.TB, file, content string)
	remove(t testing.TB, dir string)
}

const (
	blobsDir        = "docker/registry/v2/blobs/sha256"
	repositoriesDir = "docker/registry/v2/repositories"
)

type onDisk struct{ dir string }

func (d onDisk) configure(c *registry.Config) { c.Dir = d.dir }

func (d onDisk) age(t testing.TB, dir string, by time.Duration) {
	t.Helper()
	before := time.Now().Add(-by)
	d.walk(t, dir, func(path string, _ fs.DirEntry) error { return os.Chtimes(path, before, before) })
}

func (d onDisk) files(t testing.TB, dir string) (all []string) {
	t.Helper()
	d.walk(t, dir, func(path string, e fs.DirEntry) error {
		if e.IsDir() {
			return nil
		}
		name, err := filepath.Rel(d.dir, path)
		all = append(all, name)
		return err
	})
	return all
}

func (d onDisk) walk(t testing.TB, dir string, f func(string, fs.DirEntry) error) {
	t.Helper()
	root := filepath.Join(d.dir, dir)
	if _, err := os.Stat(root); os.IsNotExist(err) {
		return
	}
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // it went while it was looked for
		}
		if err != nil {
			return err
		}
		return f(path, e)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (d onDisk) read(t testing.TB, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(d.dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func (d onDisk) size(t testing.TB, file string) int64 {
	t.Helper()
	info, err := os.Stat(filepath.Join(d.dir, file))
	if os.IsNotExist(err) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func (d onDisk) write(t testing.TB, file, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, file), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (d onDisk) remove(t testing.TB, dir string) {
	t.Helper()
	if err := os.RemoveAll(filepath.Join(d.dir, dir)); err != nil {
		t.Fatal(err)
	}
}

// inBucket is below a prefix, as where several servers share a bucket.
type inBucket struct{ *s3test.Server }

const prefix = "setops/one"

func (b inBucket) configure(c *registry.Config) {
	c.Dir, c.S3 = "", &registry.S3{Bucket: s3test.Bucket, Endpoint: b.URL, Prefix: prefix, CredentialsFile: b.Credentials}
}

func (b inBucket) age(t testing.TB, dir string, by time.Duration) {
	t.Helper()
	b.Age(t, prefix+"/"+dir, by)
}

func (b inBucket) files(t testing.TB, dir string) (all []string) {
	t.Helper()
	for _, key := range b.Keys(t, prefix+"/"+dir+"/") {
		all = append(all, strings.TrimPrefix(key, prefix+"/"))
	}
	return all
}

func (b inBucket) read(t testing.TB, file string) string {
	t.Helper()
	return b.Get(t, prefix+"/"+file)
}

func (b inBucket) size(t testing.TB, file string) int64 {
	t.Helper()
	return b.Size(t, prefix+"/"+file)
}

func (b inBucket) write(t testing.TB, file, content string) {
	t.Helper()
	b.Put(t, prefix+"/"+file, content)
}

func (b inBucket) remove(t testing.TB, dir string) {
	t.Helper()
	b.Delete(t, prefix+"/"+dir)
}

// blobs are those that are stored.
func (r running) blobs(t testing.TB) []string {
	t.Helper()
	return slices.DeleteFunc(r.files(t, blobsDir), func(file string) bool { return filepath.Base(file) != "data" })
}

func blobDir(digest string) string {
	encoded := strings.TrimPrefix(digest, "sha256:")
	return blobsDir + "/" + encoded[:2] + "/" + encoded
}

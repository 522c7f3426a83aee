package daemon_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/daemon"
	"github.com/setopsco/setops/internal/registry/s3test"
)

// inBucket is a configuration whose images are in a bucket.
func inBucket(dir string, s3 *s3test.Server, prefix string) daemon.Config {
	c := config(dir)
	c.Bucket = daemon.BucketConfig{Name: s3test.Bucket, Endpoint: s3.URL, Prefix: prefix, CredentialsFile: s3.Credentials}
	return c
}

func refusal(t *testing.T, c daemon.Config) string {
	t.Helper()
	d := &daemon.Daemon{Config: c, Out: &output{}, NewEngine: withFake}
	err := d.Open(t.Context())
	if err == nil {
		t.Fatal("the server has started")
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	return err.Error()
}

func TestImagesStayWhereTheyWereUntilTheyAreBroughtAlong(t *testing.T) {
	dir, s3 := t.TempDir(), s3test.Start(t)
	run(t, config(dir), func(*daemon.Daemon) {})
	why := refusal(t, inBucket(dir, s3, "setops"))
	if !strings.Contains(why, "aws s3 sync "+filepath.Join(dir, "registry")+" s3://images/setops") {
		t.Error(why)
	}

	local := filepath.Join(dir, "registry")
	err := filepath.WalkDir(local, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(local, path)
		s3.Put(t, "setops/"+name, string(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	run(t, inBucket(dir, s3, "setops"), func(*daemon.Daemon) {})
	if err := os.RemoveAll(local); err != nil {
		t.Fatal(err)
	}
	if why := refusal(t, config(dir)); !strings.Contains(why, "aws s3 sync s3://BUCKET/PREFIX "+local) {
		t.Error(why)
	}
	if why := refusal(t, inBucket(t.TempDir(), s3, "setops")); !strings.Contains(why, "another installation") || !strings.Contains(why, "--registry-s3-prefix") {
		t.Error(why)
	}
	run(t, inBucket(t.TempDir(), s3, "other"), func(*daemon.Daemon) {})
}

func TestImagesOfAServerThatMarkedNothingAreNotLeftBehind(t *testing.T) {
	dir, s3 := t.TempDir(), s3test.Start(t)
	if err := os.MkdirAll(filepath.Join(dir, "registry", "docker"), 0o700); err != nil {
		t.Fatal(err)
	}
	if why := refusal(t, inBucket(dir, s3, "")); !strings.Contains(why, "aws s3 sync") {
		t.Error(why)
	}
	run(t, config(dir), func(*daemon.Daemon) {}) // where they are
}

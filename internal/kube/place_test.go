package kube

import (
	"os"
	"path/filepath"
	"testing"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheNamespaceIsThatOfThePodUnlessAFlagSaysOtherwise(t *testing.T) {
	inside, outside := write(t, "platform\n"), filepath.Join(t.TempDir(), "none")
	for _, c := range []struct{ flag, file, want string }{
		{"", inside, "platform"}, {"other", inside, "other"}, {"", outside, DefaultNamespace}, {"other", outside, "other"},
	} {
		if got := namespace(c.flag, c.file); got != c.want {
			t.Errorf("flag %q, file %s: %s", c.flag, c.file, got)
		}
	}
}

func TestTheDomainIsTheOneThatPodsSearch(t *testing.T) {
	inside := write(t, "nameserver 10.96.0.10\nsearch setops.svc.example.test svc.example.test example.test lan\noptions ndots:5\n")
	host := write(t, "nameserver 192.0.2.1\nsearch lan\n")
	for _, c := range []struct{ flag, file, want string }{
		{"", inside, "example.test"}, {"other.test", inside, "other.test"}, {"", host, "cluster.local"}, {"", host + ".none", "cluster.local"},
	} {
		if got := domain(c.flag, c.file); got != c.want {
			t.Errorf("flag %q, file %s: %s", c.flag, c.file, got)
		}
	}
}

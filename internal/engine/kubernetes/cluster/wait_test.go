package cluster

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAWaitEndsWhenAProgramHasEnded(t *testing.T) {
	c := &Cluster{dir: t.TempDir()}
	must(t, os.Mkdir(filepath.Join(c.dir, "node1"), 0o700))
	must(t, note(filepath.Join(c.dir, "node1"), "kubelet: ended: exit code 1"))
	err := c.await(t.Context(), time.Hour, "node1", func() error { return errors.New("is not ready") })
	if err == nil || !strings.Contains(err.Error(), "node1: kubelet: ended: exit code 1") {
		t.Errorf("the error does not say which program has ended: %v", err)
	}
}

func TestAWaitThatIsOverTellsWhatWasSeenLast(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	err := poll(ctx, "the DNS", func() error { cancel(); return errors.New("nobody listens") })
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "the DNS") || !strings.Contains(err.Error(), "nobody listens") {
		t.Errorf("the error does not tell what was waited for and seen: %v", err)
	}
}

func TestAFailureShowsTheLastLinesOfEachProgram(t *testing.T) {
	c := &Cluster{dir: t.TempDir()}
	file := c.Log("control/etcd")
	must(t, os.MkdirAll(filepath.Dir(file), 0o700))
	must(t, os.WriteFile(file, []byte(strings.Repeat("early\n", 50)+"cannot listen\n"), 0o600))
	logs := c.logs()
	if !strings.Contains(logs, "== control/log/etcd.log\n") || !strings.HasSuffix(logs, "cannot listen\n") || strings.Count(logs, "early") > 20 {
		t.Errorf("the logs are\n%s", logs)
	}
}

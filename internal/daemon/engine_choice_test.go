package daemon

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func machine(embedded, docker error) chooser {
	return chooser{
		embedded: func() error { return embedded },
		docker:   func(context.Context, string) error { return docker },
		cluster:  func(context.Context) error { return nil },
	}
}

func TestTheEngineIsTheOneThatCanRun(t *testing.T) {
	lacks, away := errors.New("there is no overlay file system"), errors.New("nobody answers")
	for _, test := range []struct {
		wanted, owner    string
		embedded, docker error
		kind, why        string
	}{
		{auto, "", nil, nil, embeddedKind, "can run"},
		{auto, "", nil, away, embeddedKind, "can run"},
		{auto, "", lacks, nil, dockerKind, "there is no overlay file system"},
		{auto, embeddedKind, nil, nil, embeddedKind, "belongs"},
		{auto, dockerKind, nil, nil, dockerKind, "belongs"}, // its tasks are there
		{embeddedKind, "", nil, nil, embeddedKind, "--engine"},
		{dockerKind, "", nil, nil, dockerKind, "--engine"},
		{dockerKind, embeddedKind, nil, nil, dockerKind, "--engine"},
		{kubernetesKind, "", nil, nil, kubernetesKind, "--engine"},
		{auto, kubernetesKind, nil, nil, kubernetesKind, "belongs"},
	} {
		c, err := machine(test.embedded, test.docker).choose(t.Context(), test.wanted, ownedBy(t, test.owner), "")
		if err != nil || c.kind != test.kind || !strings.Contains(c.why, test.why) {
			t.Errorf("%+v: %+v, %v", test, c, err)
		}
	}
	for _, test := range []struct {
		wanted, owner    string
		embedded, docker error
		says             []string
	}{
		{auto, "", lacks, away, []string{lacks.Error(), away.Error()}},
		{embeddedKind, "", lacks, nil, []string{lacks.Error()}},
		{dockerKind, "", nil, away, []string{away.Error()}},
		{auto, embeddedKind, lacks, nil, []string{lacks.Error()}},
		{auto, dockerKind, nil, away, []string{away.Error()}},
		{auto, "podman", nil, nil, []string{`"podman"`, kindFile}},
	} {
		_, err := machine(test.embedded, test.docker).choose(t.Context(), test.wanted, ownedBy(t, test.owner), "")
		for _, part := range test.says {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%+v: %v", test, err)
			}
		}
	}
}

func ownedBy(t *testing.T, kind string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "engine")
	if kind != "" {
		if err := writeKind(dir, kind); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestADirectoryOfAServerThatKnewOneEngineIsOfThatOne(t *testing.T) {
	dir := t.TempDir()
	if kind, err := kindOf(dir); kind != "" || err != nil {
		t.Errorf("an empty directory is of %q, %v", kind, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "containers"), 0o700); err != nil {
		t.Fatal(err)
	}
	if kind, err := kindOf(dir); kind != embeddedKind || err != nil {
		t.Errorf("it is of %q, %v", kind, err)
	}
}

func TestADockerThatHasTheTasksIsWaitedFor(t *testing.T) {
	asked := 0
	c := chooser{wait: time.Minute, docker: func(context.Context, string) error {
		if asked++; asked < 3 {
			return errors.New("not yet")
		}
		return nil
	}}
	if got, err := c.choose(t.Context(), auto, ownedBy(t, dockerKind), ""); err != nil || got.kind != dockerKind || asked != 3 {
		t.Errorf("%+v, %v, asked %d times", got, err, asked)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	asked = 0
	if _, err := c.choose(ctx, auto, ownedBy(t, dockerKind), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

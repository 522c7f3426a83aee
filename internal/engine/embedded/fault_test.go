//go:build linux

package embedded_test

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/internal/engine/host"
)

func TestWhatIsWrongWithAnImageIsSaidInASentence(t *testing.T) {
	h := newHouse(t)
	app := appFiles(t)["app"].content
	for name, test := range map[string]struct {
		config v1.Config
		files  map[string]file
		want   string
	}{
		"no program": {
			v1.Config{},
			nil,
			"the image has neither an entrypoint nor a command: set one in the image, or the container's command",
		},
		"not there": {
			v1.Config{Cmd: []string{"/srv/web"}},
			nil,
			"there is no program /srv/web in the image",
		},
		"not in PATH": {
			v1.Config{Cmd: []string{"web"}, Env: []string{"PATH=/bin:/opt"}},
			nil,
			`there is no program "web" in the image (PATH is /bin:/opt)`,
		},
		"not executable": {
			v1.Config{Cmd: []string{"/web"}},
			map[string]file{"web": {0o644, app}},
			"/web is not executable (its mode is 0644)",
		},
		"other machine": {
			v1.Config{Cmd: []string{"/web"}},
			map[string]file{"web": {0o755, forAnother(app)}},
			"/web is a program for another machine (s390x), this one is " + goarch,
		},
		"no program at all": {
			v1.Config{Cmd: []string{"/web"}},
			map[string]file{"web": {0o755, []byte("echo hello\n")}},
			"/web is neither a Linux program nor a script with a first line that begins with #!",
		},
		"no interpreter": {
			v1.Config{Cmd: []string{"/web"}},
			map[string]file{"web": {0o755, []byte("#!/bin/sh\necho hello\n")}},
			"/web needs the interpreter /bin/sh, which is not in the image",
		},
		"no user": {
			v1.Config{Cmd: []string{"/app"}, User: "web"},
			map[string]file{"app": {0o755, app}},
			`the image is to run as user "web", which it does not know: `,
		},
		"not for this user": {
			v1.Config{Cmd: []string{"/web"}, User: "1000"},
			map[string]file{"web": {0o700, app}},
			`the container's program cannot be run: exec: "/web": permission denied`,
		},
	} {
		c := h.spec()
		c.Container.Image = h.images.add(t, test.config, test.files)
		_, err := h.Create(ctx(t), c)
		var refused *host.StartError
		if !errors.As(err, &refused) || !strings.HasPrefix(refused.Reason, test.want) {
			t.Errorf("%s: the error is %v", name, err)
		}
		if left := h.traces(c); len(left) != 0 {
			t.Errorf("%s: left: %q", name, left)
		}
	}
}

// forAnother makes it a program for a machine that nobody has at hand.
func forAnother(elf []byte) []byte {
	const machine, s390 = 18, 22
	changed := append([]byte(nil), elf...)
	binary.LittleEndian.PutUint16(changed[machine:], s390)
	return changed
}

func TestAnEntrypointOfTheAppDropsTheImagesCommand(t *testing.T) {
	h := newHouse(t)
	image := h.images.add(t, v1.Config{Entrypoint: []string{"/app", "print=image"}, Cmd: []string{"print=command"}}, appFiles(t))
	for _, test := range []struct {
		entrypoint, command []string
		want                string
	}{
		{nil, nil, "app image\napp command"},
		{nil, []string{"print=own"}, "app image\napp own"},
		{[]string{"/app", "print=mine"}, nil, "app mine"},
		{[]string{"/app", "print=mine"}, []string{"print=own"}, "app mine\napp own"},
	} {
		c := h.spec()
		c.LogName = "task" + randomHex(4)
		c.Container.Image, c.Container.Entrypoint, c.Container.Command = image, test.entrypoint, test.command
		h.wait(h.run(c))
		if got := h.log(c); got != test.want {
			t.Errorf("entrypoint %q, command %q: log is %q, want %q", test.entrypoint, test.command, got, test.want)
		}
	}
}

func TestAShimThatCannotRunIsToldWithItsLastWords(t *testing.T) {
	h := newHouse(t)
	h.cfg.Shim = filepath.Join(h.dir, "setops-shim")
	must(t, os.WriteFile(h.cfg.Shim, []byte("#!/bin/sh\necho I am broken >&2\nexit 1\n"), 0o700))
	h.reopen()
	if _, err := h.Create(ctx(t), h.spec("forever")); err == nil || !strings.HasSuffix(err.Error(), `it says "I am broken\n"`) {
		t.Errorf("the error is %v", err)
	}
	h.cfg.Shim = "/nowhere/setops-shim"
	h.reopen()
	c := h.spec("forever")
	if _, err := h.Create(ctx(t), c); err == nil || !strings.Contains(err.Error(), "start shim /nowhere/setops-shim") {
		t.Errorf("the error is %v", err)
	}
	if left := h.traces(c); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

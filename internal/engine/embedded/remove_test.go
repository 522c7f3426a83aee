//go:build linux

package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine"
)

func TestNothingIsLeftOfARemovedContainer(t *testing.T) {
	h := newHouse(t)
	for name, args := range map[string][]string{
		"running": {"print=x", "write=/tmp/x", "spawn=1h", "forever"},
		"ended":   {"exit=1"},
	} {
		c := h.run(h.spec(args...))
		if name == "ended" {
			h.wait(c)
		}
		shim := h.shim(c)
		if len(h.traces(c)) == 0 {
			t.Fatal("no trace is found of a container that is there")
		}
		must(t, h.Remove(ctx(t), c.ID))
		if left := h.traces(c); len(left) != 0 || shim.Alive() {
			t.Errorf("%s: left: %q, shim: %v", name, left, shim.Alive())
		}
		must(t, h.Remove(ctx(t), c.ID))
	}
	created := h.spec("forever")
	_, err := h.Create(ctx(t), created)
	must(t, err)
	must(t, h.Remove(ctx(t), created.ID))
	if left := h.traces(created); len(left) != 0 {
		t.Errorf("created: left: %q", left)
	}
	if found, err := h.List(ctx(t)); err != nil || len(found) != 0 {
		t.Errorf("List gives %+v, %v", found, err)
	}
}

func TestAContainerThatWasHalfMadeWhenTheServerDiedIsRemoved(t *testing.T) {
	h := newHouse(t)
	c := h.spec("forever")
	_, err := h.cfg.Images.Mount(ctx(t), h.image, c.ID)
	must(t, err)
	_, err = h.cfg.Network.Attach(ctx(t), h.stage.ID, c.ID)
	must(t, err)
	must(t, os.MkdirAll(filepath.Join(h.cfg.Dir, "tasks", c.ID), 0o700))
	h.reopen()
	if found := h.found(c); found.Running {
		t.Errorf("found %+v", found)
	}
	must(t, h.Remove(ctx(t), c.ID))
	if left := h.traces(c); len(left) != 0 {
		t.Errorf("left: %q", left)
	}
}

func TestACreateThatIsGivenUpLeavesNothing(t *testing.T) {
	h := newHouse(t)
	given := 0
	for _, moment := range []int{0, 1, 2, 4, 8, 16, 32} { // milliseconds
		c := h.spec("forever")
		hurry, cancel := context.WithTimeout(context.Background(), milliseconds(moment))
		_, err := h.Create(hurry, c)
		cancel()
		if err == nil {
			must(t, h.Remove(ctx(t), c.ID))
		} else {
			given++
		}
		if left := h.traces(c); len(left) != 0 {
			t.Errorf("after %d ms: left: %q", moment, left)
		}
	}
	if given == 0 {
		t.Error("no Create was given up")
	}
}

func TestTheEnvironmentIsNeverOnTheDisk(t *testing.T) {
	h := newHouse(t)
	secret := "pa55-" + randomHex(8)
	c := h.spec("print=up", "forever")
	c.Container.Env = []string{"PASSWORD=" + secret}
	h.run(c)
	h.awaitLog(c, "app up")
	if code, output, err := h.Exec(ctx(t), c.ID, []string{"/app", "env=PASSWORD"}); err != nil || code != 0 || !bytes.Contains(output, []byte(secret)) {
		t.Fatalf("inside it is not: %d, %s, %v", code, output, err)
	}
	searched := 0
	must(t, filepath.WalkDir(h.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || e.Name() == "app" {
			return err
		}
		b, err := os.ReadFile(path)
		if errors.Is(err, unix.EINVAL) {
			return nil // a namespace
		}
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("%s holds the secret", path)
		}
		searched++
		return err
	}))
	if searched < 8 {
		t.Errorf("only %d files were searched", searched)
	}
	cmdline, err := os.ReadFile("/proc/" + strconv.Itoa(h.shim(c).PID) + "/cmdline")
	must(t, err)
	environ, err := os.ReadFile("/proc/" + strconv.Itoa(h.shim(c).PID) + "/environ")
	must(t, err)
	if bytes.Contains(append(cmdline, environ...), []byte(secret)) {
		t.Error("the shim's arguments or environment show the secret")
	}
}

func TestImagesOfContainersAreKept(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("forever"))
	must(t, h.RemoveImages(ctx(t), "demo/shop/prod"))
	clear(h.images) // nothing can be fetched any more
	must(t, h.Prepare(ctx(t), h.image))
	must(t, h.Remove(ctx(t), c.ID))
}

func TestAnImageIsNotKeptForTheContainerOfAnotherStage(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("forever"))
	same := engine.Image{Repository: "demo/shop/other/web", Digest: h.image.Digest}
	must(t, h.Prepare(ctx(t), same))
	must(t, h.RemoveImages(ctx(t), "demo/shop/other"))
	clear(h.images) // nothing can be fetched any more
	if err := h.Prepare(ctx(t), same); err == nil {
		t.Error("the image is still there")
	}
	must(t, h.Prepare(ctx(t), h.image))
	must(t, h.Remove(ctx(t), c.ID))
}

func TestAnImageIsRemovedUnlessAContainerUsesIt(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("forever"))
	must(t, h.RemoveImage(ctx(t), h.image))
	clear(h.images) // nothing can be fetched any more
	must(t, h.Prepare(ctx(t), h.image))
	must(t, h.Remove(ctx(t), c.ID))
	must(t, h.RemoveImage(ctx(t), h.image))
	if err := h.Prepare(ctx(t), h.image); err == nil {
		t.Error("the image is still there")
	}
}

func TestCloseRemovesTheEmptyCgroupsOfTheInstallationAndNoOther(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("forever"))
	var parents []string
	for _, dir := range h.cgroups(c.ID) {
		parents = append(parents, filepath.Dir(dir))
	}
	must(t, h.Remove(ctx(t), c.ID))
	others := filepath.Join(parents[0], "others")
	must(t, os.Mkdir(others, 0o700))
	h.reopen()
	if _, err := os.Stat(others); err != nil {
		t.Fatal("somebody else's cgroup was removed: ", err)
	}
	must(t, errors.Join(unix.Rmdir(others), unix.Rmdir(parents[0])))
	for _, dir := range parents[1:] {
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s is left", dir)
		}
	}
}

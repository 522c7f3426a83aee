//go:build linux

package docker_test

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/internal/engine"
	"github.com/setopsco/setops/internal/engine/host"
)

func TestAnIndexIsFollowedToThisMachine(t *testing.T) {
	h := newHouse(t)
	image := h.store.pushIndex(t, h.stage, map[string]v1.Image{
		goarch: imageOf(t, goarch, imageConfig("/testapp", "print", "here"), testappFiles(t)),
		"mips": imageOf(t, "mips", imageConfig("/testapp"), nil),
	})
	must(t, h.Prepare(ctx(t), image))
	c := h.spec()
	c.Container.Image = image
	checkExit(t, h.wait(h.run(c)), host.Exit{})
	if got := h.log(c); len(got) != 1 || got[0] != "app here" {
		t.Errorf("log is %q", got)
	}
}

func TestAnImageForOtherMachinesIsToldWithThem(t *testing.T) {
	h := newHouse(t)
	for name, image := range map[string]engine.Image{
		"linux/mips": h.store.push(t, h.stage, "mips", imageConfig("/testapp"), testappFiles(t)),
		"linux/mips, linux/s390x": h.store.pushIndex(t, h.stage, map[string]v1.Image{
			"s390x": imageOf(t, "s390x", imageConfig("/testapp"), nil),
			"mips":  imageOf(t, "mips", imageConfig("/testapp"), nil),
		}),
	} {
		err := h.Prepare(ctx(t), image)
		var refused *host.ImageError
		want := "the image is made for " + name + " and this machine is linux/" + goarch
		if !errors.As(err, &refused) || !strings.HasPrefix(refused.Reason, want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARegistryThatCannotBeReadIsNoFaultOfTheImage(t *testing.T) {
	h := newHouse(t)
	gone := h.image
	gone.Digest = "sha256:" + strings.Repeat("0", 64)
	h.cfg.Registry = "127.0.0.1:1" // nobody listens there
	h.reopen(func() {})
	for name, image := range map[string]engine.Image{"an image that is not there": gone, "a registry that is not there": h.image} {
		err := h.Prepare(ctx(t), image)
		if err == nil || errors.As(err, new(*host.ImageError)) || errors.As(err, new(*host.StartError)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestImagesAreRemovedByTheirPrefixUnlessTheyAreUsed(t *testing.T) {
	h := newHouse(t)
	other := h.stage
	other.Name += "x"
	neighbour := h.store.push(t, other, goarch, imageConfig("/testapp", "print", "neighbour"), testappFiles(t))
	used := h.store.push(t, h.stage, goarch, imageConfig("/testapp", "print", "used"), testappFiles(t))
	must(t, h.Prepare(ctx(t), neighbour))
	must(t, h.Prepare(ctx(t), used))
	c := h.spec("wait")
	c.Container.Image = used
	h.run(c)
	must(t, h.RemoveImages(ctx(t), "demo/shop/"+h.stage.Name))
	left := dockerCLI(t, "images", "--digests", "--format", "{{.Repository}}@{{.Digest}}")
	for image, stays := range map[engine.Image]bool{h.image: false, neighbour: true, used: true} {
		if strings.Contains(left, image.Repository+"@"+image.Digest) != stays {
			t.Errorf("%s: want it to stay: %t", image.Repository, stays)
		}
	}
	for _, image := range []engine.Image{neighbour, used} {
		must(t, h.RemoveImage(ctx(t), image))
	}
	left = dockerCLI(t, "images", "--digests", "--format", "{{.Repository}}@{{.Digest}}")
	for image, stays := range map[engine.Image]bool{neighbour: false, used: true} {
		if strings.Contains(left, image.Repository+"@"+image.Digest) != stays {
			t.Errorf("%s by itself: want it to stay: %t", image.Repository, stays)
		}
	}
	must(t, h.RemoveImages(ctx(t), "demo/shop/"+other.Name))
}

//go:build linux

package docker_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/setopsco/setops/internal/engine/host"
)

func TestWhatAContainerWritesIsInItsLogWhenItHasEnded(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("print", "hello", "print", "", "print", " and a blank", "exit", "7"))
	checkExit(t, h.wait(c), host.Exit{Code: 7})
	if want := []string{"app hello", "app ", "app  and a blank"}; !slices.Equal(h.log(c), want) {
		t.Errorf("log is %q", h.log(c))
	}
}

func TestALineThatDockerCutsBecomesSeveral(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("print", strings.Repeat("x", 40000), "print", "short"))
	h.wait(c)
	var lengths []int
	for _, l := range h.log(c) {
		lengths = append(lengths, len(strings.TrimPrefix(l, "app ")))
	}
	if want := []int{16384, 16384, 40000 - 2*16384, 5}; !slices.Equal(lengths, want) {
		t.Errorf("lines of %v bytes", lengths)
	}
}

func TestADeathBySignalIsTold(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("ignore-term", "print", "up", "wait"))
	h.awaitLog(c, "app up")
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGTERM))
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGKILL))
	checkExit(t, h.wait(c), host.Exit{Code: 137, Signal: syscall.SIGKILL})
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGTERM)) // one that has ended is no error
	must(t, h.Signal(ctx(t), "nobody", syscall.SIGTERM))
}

func TestRunningOutOfMemoryIsRecognised(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("allocate", "200", "exit", "0"))
	checkExit(t, h.wait(c), host.Exit{Code: 137, Signal: syscall.SIGKILL, OOMKilled: true})
}

func TestAContainerIsStartedOnceOnly(t *testing.T) {
	h := newHouse(t)
	c := h.spec("print", "once")
	first, err := h.Create(ctx(t), c)
	must(t, err)
	second, err := h.Create(ctx(t), c)
	must(t, err)
	if first != second || first == "" {
		t.Errorf("addresses %s and %s", first, second)
	}
	must(t, h.Start(ctx(t), c.ID))
	h.wait(c)
	must(t, h.Start(ctx(t), c.ID))
	h.wait(c)
	if !slices.Equal(h.log(c), []string{"app once"}) {
		t.Errorf("log is %q", h.log(c))
	}
}

func TestTenContainersStartAtOnce(t *testing.T) {
	h := newHouse(t)
	var starting sync.WaitGroup
	var mu sync.Mutex
	addresses := map[string]bool{}
	for i := range 10 {
		starting.Go(func() {
			c := h.spec("print", fmt.Sprint(i), "exit", fmt.Sprint(i))
			ip, err := h.Create(ctx(t), c)
			started := h.Start(ctx(t), c.ID)
			exit, waited := h.Wait(ctx(t), c.ID)
			if err := errors.Join(err, started, waited); err != nil || exit.Code != i || !slices.Equal(h.log(c), []string{fmt.Sprint("app ", i)}) {
				t.Errorf("container %d: %v, exit %+v, log %q", i, err, exit, h.log(c))
			}
			mu.Lock()
			defer mu.Unlock()
			addresses[ip] = true
		})
	}
	starting.Wait()
	if len(addresses) != 10 {
		t.Errorf("10 containers have the addresses %v", addresses)
	}
}

func TestAProgramThatCannotRunIsToldInOneSentence(t *testing.T) {
	h := newHouse(t)
	for name, test := range map[string]struct {
		entrypoint []string
		want       string
	}{
		"a path that leads nowhere":   {[]string{"/nothing/here"}, "there is no program /nothing/here in the image"},
		"a name that is not in PATH":  {[]string{"nothing"}, `there is no program "nothing" in the image`},
		"a file that is no program":   {[]string{"/readme"}, "/readme is not executable"},
		"a directory":                 {[]string{"/tmp"}, "/tmp is not executable"},
		"below a file":                {[]string{"/readme/x"}, "there is no program /readme/x in the image"},
		"more than a program can get": {[]string{"/testapp", strings.Repeat("x", 200<<10)}, "the arguments of the app are too large: number 1 of the command has 204800 bytes, at most 131071 are possible"},
	} {
		c := h.spec()
		c.Container.Entrypoint = test.entrypoint
		_, err := h.Create(ctx(t), c)
		if err == nil {
			err = h.Start(ctx(t), c.ID)
		}
		var refused *host.StartError
		if !errors.As(err, &refused) || refused.Reason != test.want {
			t.Errorf("%s: %v", name, err)
		}
		must(t, h.Remove(ctx(t), c.ID))
	}
}

func TestAnImageThatLacksSomethingIsToldInOneSentence(t *testing.T) {
	h := newHouse(t)
	for name, test := range map[string]struct {
		config v1.Config
		want   string
	}{
		"no program": {v1.Config{}, "the image has neither an entrypoint nor a command: set one in the image, or the container's command"},
		"no user":    {v1.Config{Entrypoint: []string{"/testapp"}, User: "ada"}, "the image names the user ada, which it does not have"},
		"no directory": {
			v1.Config{Entrypoint: []string{"/testapp"}, WorkingDir: "/readme"},
			"the working directory /readme of the image cannot be used (not a directory)",
		},
	} {
		c := h.spec()
		c.Container.Image = h.store.push(t, h.stage, goarch, test.config, testappFiles(t))
		must(t, h.Prepare(ctx(t), c.Container.Image))
		_, err := h.Create(ctx(t), c)
		if err == nil {
			err = h.Start(ctx(t), c.ID)
		}
		var refused *host.StartError
		if !errors.As(err, &refused) || refused.Reason != test.want {
			t.Errorf("%s: %v", name, err)
		}
		must(t, h.Remove(ctx(t), c.ID))
	}
}

func TestSettingsWinOverTheImage(t *testing.T) {
	h := newHouse(t)
	image := h.store.push(t, h.stage, goarch, v1.Config{
		Entrypoint: []string{"/testapp", "print", "image"}, Cmd: []string{"print", "command"}, Env: []string{"A=image", "B=image"},
	}, testappFiles(t))
	must(t, h.Prepare(ctx(t), image))
	for _, test := range []struct{ entrypoint, command, want []string }{
		{nil, nil, []string{"app image", "app command"}},
		{nil, []string{"env", "A", "env", "B"}, []string{"app image", "app A=ours", "app B=image"}},
		{[]string{"/testapp"}, nil, nil},
		{[]string{"/testapp", "print"}, []string{"own"}, []string{"app own"}},
	} {
		c := h.spec(test.command...)
		c.Container.Image, c.Container.Entrypoint, c.Container.Env = image, test.entrypoint, []string{"A=ours"}
		checkExit(t, h.wait(h.run(c)), host.Exit{})
		if got := h.log(c); !slices.Equal(got, test.want) {
			t.Errorf("%q and %q gave %q", test.entrypoint, test.command, got)
		}
	}
}

func TestAddressesOfPrivateNamesAreGivenToNoContainer(t *testing.T) {
	h := newHouse(t)
	c := h.spec()
	ip, err := h.Create(ctx(t), c)
	must(t, err)
	a := netip.MustParseAddr(ip).As4()
	if a[3] < 2 || a[3] > 191 {
		t.Errorf("the address is %s", ip)
	}
}

// checkExit compares all but the time, which must be there.
func checkExit(t *testing.T, got, want host.Exit) {
	t.Helper()
	if got.At.IsZero() || time.Since(got.At) > patience {
		t.Errorf("the exit was at %s", got.At)
	}
	got.At = want.At
	if got != want {
		t.Errorf("exit is %+v, want %+v", got, want)
	}
}

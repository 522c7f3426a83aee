//go:build linux

package docker_test

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/host"
)

func TestANewServerAdoptsContainersWithoutAGapInTheirLogs(t *testing.T) {
	h := newHouse(t)
	var words, want []string
	for i := range 1500 {
		words = append(words, "print", fmt.Sprint("line ", i))
		if i%3 == 0 {
			words = append(words, "sleep", "2ms")
		}
		want = append(want, fmt.Sprint("app line ", i))
	}
	c := h.spec(append(words, "print", "done", "wait")...)
	ip, err := h.Create(ctx(t), c)
	must(t, err)
	must(t, h.Start(ctx(t), c.ID))
	for n := range 4 {
		h.awaitLog(c, fmt.Sprint("app line ", 100+200*n))
		found := h.reopen(func() { time.Sleep(100 * time.Millisecond) })
		if len(found) != 1 || !found[0].Running || found[0].ID != c.ID || found[0].IP != ip ||
			found[0].Labels["setops.generation"] != "7" || time.Since(found[0].StartedAt) > patience {
			t.Fatalf("found %+v", found)
		}
	}
	h.awaitLog(c, "app done")
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGKILL))
	checkExit(t, h.wait(c), host.Exit{Code: 137, Signal: syscall.SIGKILL})
	if got := h.log(c); !slices.Equal(got, append(want, "app done")) {
		t.Errorf("%d lines, want %d", len(got), len(want)+1)
	}
}

func TestTheEndAndTheLastLinesWithoutAServerAreKnown(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("print", "up", "term", "9", "wait"))
	h.awaitLog(c, "app up")
	found := h.reopen(func() {
		must(t, exec.Command("docker", "kill", "-s", "TERM", "setops-"+h.cfg.Instance+"-"+c.ID).Run())
		h.await(func() bool { return dockerCLI(t, "ps", "-q", "--filter", "label=setops.task="+c.ID) == "" }, "it goes on")
	})
	if len(found) != 1 || found[0].Running || found[0].StartedAt.IsZero() {
		t.Errorf("found %+v", found)
	}
	checkExit(t, h.wait(c), host.Exit{Code: 9})
	must(t, h.Remove(ctx(t), c.ID))
	if left := dockerCLI(t, "ps", "-aq", "--filter", "label=setops.instance="+h.cfg.Instance); left != "" {
		t.Errorf("left: %s", left)
	}
	must(t, h.Remove(ctx(t), c.ID))
}

func TestAContainerThatWasNeverStartedIsFoundAsThat(t *testing.T) {
	h := newHouse(t)
	c := h.spec("wait")
	_, err := h.Create(ctx(t), c)
	must(t, err)
	found := h.reopen(func() {})
	if len(found) != 1 || found[0].Running || !found[0].StartedAt.IsZero() {
		t.Errorf("found %+v", found)
	}
	if exit := h.wait(c); !exit.Lost {
		t.Errorf("exit is %+v", exit)
	}
}

func TestAContainerThatSomebodyRemovedIsLost(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("print", "up", "wait"))
	h.awaitLog(c, "app up")
	if found := h.reopen(func() { dockerCLI(t, "rm", "-f", "setops-"+h.cfg.Instance+"-"+c.ID) }); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
	if exit := h.wait(c); !exit.Lost {
		t.Errorf("exit is %+v", exit)
	}
	must(t, h.Remove(ctx(t), c.ID))
}

func TestContainersOfOthersAreLeftAlone(t *testing.T) {
	h := newHouse(t)
	reference := h.store.address + "/" + h.image.Repository + "@" + h.image.Digest
	label := "setops.instance=" + h.cfg.Instance
	foreign := dockerCLI(t, "run", "-d", "--network", "none", "--label", label, "--label", "setops.task=abc", "--label", "setops.stage-id="+h.stage.ID, reference, "wait")
	t.Cleanup(func() { dockerCLI(t, "rm", "-f", foreign) })
	squatter := h.spec("wait")
	dockerCLI(t, "create", "--name", "setops-"+h.cfg.Instance+"-"+squatter.ID, reference, "wait")
	t.Cleanup(func() { dockerCLI(t, "rm", "-f", "setops-"+h.cfg.Instance+"-"+squatter.ID) })
	network := dockerCLI(t, "network", "create", "--label", label, "--label", "setops.stage-id=other", "other-"+h.cfg.Instance)
	t.Cleanup(func() { dockerCLI(t, "network", "rm", network) })

	if found := h.reopen(func() {}); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
	if stages, err := h.Networks(ctx(t)); err != nil || !slices.Equal(stages, []string{h.stage.ID}) {
		t.Errorf("networks of %v, %v", stages, err)
	}
	if _, err := h.Create(ctx(t), squatter); err == nil || !strings.Contains(err.Error(), "not ours") {
		t.Errorf("the name was taken: %v", err)
	}
	if err := h.Remove(ctx(t), squatter.ID); err == nil {
		t.Error("the squatter was removed")
	}
	if err := h.Remove(ctx(t), "abc"); err != nil {
		t.Error(err)
	}
	if dockerCLI(t, "inspect", "-f", "{{.State.Running}}", foreign) != "true" {
		t.Error("it does not run any more")
	}
}

// dockerCLI runs the command line of Docker, as an operator would.
func dockerCLI(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	if err != nil {
		t.Errorf("docker %v: %v: %s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

func TestWhatDockerMakesForAServerThatWasKilledIsRemoved(t *testing.T) {
	h := newHouse(t)
	h.reopen(func() {})
	ours := h.run(h.spec("wait"))
	late := h.spec("wait")
	name := "setops-" + h.cfg.Instance + "-" + late.ID
	image := dockerCLI(t, "container", "inspect", "--format", "{{.Image}}", "setops-"+h.cfg.Instance+"-"+ours.ID)
	dockerCLI(t, "create", "--name", name, "--label", "setops.instance="+h.cfg.Instance, "--label", "setops.task="+late.ID, image)
	h.await(func() bool { return exec.Command("docker", "container", "inspect", name).Run() != nil }, "it is still there")
	dockerCLI(t, "container", "inspect", "setops-"+h.cfg.Instance+"-"+ours.ID)
}

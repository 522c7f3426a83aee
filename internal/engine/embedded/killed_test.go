//go:build linux

package embedded_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/setopsco/setops/internal/engine/embedded"
	"github.com/setopsco/setops/internal/engine/embedded/image"
	"github.com/setopsco/setops/internal/engine/embedded/network"
	"github.com/setopsco/setops/internal/engine/host"
)

// serverVariable turns this test's program into a server that starts one container; see TestMain.
const serverVariable = "SETOPS_TEST_SERVER"

type serverOrder struct {
	Dir, Instance, Shim string
	Container           host.Spec
}

func TestContainersOutliveAServerThatIsKilled(t *testing.T) {
	h := newHouse(t)
	c := h.spec("tick=2ms")
	h.close() // the other process is the server now
	order, err := json.Marshal(serverOrder{h.dir, h.instance, h.cfg.Shim, c})
	must(t, err)
	server := exec.Command(os.Args[0])
	server.Env = append(os.Environ(), serverVariable+"="+string(order))
	server.Stderr = os.Stderr
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, server.Start())
	defer server.Process.Kill() //nolint:errcheck // it is dead already when all is well
	h.awaitLog(c, "app tick 5")
	// The whole group, as an impatient service manager would do.
	must(t, syscall.Kill(-server.Process.Pid, syscall.SIGKILL))
	if err := server.Wait(); err == nil || err.Error() != "signal: killed" {
		t.Fatalf("the server ended by %v", err)
	}

	h.open()
	if found := h.found(c); !found.Running || found.Labels["generation"] != "7" {
		t.Errorf("found %+v", found)
	}
	ticks := strings.Count(h.log(c), "tick")
	h.awaitLog(c, "app tick "+itoa(ticks+50))
	must(t, h.Signal(ctx(t), c.ID, syscall.SIGKILL))
	checkExit(t, h.wait(c), host.Exit{Code: 137, Signal: syscall.SIGKILL})
	for i, line := range strings.Split(h.log(c), "\n") {
		if want := "app tick " + itoa(i); line != want {
			t.Fatalf("line %d is %q", i, line)
		}
	}
}

// serve does as ordered and waits to be killed.
func serve(order string) error {
	var o serverOrder
	if err := json.Unmarshal([]byte(order), &o); err != nil {
		return err
	}
	store, err := image.New(image.Config{Dir: filepath.Join(o.Dir, "images"), Source: images{}})
	if err != nil {
		return err
	}
	net, err := network.New(network.Config{Dir: filepath.Join(o.Dir, "network"), Instance: o.Instance})
	if err != nil {
		return err
	}
	r, err := embedded.New(embedded.Config{
		Dir: filepath.Join(o.Dir, "engine"), Instance: o.Instance, Images: store, Network: net, Shim: o.Shim,
	})
	if err != nil {
		return err
	}
	if _, err := r.Create(context.Background(), o.Container); err != nil {
		return err
	}
	if err := r.Start(context.Background(), o.Container.ID); err != nil {
		return err
	}
	_, err = r.Wait(context.Background(), o.Container.ID)
	return fmt.Errorf("the container has ended: %w", err)
}

//go:build linux

package docker_test

import (
	"context"
	"errors"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/docker"
	"github.com/setopsco/setops/internal/engine/subnet"
	"github.com/setopsco/setops/internal/setops"
)

// Another server makes its network just now, where this one would make its own.
func TestANetworkWaitsForThatOfAnotherServerAndKeepsOffIt(t *testing.T) {
	needDocker(t)
	cfg := docker.Config{Dir: t.TempDir(), Instance: randomHex(4), Registry: "127.0.0.1:1"}
	r, err := openRuntime(t.Context(), cfg, nil)
	must(t, err)
	stage := setops.StageRef{ID: "s" + cfg.Instance, Organization: "demo", Project: "shop", Name: "live"}
	t.Cleanup(func() {
		must(t, r.RemoveNetwork(context.Background(), stage.ID))
		must(t, r.Close())
	})

	var theirs netip.Prefix
	must(t, subnet.Exclusively(ctx(t), func() error {
		soon, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if err := r.EnsureNetwork(soon, stage); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v while another server makes a network, want the end of the context", err)
		}
		theirs = wished(t, cfg)
		name := "other-" + cfg.Instance
		ip(t, "link", "add", name, "type", "bridge")
		t.Cleanup(func() { ip(t, "link", "delete", name) })
		ip(t, "address", "add", theirs.Addr().Next().String()+"/24", "dev", name) // it is not up yet
		return nil
	}))
	must(t, r.EnsureNetwork(ctx(t), stage))

	all, err := subnet.Taken("other-" + cfg.Instance)
	must(t, err)
	if slices.ContainsFunc(all, theirs.Overlaps) {
		t.Errorf("the stage is where another server is, at %s", theirs)
	}
}

// wished is the subnet that a server would choose now.
func wished(t *testing.T, cfg docker.Config) netip.Prefix {
	t.Helper()
	pools, err := subnet.NewPools(cfg.Subnets, cfg.Instance)
	must(t, err)
	taken, err := subnet.Taken("")
	must(t, err)
	chosen, err := pools.Choose(taken)
	must(t, err)
	return chosen
}

func ip(t *testing.T, words ...string) {
	t.Helper()
	if out, err := exec.Command("ip", words...).CombinedOutput(); err != nil {
		t.Errorf("ip %s: %v: %s", strings.Join(words, " "), err, out)
	}
}

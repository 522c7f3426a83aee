//go:build linux

package install

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/kubernetes/cluster"
	"github.com/setopsco/setops/internal/engine/kubernetes/cluster/clustertest"
)

// patience is far more than anything takes on a machine that is busy.
const patience = 3 * time.Minute

// theCluster is the one that SETOPS_TEST_CLUSTER names, with nodes that servers can move between.
func theCluster(t *testing.T) *cluster.Cluster {
	t.Helper()
	c := clustertest.Ours(t)
	if c.Nodes < 2 {
		t.Fatalf("cluster %d has fewer than two nodes", c.Number)
	}
	return c
}

// address is one of the cluster's network, 10.X.0.0/16.
func address(c *cluster.Cluster, third, fourth int) string {
	net, _, _ := strings.Cut(strings.TrimPrefix(c.Host(), "10."), ".")
	return fmt.Sprintf("10.%s.%d.%d", net, third, fourth)
}

// kubectl types a command, and gives what it printed.
func (i *installation) kubectl(args ...string) string {
	i.t.Helper()
	out, err := i.try(args...)
	if err != nil {
		i.t.Fatal(err)
	}
	return out
}

func (i *installation) try(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, i.cluster.Kubectl(), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+i.cluster.Kubeconfig())
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, &errs)
	}
	return strings.TrimSpace(out.String()), nil
}

// await waits for a condition.
func await(t *testing.T, what string, is func() error) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := is()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s: %v", what, patience, err)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// build compiles a program of ours that needs nothing of the system it runs on.
func build(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	c := exec.Command("go", "build", "-tags", "seccomp netgo osusergo", "-ldflags", "-s -w", "-o", path, "github.com/setopsco/setops/cmd/"+name)
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("build %s: %v: %s", name, err, out)
	}
	return path
}

//go:build linux

package network

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

func TestSmoke(t *testing.T) {
	n, err := New(Config{Dir: t.TempDir(), Instance: "0badcafe", Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	ctx := context.Background(); t.Log(Check()); ts := time.Now(); Check(); t.Log("check", time.Since(ts))
	for i := range 2 {
		s := time.Now()
		if err := n.EnsureStage(ctx, setops.StageRef{ID: fmt.Sprint("s", i), Name: "x"}); err != nil {
			t.Fatal(err)
		}
		t.Log("ensure", time.Since(s))
		s = time.Now()
		if err := n.EnsureStage(ctx, setops.StageRef{ID: fmt.Sprint("s", i), Name: "x"}); err != nil {
			t.Fatal(err)
		}
		t.Log("ensure again", time.Since(s))
	}
	for i := range 4 {
		s := time.Now()
		e, err := n.Attach(ctx, fmt.Sprint("s", i%2), fmt.Sprint("c", i))
		if err != nil {
			t.Fatal(err)
		}
		t.Log("attach", time.Since(s), e)
		s = time.Now()
		n.Attach(ctx, fmt.Sprint("s", i%2), fmt.Sprint("c", i))
		t.Log("attach again", time.Since(s))
	}
	out, _ := exec.Command("sh", "-c", "nft list ruleset; ip -br addr; nsenter --net="+n.netnsPath("c0")+" sh -c 'ip addr; ip route; ping -c1 -W1 "+n.endpoints["c2"].Address.String()+"; ping -c1 -W1 "+n.endpoints["c1"].Address.String()+"'").CombinedOutput()
	t.Log(string(out))
	for i := range 4 {
		s := time.Now()
		if err := n.Detach(ctx, fmt.Sprint("c", i)); err != nil {
			t.Fatal(err)
		}
		t.Log("detach", time.Since(s))
	}
	for i := range 2 {
		s := time.Now()
		if err := n.RemoveStage(ctx, fmt.Sprint("s", i)); err != nil {
			t.Fatal(err)
		}
		t.Log("remove", time.Since(s))
	}
	out, _ = exec.Command("sh", "-c", "nft list ruleset; ip -br addr; grep setops /proc/mounts; ls "+n.cfg.Dir+"/*").CombinedOutput()
	t.Log(string(out))
}

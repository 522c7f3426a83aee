//go:build linux

package embedded_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/setopsco/setops/internal/engine/host"
)

func TestTheLargestEnvironmentRunsAndALargerOneIsRefused(t *testing.T) {
	h := newHouse(t)
	var stack unix.Rlimit
	must(t, unix.Getrlimit(unix.RLIMIT_STACK, &stack))
	room := int(min(stack.Cur/4, 6<<20)) - 16<<10
	const one, cost = 128<<10 - 1, 128<<10 + 8 // of a variable of the largest size that there is
	c := h.spec("print=up", "exit=0")
	left := room - len("PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin/app"+"print=up"+"exit=0") - 4*9
	for i := 0; left >= cost; i++ {
		name := fmt.Sprintf("V%d=", i)
		c.Container.Env = append(c.Container.Env, name+strings.Repeat("x", one-len(name)))
		left -= cost
	}
	c.Container.Env = append(c.Container.Env, "REST="+strings.Repeat("x", left-len("REST=")-9))
	checkExit(t, h.wait(h.run(c)), host.Exit{})
	if h.log(c) != "app up" {
		t.Errorf("log is %q", h.log(c))
	}
	larger := h.spec("print=up", "exit=0")
	larger.Container.Env = append(c.Container.Env, "MORE=1")
	for name, env := range map[string][]string{"V0": larger.Container.Env, "BIG": {"BIG=" + strings.Repeat("x", one)}} {
		larger.Container.Env = env
		_, err := h.Create(ctx(t), larger)
		var refused *host.StartError
		if !errors.As(err, &refused) || !strings.Contains(refused.Reason, "too large") || !strings.Contains(refused.Reason, `"`+name+`"`) {
			t.Errorf("%s: the error is %.300v", name, err)
		}
		if left := h.traces(larger); len(left) != 0 {
			t.Errorf("left: %q", left)
		}
	}
}

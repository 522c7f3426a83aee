package host_test

import (
	"errors"
	"testing"
	"time"
)

func TestTheBackOffHoldsForNetworksThatCannotBeMade(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		b.runtime.Fail("EnsureNetwork", errors.New("the daemon is away"))
		b.ensure(generation("wait"))
		pass(20 * time.Second) // tasks begin at 0, 1, 3, 7 and 15 s, or a little later
		if n := len(b.tasks()); n < 4 || n > 7 {
			t.Errorf("%d tasks were tried", n)
		}
		b.runtime.Fail("EnsureNetwork", nil)
		pass(time.Minute)
		tasks := b.tasks()
		if last := tasks[len(tasks)-1]; last.Status != "RUNNING" {
			t.Errorf("got %+v", last)
		}
	})
}

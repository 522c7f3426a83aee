//go:build linux

package embedded_test

import "testing"

func TestWhatAContainerWritesIsInItsLogWhenItHasEnded(t *testing.T) {
	h := newHouse(t)
	c := h.run(h.spec("print=hello", "exit=7"))
	if exit := h.wait(c); exit.Code != 7 || exit.Signal != 0 || exit.Lost || exit.OOMKilled {
		t.Errorf("exit is %+v, want code 7", exit)
	}
	if got := h.log(c); got != "app hello" {
		t.Errorf("log is %q", got)
	}
}

//go:build linux

package embedded_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// BenchmarkLife reports the medians of what a container's start, check and removal take, in milliseconds.
func BenchmarkLife(b *testing.B) {
	h := newHouse(b)
	took := map[string][]time.Duration{}
	i := 0
	for b.Loop() {
		c := h.spec("print=up", "forever")
		c.LogName = fmt.Sprint("task", i)
		i++
		begin := time.Now()
		lap := func(name string) { took[name] = append(took[name], time.Since(begin)) }
		_, err := h.Create(ctx(b), c)
		must(b, err)
		lap("created")
		must(b, h.Start(ctx(b), c.ID))
		h.await(func() bool { return strings.Contains(h.log(c), "app up") }, "no output")
		lap("first-output")
		begin = time.Now()
		_, _, err = h.Exec(ctx(b), c.ID, []string{"/app", "exit=0"})
		must(b, err)
		lap("exec")
		begin = time.Now()
		must(b, h.Remove(ctx(b), c.ID))
		lap("remove")
	}
	for name, all := range took {
		slices.Sort(all)
		b.ReportMetric(float64(all[len(all)/2].Microseconds())/1000, name+"-ms")
	}
}

package transact

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// each runs f with n seeds, or as many as the environment says; a seed that fails is the last.
func each(t *testing.T, n int, f func(t *testing.T, seed uint64)) {
	t.Helper()
	first, times := setting(t, "SETOPS_TRANSACT_FIRST", 1), setting(t, "SETOPS_TRANSACT_SEEDS", 1)
	begun := time.Now()
	for i := range n * times {
		seed := uint64(first + i)
		if !t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) { f(t, seed) }) {
			t.Fatalf("again: SETOPS_TRANSACT_FIRST=%d", seed)
		}
	}
	t.Logf("%d seeds in %s", n*times, time.Since(begun).Round(time.Millisecond))
}

func setting(t *testing.T, key string, usual int) int {
	t.Helper()
	text := os.Getenv(key)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

package store

import (
	"fmt"
	"testing"
	"time"
)

func TestWrongTriesAreCountedAndForgotten(t *testing.T) {
	s := open(t)
	now := time.UnixMilli(1_700_000_000_000)
	wrong := func(hash string) int {
		t.Helper()
		n, _, err := s.Tries(t.Context(), hash)
		must(t, err)
		return n
	}
	for i := range 3 {
		must(t, s.AddTry(t.Context(), "ada", now.Add(time.Duration(i)*time.Second), now, 10))
	}
	if n, last, err := s.Tries(t.Context(), "ada"); err != nil || n != 3 || !last.Equal(now.Add(2*time.Second)) {
		t.Errorf("%d, %s, %v", n, last, err)
	}
	must(t, s.AddTry(t.Context(), "bob", now.Add(time.Minute), now.Add(time.Second), 10))
	if wrong("ada") != 3 || wrong("bob") != 1 || wrong("eve") != 0 {
		t.Error(wrong("ada"), wrong("bob"), wrong("eve"))
	}
	must(t, s.ForgetTries(t.Context(), "bob"))
	must(t, s.AddTry(t.Context(), "eve", now.Add(time.Minute), now.Add(3*time.Second), 10))
	if wrong("ada") != 0 || wrong("bob") != 0 {
		t.Error("what was right, or is long ago, is remembered")
	}
}

func TestNoMoreTriesAreKeptThanTheMost(t *testing.T) {
	s := open(t)
	now := time.UnixMilli(1_700_000_000_000)
	for i := range 8 {
		must(t, s.AddTry(t.Context(), fmt.Sprint(i), now.Add(time.Duration(i)*time.Second), now, 5))
	}
	for i := range 8 {
		if n, _, err := s.Tries(t.Context(), fmt.Sprint(i)); err != nil || (n == 1) != (i > 2) {
			t.Errorf("%d: %d, %v", i, n, err)
		}
	}
}

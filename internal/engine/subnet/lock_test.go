//go:build linux

package subnet

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneAfterTheOther(t *testing.T) {
	l := turnstile{dirs: []string{t.TempDir()}, patience: time.Minute}
	var wg sync.WaitGroup
	var inside, passed atomic.Int32
	for range 8 {
		wg.Go(func() {
			for range 5 {
				err := l.pass(t.Context(), func() error {
					if n := inside.Add(1); n != 1 {
						t.Errorf("%d are inside", n)
					}
					time.Sleep(time.Millisecond) // room for others to come in
					inside.Add(-1)
					passed.Add(1)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if passed := passed.Load(); passed != 40 {
		t.Errorf("%d have passed, want 40", passed)
	}
}

func TestNobodyWaitsForEver(t *testing.T) {
	l := turnstile{dirs: []string{t.TempDir()}, patience: time.Minute}
	synctest.Test(t, func(t *testing.T) {
		err := l.pass(t.Context(), func() error {
			start := time.Now()
			err := l.pass(t.Context(), unreachable(t))
			if err == nil || !strings.Contains(err.Error(), "another server") || time.Since(start) != l.patience {
				t.Errorf("after %s: %v, want the reason after %s", time.Since(start), err, l.patience)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := l.pass(ctx, unreachable(t)); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want the end of the context", err)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func unreachable(t *testing.T) func() error {
	return func() error {
		t.Error("two are inside")
		return nil
	}
}

func TestAnErrorFromInsideComesOutAsItIs(t *testing.T) {
	l := turnstile{dirs: []string{t.TempDir()}, patience: time.Minute}
	fault := errors.New("fault")
	for range 2 { // and leaves the lock open
		if err := l.pass(t.Context(), func() error { return fault }); err != fault { //nolint:errorlint // that is the point
			t.Errorf("got %v", err)
		}
	}
}

func TestADirectoryThatCannotBeUsedIsFollowedByTheNext(t *testing.T) {
	dir := t.TempDir()
	missing := filepath.Join(dir, "missing")
	called := false
	inside := func() error { called = true; return nil }
	if err := (turnstile{dirs: []string{missing, dir}, patience: time.Minute}).pass(t.Context(), inside); err != nil || !called {
		t.Errorf("called %v: %v", called, err)
	}
	if err := (turnstile{dirs: []string{missing}}).pass(t.Context(), unreachable(t)); err == nil {
		t.Error("there is no lock, and no error")
	}
}

package certs

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
)

func newTestShelf(t *testing.T) *shelf {
	t.Helper()
	c := config(t, database(t))
	return newShelf(vault{c.Store, c.Box})
}

func TestTheShelfIsADirectoryTree(t *testing.T) {
	s, ctx := newTestShelf(t), t.Context()
	for _, key := range []string{"ca/users/a/key", "ca/users/a/reg", "ca/users/b/key", "ca/usersx", "top"} {
		must(t, s.Store(ctx, key, []byte("value of "+key)))
	}
	if value, err := s.Load(ctx, "top"); err != nil || string(value) != "value of top" {
		t.Errorf("%q, %v", value, err)
	}
	for _, dir := range []string{"ca", "ca/users", "ca/users/none"} {
		if _, err := s.Load(ctx, dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("load %s: %v", dir, err)
		}
	}
	lists := map[string][]string{
		"ca/users": {"ca/users/a", "ca/users/b"}, "ca": {"ca/users", "ca/usersx"}, "": {"ca", "top"},
	}
	for dir, want := range lists {
		if got, err := s.List(ctx, dir, false); err != nil || !slices.Equal(got, want) {
			t.Errorf("list %q: %v, %v", dir, got, err)
		}
	}
	if got, err := s.List(ctx, "ca/users", true); err != nil || !slices.Equal(got, []string{"ca/users/a/key", "ca/users/a/reg", "ca/users/b/key"}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := s.List(ctx, "nowhere", true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if info, err := s.Stat(ctx, "top"); err != nil || !info.IsTerminal || info.Size != 12 || info.Modified.IsZero() {
		t.Errorf("%+v, %v", info, err)
	}
	if info, err := s.Stat(ctx, "ca/users"); err != nil || info.IsTerminal {
		t.Errorf("%+v, %v", info, err)
	}
	must(t, s.Delete(ctx, "ca/users"))
	must(t, s.Delete(ctx, "ca/users"))
	if s.Exists(ctx, "ca/users/a/key") || s.Exists(ctx, "ca/users") || !s.Exists(ctx, "ca/usersx") || !s.Exists(ctx, "ca") {
		t.Error("too much or too little is left")
	}
}

func TestALockHasOneHolder(t *testing.T) {
	s := newTestShelf(t)
	var holders atomic.Int64
	var g errgroup.Group
	for range 20 {
		g.Go(func() error {
			if err := s.Lock(context.Background(), "account"); err != nil {
				return err
			}
			if n := holders.Add(1); n != 1 {
				t.Errorf("%d hold it", n)
			}
			holders.Add(-1)
			return s.Unlock(context.Background(), "account")
		})
	}
	must(t, g.Wait())
	must(t, s.Lock(t.Context(), "account"))
	ended, end := context.WithCancel(t.Context())
	end()
	if err := s.Lock(ended, "account"); !errors.Is(err, context.Canceled) {
		t.Errorf("a wait that was given up: %v", err)
	}
	must(t, s.Lock(t.Context(), "other"))
}

func TestALockOfAKilledProcessHindersNobody(t *testing.T) {
	s := newTestShelf(t)
	must(t, s.Lock(t.Context(), "account"))
	next := newShelf(s.vault) // on the same store
	must(t, next.Lock(t.Context(), "account"))
}

func TestAValueCannotBeTakenForAnother(t *testing.T) {
	s, ctx := newTestShelf(t), t.Context()
	must(t, s.Store(ctx, "one", []byte("secret")))
	sealed, changed, _, err := s.vault.store.Certificate(ctx, accounts+"one")
	must(t, err)
	must(t, s.vault.store.KeepCertificate(ctx, accounts+"two", sealed, changed))
	if value, err := s.Load(ctx, "two"); err == nil {
		t.Errorf("%q was read under another key", value)
	}
}

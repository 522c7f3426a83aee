package certs

import (
	"context"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/caddyserver/certmagic"
)

// shelf is the part of the store that is certmagic's. Its locks are in memory: one process has the database, so that
// nothing is left locked by one that was killed.
type shelf struct {
	vault vault
	mu    sync.Mutex
	locks map[string]chan struct{} // closed when the lock is free again
}

func newShelf(v vault) *shelf { return &shelf{vault: v, locks: map[string]chan struct{}{}} }

func (s *shelf) Store(ctx context.Context, key string, value []byte) error {
	return s.vault.keep(ctx, accounts+key, value)
}

func (s *shelf) Load(ctx context.Context, key string) ([]byte, error) {
	value, _, ok, err := s.vault.open(ctx, accounts+key)
	if err == nil && !ok {
		return nil, fs.ErrNotExist
	}
	return value, err
}

// Delete removes a key, or all below it.
func (s *shelf) Delete(ctx context.Context, key string) error {
	below, err := s.below(ctx, key)
	if err != nil {
		return err
	}
	return s.vault.store.ForgetCertificates(ctx, append(below, accounts+key)...)
}

func (s *shelf) Exists(ctx context.Context, key string) bool {
	_, err := s.Stat(ctx, key)
	return err == nil
}

// List gives the keys below a directory, and without recursive those of its entries.
func (s *shelf) List(ctx context.Context, dir string, recursive bool) ([]string, error) {
	below, err := s.below(ctx, dir)
	if err != nil {
		return nil, err
	}
	var keys []string
	for _, key := range below {
		key = strings.TrimPrefix(key, accounts)
		if !recursive {
			rest := strings.TrimPrefix(strings.TrimPrefix(key, dir), "/")
			entry, _, _ := strings.Cut(rest, "/")
			key = path.Join(dir, entry)
		}
		if len(keys) == 0 || keys[len(keys)-1] != key { // they come sorted
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fs.ErrNotExist
	}
	return keys, nil
}

func (s *shelf) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	value, changed, ok, err := s.vault.open(ctx, accounts+key)
	if err != nil {
		return certmagic.KeyInfo{}, err
	}
	if ok {
		return certmagic.KeyInfo{Key: key, Modified: changed, Size: int64(len(value)), IsTerminal: true}, nil
	}
	below, err := s.below(ctx, key)
	if err == nil && len(below) == 0 {
		err = fs.ErrNotExist
	}
	return certmagic.KeyInfo{Key: key}, err
}

func (s *shelf) below(ctx context.Context, dir string) ([]string, error) {
	prefix := accounts
	if dir != "" {
		prefix += dir + "/"
	}
	return s.vault.store.CertificateKeys(ctx, prefix)
}

func (s *shelf) Lock(ctx context.Context, name string) error {
	for {
		s.mu.Lock()
		taken, ok := s.locks[name]
		if !ok {
			s.locks[name] = make(chan struct{})
			s.mu.Unlock()
			return nil
		}
		s.mu.Unlock()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-taken:
		}
	}
}

func (s *shelf) Unlock(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if taken, ok := s.locks[name]; ok {
		close(taken)
		delete(s.locks, name)
	}
	return nil
}

var _ certmagic.Storage = (*shelf)(nil)

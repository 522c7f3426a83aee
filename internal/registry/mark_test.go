package registry_test

import (
	"errors"
	"testing"

	"github.com/setopsco/setops/internal/registry"
)

func TestAPlaceBelongsToTheInstallationThatWasThereFirst(t *testing.T) {
	marked := func(mark string, before bool) func(*registry.Config) {
		return func(c *registry.Config) { c.Mark, c.Marked = mark, before }
	}
	place := start(t, marked("one", false)).kept
	startIn(t, place, marked("one", true))
	startIn(t, place, marked("one", false)) // it crashed before it could note that it was here
	if err := openAs(t, place, marked("two", false)); !errors.Is(err, registry.ErrAnothers) {
		t.Fatalf("got %v", err)
	}
	if err := openAs(t, onDisk{t.TempDir()}, marked("one", true)); !errors.Is(err, registry.ErrElsewhere) {
		t.Fatalf("got %v", err)
	}
}

func openAs(t *testing.T, k kept, change func(*registry.Config)) error {
	t.Helper()
	h := newHouse()
	config := registry.Config{Secret: []byte(secret), Authenticator: h, Authorizer: h}
	k.configure(&config)
	change(&config)
	r, err := registry.New(t.Context(), config)
	if err == nil {
		err = r.Close()
	}
	return err
}

package storetest

import (
	"os"
	"testing"
	"time"
)

func TestMain(m *testing.M) { os.Exit(Run(m)) }

func TestAFreshStoreHasNothingAndAPlaceKeepsIt(t *testing.T) {
	ctx := t.Context()
	p := New(t)
	for _, want := range []string{"first", "first"} {
		s, err := p.Open(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if id, err := s.AddOrganization(ctx, want, "demo", time.Now()); err != nil || id != want {
			t.Errorf("the organization is %q, %v", id, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if id, err := Open(t).AddOrganization(ctx, "other", "demo", time.Now()); err != nil || id != "other" {
		t.Errorf("another place's organization is %q, %v", id, err)
	}
}

package daemon

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/pull"
	"github.com/setopsco/setops/internal/registry"
	"github.com/setopsco/setops/internal/setops"
)

// stages are those that there are, by id.
type stages map[string]setops.StageRef

func (s stages) StageRef(_ context.Context, id string) (setops.StageRef, bool, error) {
	ref, ok := s[id]
	return ref, ok, nil
}

func (stages) App(context.Context, string, string) (*setops.App, bool, error) { panic("not asked") }

func (stages) Member(context.Context, string, string) (setops.User, bool, error) {
	panic("not asked")
}

func puller(t *testing.T, key string) pullerPorts {
	t.Helper()
	p, err := withPuller(registryPorts{store: stages{
		"one": {ID: "one", Organization: "demo", Project: "shop", Name: "prod"},
		"two": {ID: "two", Organization: "demo", Project: "shop", Name: "test"},
	}}, []byte(key), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func isDenied(err error) bool { return errors.As(err, new(*registry.DeniedError)) }

func TestThePullerPullsAndDoesNothingElse(t *testing.T) {
	p := puller(t, "key")
	user, password, err := p.credentials(t.Context())
	if err != nil || len(password) < 32 {
		t.Fatal(password, err)
	}
	who, err := p.Authenticate(t.Context(), user, password)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Authorize(t.Context(), who, "demo/shop/prod/web", registry.Pull); err != nil {
		t.Error(err)
	}
	for _, action := range []registry.Action{registry.Push, registry.Delete} {
		if err := p.Authorize(t.Context(), who, "demo/shop/prod/web", action); !isDenied(err) {
			t.Errorf("%s: %v", action, err)
		}
	}
	_, other, _ := puller(t, "another").credentials(t.Context())
	for _, wrong := range []string{"", password[1:], other} {
		if _, err := p.Authenticate(t.Context(), user, wrong); !errors.Is(err, registry.ErrCredentials) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

func TestAStagesCredentialsPullItsOwnImagesFromEveryServer(t *testing.T) {
	user, password := puller(t, "key").stageCredentials(setops.StageRef{ID: "one"})
	p := puller(t, "key") // of another server
	who, err := p.Authenticate(t.Context(), user, password)
	if err != nil {
		t.Fatal(err)
	}
	for repository, pulled := range map[string]bool{"demo/shop/prod/web": true, "demo/shop/test/web": false, "other/shop/prod/web": false} {
		if err := p.Authorize(t.Context(), who, repository, registry.Pull); isDenied(err) == pulled || err != nil && pulled {
			t.Errorf("%s: %v", repository, err)
		}
	}
	if err := p.Authorize(t.Context(), who, "demo/shop/prod/web", registry.Push); !isDenied(err) {
		t.Errorf("push: %v", err)
	}
	for _, other := range []string{pull.Everything, pull.Stage("two")} {
		if _, err := p.Authenticate(t.Context(), other, password); !errors.Is(err, registry.ErrCredentials) {
			t.Errorf("%s: %v", other, err)
		}
	}
	delete(p.store.(stages), "one")
	if err := p.Authorize(t.Context(), who, "demo/shop/prod/web", registry.Pull); !isDenied(err) {
		t.Errorf("the stage is gone: %v", err)
	}
}

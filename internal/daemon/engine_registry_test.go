package daemon

import (
	"errors"
	"testing"

	"github.com/setopsco/setops/internal/registry"
)

func TestThePullerPullsAndDoesNothingElse(t *testing.T) {
	p := withPuller(registryPorts{})
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
		if err := p.Authorize(t.Context(), who, "demo/shop/prod/web", action); !errors.As(err, new(*registry.DeniedError)) {
			t.Errorf("%s: %v", action, err)
		}
	}
	for _, wrong := range []string{"", password[1:], withPuller(registryPorts{}).password} {
		if _, err := p.Authenticate(t.Context(), user, wrong); !errors.Is(err, registry.ErrCredentials) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

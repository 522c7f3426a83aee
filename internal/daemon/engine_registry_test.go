package daemon

import (
	"errors"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/registry"
)

func puller(t *testing.T, key string, now time.Time) pullerPorts {
	t.Helper()
	p, err := withPuller(registryPorts{}, []byte(key), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestThePullersPasswordIsThatOfTheKeyAndOfTheDay(t *testing.T) {
	now := time.Now()
	_, password, err := puller(t, "key", now).credentials(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for age, taken := range map[time.Duration]bool{-pullerTerm: true, 0: true, pullerTerm: true, 2 * pullerTerm: false, -2 * pullerTerm: false} {
		if _, err := puller(t, "key", now.Add(age)).Authenticate(t.Context(), pullerName, password); taken != (err == nil) {
			t.Errorf("after %s: %v", age, err)
		}
	}
}

func TestThePullerPullsAndDoesNothingElse(t *testing.T) {
	p := puller(t, "key", time.Now())
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
	for _, wrong := range []string{"", password[1:], puller(t, "another", time.Now()).password(0)} {
		if _, err := p.Authenticate(t.Context(), user, wrong); !errors.Is(err, registry.ErrCredentials) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

package daemon

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/setops"
)

func TestNodesPullFromWhereTheRegistryAnswersThem(t *testing.T) {
	for _, test := range []struct{ address, listen, https, want string }{
		{"registry.example.net", "10.0.0.1:5000", "0.0.0.0:443", "registry.example.net"},
		{"", "10.0.0.1:5000", "0.0.0.0:443", "10.0.0.1:5000"},
		{"", "", "0.0.0.0:443", "api.apps.example"},
		{"", "", "0.0.0.0:8443", "api.apps.example:8443"},
	} {
		c := valid()
		c.Engine, c.Domain, c.PodSecurity, c.RouterNetworks = kubernetesKind, "apps.example", podsRestricted, "10.0.0.0/8, 192.0.2.7"
		c.RegistryAddress, c.RegistryListen, c.HTTPSListen = test.address, test.listen, test.https
		if err := c.check(); err != nil {
			t.Fatal(err)
		}
		got := c.cluster()
		if got.Registry != test.want || got.Listen != test.listen || !got.Restricted(setops.StageRef{}) || !slices.Equal(got.Callers, []string{"10.0.0.0/8", "192.0.2.7/32"}) {
			t.Errorf("%+v: %+v", test, got)
		}
	}
}

func TestAClusterNeedsARegistryThatItsNodesReach(t *testing.T) {
	c := valid()
	c.Engine, c.HTTPSListen = kubernetesKind, ""
	if err := c.check(); err == nil || !strings.Contains(err.Error(), "--registry-address") {
		t.Errorf("got %v", err)
	}
}

func TestAClusterThatCannotBeHadIsNoEngine(t *testing.T) {
	away := errors.New("the cluster does not answer")
	m := machine(nil, nil)
	m.cluster = func(context.Context) error { return away }
	for wanted, owner := range map[string]string{kubernetesKind: "", auto: kubernetesKind} {
		if c, err := m.choose(t.Context(), wanted, ownedBy(t, owner), ""); !errors.Is(err, away) {
			t.Errorf("%s: %+v, %v", wanted, c, err)
		}
	}
}

package daemon

import (
	"strings"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/engine/kubernetes/isolation"
)

func TestWhatIsKnownOfAClusterIsShown(t *testing.T) {
	at := time.Date(2026, 11, 28, 9, 55, 48, 0, time.UTC)
	found := clusterAnswer{
		NetworkPolicies: isolation.Finding{Verdict: isolation.Unenforced, Reason: "a pod was reached", At: at}, NameServers: []string{"10.96.0.53", "fd00::53"},
	}
	for want, answer := range map[string]clusterAnswer{
		"Network Policies:  not enforced (a pod was reached; 2026-11-28T09:55:48Z)\nName Server:       10.96.0.53, fd00::53\n": found,
		"Network Policies:  being looked for\nName Server:       that of the cluster, which knows no private names\n":          {},
	} {
		var b strings.Builder
		if err := showCluster(&b, answer); err != nil || b.String() != want {
			t.Errorf("%v\n%s", err, b.String())
		}
	}
}

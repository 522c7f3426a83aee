//go:build linux

package system

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/setopsco/setops/internal/engine/kubernetes/meter"
	"github.com/setopsco/setops/pkg/api"
	"github.com/setopsco/setops/pkg/client"
)

// What a full cluster has, besides the app that is deployed: a thousand tasks, of apps that have as many as an app can.
const (
	crowdApps  = 62
	crowdTasks = 16
)

// mostAsked is how many requests a deploy may need, besides those for logs: one for each task of the app.
const mostAsked = 20

// TestADeployToSimulatedNodesAsksForTheSameHoweverFullTheyAre runs on simulated nodes, which run nothing: what counts is what is asked of
// the API, and not when.
func TestADeployToSimulatedNodesAsksForTheSameHoweverFullTheyAre(t *testing.T) {
	if os.Getenv("SETOPS_TEST_SIMULATED") == "" {
		t.Skip("SETOPS_TEST_SIMULATED does not say that SETOPS_TEST_KUBECONFIG leads to simulated nodes")
	}
	m, err := meter.Open(os.Getenv("SETOPS_TEST_KUBECONFIG"), t.TempDir())
	must(t, err)
	t.Cleanup(m.Close)
	t.Setenv("SETOPS_TEST_KUBECONFIG", m.Kubeconfig)
	s := openServer(t, "kubernetes", nil)

	st := s.newCrowd(t, "measured", 1)
	alone := st.fewest(t, m, 2)
	t.Run("crowds", func(t *testing.T) {
		t.Run("on a stage of their own", func(t *testing.T) {
			t.Parallel()
			s.newCrowd(t, "other", crowdApps/2)
		})
		t.Run("beside the app", func(t *testing.T) {
			t.Parallel()
			st.addCrowds(t, 1, 1+crowdApps/2)
		})
	})
	crowded := st.fewest(t, m, 4)
	t.Logf("alone: %s", alone)
	t.Logf("among %d apps of %d tasks: %s", crowdApps, crowdTasks, crowded)
	if crowded.String() != alone.String() {
		t.Errorf("a deploy asks for %s\nand where nothing else runs for %s", crowded, alone)
	}
	if alone.Sum() > mostAsked {
		t.Errorf("a deploy takes more than %d requests: %s", mostAsked, alone)
	}
	for what := range m.Counts() {
		if strings.HasPrefix(what, "list") && strings.HasSuffix(what, "of all namespaces") && !strings.Contains(what, "nodes") {
			t.Errorf("a whole cluster is listed: %s", what)
		}
	}
}

// newCrowd makes a stage with apps that have no checks.
func (s *server) newCrowd(t *testing.T, name string, apps int) *stage {
	t.Helper()
	st := &stage{server: s, ref: client.StageRef{ProjectRef: projectRef, Stage: name}}
	_, err := s.CreateStage(t.Context(), st.ref)
	must(t, err)
	st.addCrowds(t, 0, apps)
	return st
}

// addCrowds adds apps from one number to before another, some at a time: their tasks all start at once.
func (st *stage) addCrowds(t *testing.T, from, to int) {
	t.Helper()
	const some = 16
	for ; from < to; from += some {
		st.addCrowd(t, from, min(from+some, to))
	}
}

func crowdApp(i int) string { return fmt.Sprintf("app%d", i) }

// addCrowd adds them in one commit.
func (st *stage) addCrowd(t *testing.T, from, to int) {
	t.Helper()
	image, err := appImage()
	must(t, err)
	var create []api.Arguments
	for i := from; i < to; i++ {
		create = append(create, api.AppCreate{Name: crowdApp(i)}, api.ResourceSet{Name: crowdApp(i), Scale: new(crowdTasks)})
	}
	st.succeed(t, create...)
	var deploy []api.Arguments
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(8)
	for i := from; i < to; i++ {
		group.Go(func() error {
			commands := st.release(t, crowdApp(i), image, 1)
			mu.Lock()
			defer mu.Unlock()
			deploy = append(deploy, commands...)
			return nil
		})
	}
	must(t, group.Wait())
	st.succeed(t, deploy...)
}

// fewest is what a deploy needs, of two from a release on: where somebody else has written the same object meanwhile, it is asked again.
func (st *stage) fewest(t *testing.T, m *meter.Meter, release int) meter.Counts {
	t.Helper()
	one, other := st.deploys(t, m, release), st.deploys(t, m, release+1)
	if other.Sum() < one.Sum() {
		return other
	}
	return one
}

// deploys gives a stage's first app another release and counts what is asked of the cluster until nothing is left of the one
// before. Each task has a log that is followed: those come and go as the nodes have it.
func (st *stage) deploys(t *testing.T, m *meter.Meter, release int) meter.Counts {
	t.Helper()
	st.settles(t, release-1)
	before := m.Counts()
	image, err := appImage()
	must(t, err)
	st.succeed(t, st.release(t, crowdApp(0), image, release)...)
	st.settles(t, release)
	return m.Since(before).Without("watch", "pods/log")
}

// settles waits until nothing runs of a stage's first app but one release.
func (st *stage) settles(t *testing.T, release int) {
	t.Helper()
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(50 * time.Millisecond) {
		tasks, err := st.Tasks(t.Context(), st.app(crowdApp(0)))
		must(t, err)
		running, others := 0, []api.Task{}
		for _, task := range tasks {
			switch {
			case task.Release == release && task.Status == "RUNNING":
				running++
			case task.Status != "STOPPED":
				others = append(others, task)
			}
		}
		if running == crowdTasks && len(others) == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d tasks run of release %d, and others are left: %+v", running, release, others)
		}
	}
}

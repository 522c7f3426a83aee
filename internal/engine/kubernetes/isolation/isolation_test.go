package isolation

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	core "k8s.io/api/core/v1"
)

// quick is for the time of a bubble, and patient for that of a machine that is busy.
var (
	quick   = Timings{Settle: 100 * time.Millisecond, Pause: time.Millisecond}
	patient = Timings{Settle: time.Minute, Pause: time.Millisecond}
)

// port answers as its script says, + for a connection and - for none, the last one from then on.
func port(script string) func(context.Context) error {
	return func(context.Context) error {
		now := script[0]
		if len(script) > 1 {
			script = script[1:]
		}
		if now == '+' {
			return nil
		}
		return errors.New("no route")
	}
}

func TestAVerdictNeedsTheOtherPort(t *testing.T) {
	for _, c := range []struct {
		what, open, shut string
		want             Verdict
		reason           string
	}{
		{"only the open one is reached", "+", "-", Enforced, "not where none does"},
		{"both are", "+", "+", Unenforced, "that a policy forbids"},
		{"a policy needs a moment", "+", "+++++++++-", Enforced, "not where none does"},
		{"a new pod is reached by nobody for a moment", "----+", "-", Enforced, "not where none does"},
		{"a connection is lost", "+", "+--+--+", Unenforced, "that a policy forbids"},
		{"nothing is reached", "-", "-", Unknown, "is not reached where a policy allows it: no route"},
		{"nothing is reached any more", "+-", "++-", Unknown, "was reached at first"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f, err := judge(t.Context(), quick, port(c.open), port(c.shut))
			if err != nil {
				f = Finding{Verdict: Unknown, Reason: err.Error()}
			}
			if f.Verdict != c.want || !strings.Contains(f.Reason, c.reason) {
				t.Errorf("%s: %+v", c.what, f)
			}
		})
	}
}

func TestTheProgramOfAProbeTakesConnectionsAtBothPorts(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Listen(ctx) }()
	at := func(port int) func(context.Context) error {
		return func(ctx context.Context) error {
			return dial(ctx, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Minute)
		}
	}
	if err := reach(ctx, patient, at(OpenPort)); err != nil {
		t.Fatal(err)
	}
	f, err := judge(t.Context(), quick, at(OpenPort), at(ShutPort))
	if f.Verdict != Unenforced || err != nil {
		t.Errorf("on this machine: %+v, %v", f, err)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if at(OpenPort)(t.Context()) == nil {
		t.Error("it listens on")
	}
}

func TestAPodThatDoesNotRunSaysWhy(t *testing.T) {
	waiting := core.ContainerStatus{State: core.ContainerState{Waiting: &core.ContainerStateWaiting{Reason: "ErrImagePull", Message: "not found"}}}
	running := core.ContainerStatus{State: core.ContainerState{Running: &core.ContainerStateRunning{}}}
	for why, status := range map[string]core.PodStatus{
		"it is Pending":              {Phase: core.PodPending},
		"Unschedulable no node fits": {Conditions: []core.PodCondition{{Type: core.PodScheduled, Status: core.ConditionFalse, Reason: "Unschedulable", Message: "no node fits"}}},
		"ErrImagePull not found":     {ContainerStatuses: []core.ContainerStatus{waiting}},
		"":                           {ContainerStatuses: []core.ContainerStatus{running}, PodIP: "10.0.0.1"},
	} {
		address, got := listens(&core.Pod{Status: status})
		if got != why || (address == "10.0.0.1") != (why == "") {
			t.Errorf("%q and %q, not %q", address, got, why)
		}
	}
}

func TestAProbeHasTheImageOfTheServer(t *testing.T) {
	pod := &core.Pod{Spec: core.PodSpec{
		Containers:       []core.Container{{Name: "mesh", Image: "other"}, {Name: "setopsd", Image: "ours", Args: []string{"serve"}}},
		ImagePullSecrets: []core.LocalObjectReference{{Name: "pull"}},
	}}
	want := Program{Image: "ours", Args: []string{"listen"}, PullSecrets: []string{"pull"}}
	if got := of(pod, []string{"listen"}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	pod.Spec.Containers = pod.Spec.Containers[:1]
	if got := of(pod, nil); got.Image != "other" {
		t.Errorf("got %+v", got)
	}
}

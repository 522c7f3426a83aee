package kubernetes

import (
	"strings"
	"syscall"
	"testing"

	core "k8s.io/api/core/v1"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/verdict"
)

func podOf(s core.ContainerStatus) *core.Pod {
	s.Name = object.Container
	return &core.Pod{Status: core.PodStatus{Phase: core.PodRunning, ContainerStatuses: []core.ContainerStatus{s}}}
}

func state(kind string, code int32, reason, message string) (s core.ContainerState) {
	switch kind {
	case "waiting":
		s.Waiting = &core.ContainerStateWaiting{Reason: reason, Message: message}
	case "running":
		s.Running = &core.ContainerStateRunning{}
	case "ended":
		s.Terminated = &core.ContainerStateTerminated{ExitCode: code, Reason: reason, Message: message}
	}
	return s
}

// A restart in place is the end of one task and the beginning of another.
func TestEachRunOfAContainerIsATask(t *testing.T) {
	for name, test := range map[string]struct {
		status core.ContainerStatus
		want   string
	}{
		"being made": {core.ContainerStatus{State: state("waiting", 0, "ContainerCreating", "")}, "0 waits"},
		"running":    {core.ContainerStatus{State: state("running", 0, "", "")}, "0 runs"},
		"ended":      {core.ContainerStatus{State: state("ended", 4, "Error", "")}, "0 ended"},
		"back-off": {
			core.ContainerStatus{State: state("waiting", 0, "CrashLoopBackOff", ""), LastTerminationState: state("ended", 4, "Error", "")},
			"0 ended, 1 waits",
		},
		"restarted": {
			core.ContainerStatus{State: state("running", 0, "", ""), RestartCount: 2, LastTerminationState: state("ended", 4, "Error", "")},
			"1 ended, 2 runs",
		},
		"ended again": {
			core.ContainerStatus{State: state("ended", 5, "Error", ""), RestartCount: 1, LastTerminationState: state("ended", 4, "Error", "")},
			"0 ended, 1 ended",
		},
	} {
		var got []string
		for _, r := range runsOf(podOf(test.status)) {
			how := "runs"
			if r.waits {
				how = "waits"
			}
			if r.exit != nil {
				how = "ended"
			}
			got = append(got, string(rune('0'+r.index))+" "+how)
		}
		if s := strings.Join(got, ", "); s != test.want {
			t.Errorf("%s: %s, want %s", name, s, test.want)
		}
	}
}

func TestAPodThatEndsBeforeItBeganSaysWhy(t *testing.T) {
	pod := &core.Pod{Status: core.PodStatus{Phase: core.PodFailed, Reason: "Evicted", Message: "The node was low on memory."}}
	runs := runsOf(pod)
	if len(runs) != 1 || runs[0].exit == nil || runs[0].exit.Unrun != "Evicted The node was low on memory." {
		t.Errorf("got %+v", runs)
	}
}

func TestHowAContainerEndedIsReadFromItsState(t *testing.T) {
	const unstarted = `failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: ` +
		`unable to start container process: exec: "/nothing/here": stat /nothing/here: no such file or directory: unknown`
	for name, test := range map[string]struct {
		state core.ContainerState
		want  verdict.Exit
	}{
		"by itself":     {state("ended", 3, "Error", ""), verdict.Exit{Code: 3}},
		"by SIGTERM":    {state("ended", 143, "Error", ""), verdict.Exit{Code: 143}},
		"killed":        {state("ended", 137, "Error", ""), verdict.Exit{Code: 137, Signal: syscall.SIGKILL}},
		"out of memory": {state("ended", 137, "OOMKilled", ""), verdict.Exit{Code: 137, Signal: syscall.SIGKILL, OOMKilled: true}},
		"lost":          {state("ended", 137, "ContainerStatusUnknown", ""), verdict.Exit{Code: 137, Signal: syscall.SIGKILL, Lost: true}},
		"never run": {
			state("ended", 128, "StartError", unstarted),
			verdict.Exit{Code: 128, Unrun: `exec: "/nothing/here": stat /nothing/here: no such file or directory`},
		},
	} {
		if got := exitOf(test.state.Terminated); got != test.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestTasksHaveIdsOfTheirOwn(t *testing.T) {
	const uid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
	first, second := taskID(uid, 0), taskID(uid, 1)
	if first != "0f1e2d3c4b5a69788796a5b4c3d2e1f0" || len(second) != 32 || second == first || taskID(uid, 1) != second {
		t.Errorf("%s, then %s", first, second)
	}
}

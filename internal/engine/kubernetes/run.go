package kubernetes

import (
	"strings"
	"syscall"
	"time"

	core "k8s.io/api/core/v1"

	"github.com/setopsco/setops/internal/engine/kubernetes/object"
	"github.com/setopsco/setops/internal/engine/verdict"
)

// run is what a pod says of one run of its container.
type run struct {
	index     int
	waits     bool // it has not begun: reason and message say what for
	reason    string
	message   string
	startedAt time.Time
	exit      *verdict.Exit // nil: it goes on
}

// runsOf reads them from a pod: the newest, and the one before it where that is known.
func runsOf(pod *core.Pod) []run {
	s := containerOf(pod)
	if s == nil {
		return []run{unbegun(pod, 0, "", "")}
	}
	n := int(s.RestartCount)
	var runs []run
	last := s.LastTerminationState.Terminated
	switch {
	case s.State.Running != nil:
		if n > 0 && last != nil {
			runs = append(runs, endedRun(n-1, last))
		}
		return append(runs, run{index: n, startedAt: s.State.Running.StartedAt.Time})
	case s.State.Terminated != nil:
		if n > 0 && last != nil {
			runs = append(runs, endedRun(n-1, last))
		}
		return append(runs, endedRun(n, s.State.Terminated))
	case last != nil:
		runs = append(runs, endedRun(n, last))
		n++
	}
	reason, message := "", ""
	if w := s.State.Waiting; w != nil {
		reason, message = w.Reason, w.Message
	}
	next := unbegun(pod, n, reason, message)
	if n > 0 && (next.exit != nil || pod.DeletionTimestamp != nil) {
		return runs // it will never be
	}
	return append(runs, next)
}

func containerOf(pod *core.Pod) *core.ContainerStatus {
	for i, s := range pod.Status.ContainerStatuses {
		if s.Name == object.Container {
			return &pod.Status.ContainerStatuses[i]
		}
	}
	return nil
}

// unbegun is a run that waits, or that will never be as its pod has ended.
func unbegun(pod *core.Pod, index int, reason, message string) run {
	r := run{index: index, waits: true, reason: reason, message: message}
	if p := pod.Status.Phase; p == core.PodFailed || p == core.PodSucceeded {
		why := strings.TrimSpace(pod.Status.Reason + " " + pod.Status.Message)
		if why == "" {
			why = "the cluster ended it before it began"
		}
		r.exit = &verdict.Exit{Unrun: why, At: time.Now()}
	}
	return r
}

func endedRun(index int, s *core.ContainerStateTerminated) run {
	exit := exitOf(s)
	return run{index: index, startedAt: s.StartedAt.Time, exit: &exit}
}

// deadly are signals that programs do not turn into an exit code of their own.
var deadly = []syscall.Signal{
	syscall.SIGKILL, syscall.SIGSEGV, syscall.SIGABRT, syscall.SIGBUS, syscall.SIGILL, syscall.SIGFPE, syscall.SIGTRAP, syscall.SIGSYS,
}

func exitOf(s *core.ContainerStateTerminated) verdict.Exit {
	e := verdict.Exit{Code: int(s.ExitCode), OOMKilled: s.Reason == "OOMKilled", At: s.FinishedAt.Time}
	switch s.Reason {
	case "StartError", "ContainerCannotRun":
		e.Unrun = unrunReason(s.Message)
	case "ContainerStatusUnknown":
		e.Lost = true
	}
	if why, ok := strings.CutPrefix(s.Message, object.Unrun); ok {
		e.Unrun = why
	}
	for _, signal := range deadly {
		if e.Unrun == "" && (e.Code == 128+int(signal) || s.Signal == int32(signal)) {
			e.Signal = signal
		}
	}
	return e
}

// unrunReason leaves out the names of all the programs that have passed an error on.
func unrunReason(message string) string {
	const said = "unable to start container process: "
	if i := strings.LastIndex(message, said); i >= 0 {
		message = message[i+len(said):]
	}
	message = strings.TrimSuffix(strings.TrimSpace(message), ": unknown")
	if message == "" {
		return "its program cannot be executed"
	}
	return message
}

// isReady reports whether the cluster sends requests to a pod.
func isReady(pod *core.Pod) bool {
	c := condition(pod, core.PodReady)
	return c != nil && c.Status == core.ConditionTrue
}

func condition(pod *core.Pod, kind core.PodConditionType) *core.PodCondition {
	for i, c := range pod.Status.Conditions {
		if c.Type == kind {
			return &pod.Status.Conditions[i]
		}
	}
	return nil
}

// exact gives a time that the cluster says in whole seconds. Where that was just now, now is nearer to it.
func exact(at time.Time) time.Time {
	if now := time.Now(); at.IsZero() || now.Sub(at) < 2*time.Second {
		return now.UTC()
	}
	return at.UTC()
}

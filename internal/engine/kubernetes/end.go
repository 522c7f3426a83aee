package kubernetes

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"

	"github.com/setopsco/setops/internal/engine/verdict"
	"github.com/setopsco/setops/internal/setops"
)

// ended takes in that a run of the container is over.
func (a *attendant) ended(t *task, r run) {
	exit := *r.exit
	if t.isHeldBack() && exit.Unrun == "" {
		exit.Unrun = "nobody was connected to it"
	}
	if !r.startedAt.IsZero() && exit.Unrun == "" {
		a.catchUp(t, r)
	}
	stopReason := a.e.stopReasonOf(t)
	told := stopReason != "" || a.pod != nil && a.pod.DeletionTimestamp != nil
	reason, cause := exit.Reason(t.memory), exit.Cause(t.memory)
	sick := ""
	switch {
	case stopReason != "":
		reason = stopReason
		a.explainKill(t, exit)
	case told:
		reason = a.deletionReason()
		a.explainKill(t, exit)
	case t.gen != nil && a.isChecked(t) && exit.Unrun == "":
		if sick = a.sickness(t); sick != "" {
			reason, cause = sick, sick
		}
	}
	exit.At = exact(exit.At)
	a.close(t, exit, reason, told, a.failureOf(t, exit, sick))
	a.followed(cause)
}

// catchUp goes through the states that the cluster did not show as the task ended at once.
func (a *attendant) catchUp(t *task, r run) {
	if !toStart(t.Status) {
		return
	}
	a.e.change(t, func(n *setops.Task) {
		n.Status, n.Reason, n.StartedAt = setops.Activating, "", exact(r.startedAt)
		if n.OneOff() {
			n.Status = setops.Running
		}
	}, nil)
}

// failureOf is why a task of a generation never got ready; nil where it did, or was told to end.
func (a *attendant) failureOf(t *task, exit verdict.Exit, sick string) *verdict.Failure {
	if t.gen == nil || t.Status == setops.Running || a.e.stopReasonOf(t) != "" {
		return nil
	}
	f := exit.Failure(t.memory)
	if sick != "" {
		f = &verdict.Failure{Check: verdict.CheckContainer, Cause: sick, Final: true}
		if last := a.checks.lastOf(t); last != nil {
			f.Last = last.Answer
		}
	}
	return f
}

// explainKill says it in the log where a task did not end in time.
func (a *attendant) explainKill(t *task, exit verdict.Exit) {
	if exit.Signal == 0 || exit.OOMKilled || a.pod == nil || a.pod.DeletionTimestamp == nil {
		return
	}
	if exit.At.Sub(a.sigtermAt()) >= t.stopTimeout-time.Second {
		a.e.tell(t, fmt.Sprintf("killed: it did not end within %s of SIGTERM", t.stopTimeout))
	}
}

// close is DEPROVISIONING, and STOPPED when all that the task wrote is in its log.
func (a *attendant) close(t *task, exit verdict.Exit, reason string, told bool, f *verdict.Failure) {
	e := a.e
	if told && t.Status == setops.Deactivating {
		e.change(t, func(n *setops.Task) { n.Status = setops.Stopping }, nil)
	}
	e.change(t, func(n *setops.Task) {
		n.Status, n.Desired, n.Reason = setops.Deprovisioning, setops.Stopped, setops.Printable(reason)
		n.Told, n.Fault = n.Told || told, n.Fault || f != nil && f.Fault
		exit.Tell(n)
		if told && exit.Unrun != "" {
			n.Unrun = ""
		}
		if n.Health == setops.Unknown && f != nil && f.Check == verdict.CheckContainer || strings.HasPrefix(reason, sickPrefix) {
			n.Health = setops.Unhealthy
		}
	}, func() {
		if f != nil && !t.judged {
			t.blame(*f, true)
		}
	})
	close(t.ended)
	if t.cut != nil {
		time.AfterFunc(lastWords, t.cut)
	}
	wasRun := exit.Unrun == "" && !t.StartedAt.IsZero()
	if wasRun {
		a.ship(t)
	}
	a.beside.Go(func() { e.finish(t) })
}

// finish waits for the log and says STOPPED last.
func (e *Engine) finish(t *task) {
	if !t.await(e.ctx) {
		return
	}
	e.change(t, func(n *setops.Task) { n.Status = setops.Stopped }, func() {
		if g := t.gen; g != nil {
			delete(g.tasks, t.ID)
			e.forgetIfGone(g)
		}
	})
	if t.log != nil {
		t.log.Close() //nolint:errcheck // every line was written by then
	}
	close(t.done)
}

// endUnrun ends a task that was told to before it began.
func (a *attendant) endUnrun(t *task) {
	a.close(t, verdict.Exit{Unrun: "it was told to end before it began", At: time.Now()}, a.e.stopReasonOf(t), true, nil)
}

// sickPrefix begins what is said of a task that the cluster ended for its container health check.
const sickPrefix = verdict.CheckContainer + " failed"

// probeFailed is how the cluster says that a check did not pass.
var probeFailed = regexp.MustCompile(`(?s)^(Liveness|Startup) probe (?:failed|errored[^:]*): *(.*)$`)

// sickness says what made the cluster end a task for its container health check; empty: it was something else. The pod's
// state does not tell, but its events do.
func (a *attendant) sickness(t *task) string {
	events, err := a.e.events(a.pod.Namespace, "involvedObject.uid", string(a.pod.UID))
	if err != nil {
		a.e.cfg.Logger.Warn("it is not known whether a task was ended for its health", "task", t.ID, "error", err)
		return ""
	}
	killed, said := false, ""
	for _, event := range events {
		if lastSeen(event).Before(t.StartedAt.Add(-time.Second)) {
			continue
		}
		killed = killed || event.Reason == "Killing" &&
			(strings.Contains(event.Message, "failed liveness probe") || strings.Contains(event.Message, "failed startup probe"))
		if m := probeFailed.FindStringSubmatch(event.Message); event.Reason == "Unhealthy" && m != nil {
			said = setops.Excerpt(strings.TrimSpace(m[2]))
		}
	}
	if !killed {
		return ""
	}
	if last := a.checks.lastOf(t); last != nil {
		said = last.Error()
	}
	return strings.TrimSuffix(fmt.Sprintf("%s %d times: %s", sickPrefix, max(a.e.settings(t).HealthCheck.Retries, 1), said), ": ")
}

// events gives those of one object.
func (e *Engine) events(namespace, field, value string) ([]core.Event, error) {
	selector := fields.OneTermEqualSelector(field, value).String()
	found, err := e.api.Core.Events(namespace).List(e.ctx, meta.ListOptions{FieldSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list events: %w", err)
	}
	return found.Items, nil
}

// isChecked reports whether a task's generation has a container health check.
func (a *attendant) isChecked(t *task) bool {
	g := a.e.settings(t)
	return g != nil && g.HealthCheck != nil
}

func lastSeen(e core.Event) time.Time {
	if !e.LastTimestamp.IsZero() {
		return e.LastTimestamp.Time
	}
	return e.EventTime.Time
}

//go:build linux

package system

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/setopsco/setops/pkg/api"
)

// The nodes of the cluster.
const kept, lost = "node1", "node2"

// A node loses its power: what ran on it is replaced on the other one, or ends, requests go on, and so do commits. How long that
// takes is the cluster's own: after 50 s it takes the node for lost.
func TestANodeThatDisappears(t *testing.T) {
	b := onCluster(t)
	st := b.newStageOn(t, kept, "pair")
	b.only(t, lost, func() { st.succeed(t, api.ResourceSet{Name: "web", Scale: new(2)}) })
	gone := b.taskOn(t, st, lost)
	run := b.runOn(t, lost, st)
	replaced, destroyed := b.newStageOn(t, lost, "replaced"), b.newStageOn(t, lost, "destroyed")
	fails, moves := b.newStageOn(t, kept, "fails"), b.newStageOn(t, kept, "moves")

	must(t, b.cluster.Lose(lost))
	back := sync.OnceFunc(func() { must(t, b.cluster.Restart(context.WithoutCancel(t.Context()), lost)) })
	t.Cleanup(back)
	watching := []func(){st.watch(t, "web"), fails.watch(t, "web")}
	must(t, st.StopTask(t.Context(), st.app("web"), run))
	destruction := make(chan error, 1)
	go func() { destruction <- b.DestroyStage(context.WithoutCancel(t.Context()), destroyed.ref) }()
	failed, moved := b.beginOn(t, lost, fails, shortTimeout), b.beginOn(t, lost, moves, 120) // the cluster does not know yet
	b.only(t, kept, func() { replaced.succeed(t, anew()) })

	if _, p := moved(); p.State != "done" {
		t.Errorf("the commit whose task has to begin on another node: %+v", p.Failure)
	}
	until(t, "two tasks serve without the node", func(ctx context.Context) error {
		by, err := st.tasksOf(ctx, "web")
		if err == nil && (len(by["RUNNING"]) != 2 || has(by["RUNNING"], gone)) {
			err = fmt.Errorf("the tasks are %+v", by)
		}
		return err
	})
	must(t, <-destruction)
	st.hasEnded(t, run, "stopped by a user")
	st.hasEnded(t, gone, "stopped: its node does not answer")
	if _, p := failed(); p.State != "failed" || !strings.Contains(p.Failure.Message, "node "+lost) {
		t.Errorf("the commit whose task had no time to begin on another node: %s, %+v", p.State, p.Failure)
	}
	for _, stop := range watching {
		stop()
	}

	back()
	b.only(t, lost, func() { st.succeed(t, anew()) })
	until(t, "nothing of what ended is left", func(ctx context.Context) error { return b.leavesNothing(ctx) })
}

// only has the cluster begin on one node what begins meanwhile.
func (b *broken) only(t *testing.T, node string, do func()) {
	t.Helper()
	nodes, err := b.api.Core.Nodes().List(t.Context(), meta.ListOptions{})
	must(t, err)
	closed := func(is bool) {
		for _, n := range nodes.Items {
			if n.Name != node {
				patch := fmt.Appendf(nil, `{"spec":{"unschedulable":%t}}`, is)
				_, err := b.api.Core.Nodes().Patch(context.WithoutCancel(t.Context()), n.Name, types.MergePatchType, patch, meta.PatchOptions{})
				must(t, err)
			}
		}
	}
	closed(true)
	defer closed(false)
	do()
}

func (b *broken) newStageOn(t *testing.T, node, name string) (st *stage) {
	t.Helper()
	b.only(t, node, func() { st = b.newStage(t, name, "web") })
	return st
}

// runOn begins a one-off task, and gives its id when it runs.
func (b *broken) runOn(t *testing.T, node string, st *stage) (id string) {
	t.Helper()
	b.only(t, node, func() {
		task, err := st.RunTask(t.Context(), st.app("web"), api.RunTask{Arguments: []string{"sleep=1h"}})
		must(t, err)
		id = task.ID
		until(t, "the one-off task runs", func(ctx context.Context) error { return st.is(ctx, id, "RUNNING") })
	})
	return id
}

// beginOn begins a commit whose new task is to begin there, and gives what waits for the commit's end.
func (b *broken) beginOn(t *testing.T, node string, st *stage, startTimeout int) (end func() (string, api.Progress)) {
	t.Helper()
	change := anew()
	change.StartTimeout = new(startTimeout)
	b.only(t, node, func() {
		end = st.begin(t, change)
		until(t, "a task has its node", func(ctx context.Context) error {
			by, err := st.tasksOf(ctx, "web")
			if err == nil && len(by["PENDING"]) == 0 {
				err = fmt.Errorf("the tasks are %+v", by)
			}
			return err
		})
	})
	return end
}

// taskOn gives the task of web that runs there.
func (b *broken) taskOn(t *testing.T, st *stage, node string) string {
	t.Helper()
	pods, err := b.api.Core.Pods(b.namespaceOf(t, st)).List(t.Context(), meta.ListOptions{FieldSelector: "spec.nodeName=" + node})
	must(t, err)
	if len(pods.Items) != 1 {
		t.Fatalf("on %s are %d pods of stage %s", node, len(pods.Items), st.ref.Stage)
	}
	return strings.ReplaceAll(string(pods.Items[0].UID), "-", "")
}

// leavesNothing gives an error while a pod of ours is still to end.
func (b *broken) leavesNothing(ctx context.Context) error {
	pods, err := b.api.Core.Pods("").List(ctx, meta.ListOptions{LabelSelector: "app.kubernetes.io/managed-by=setops"})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp != nil {
			return fmt.Errorf("pod %s of %s is there", pod.Name, pod.Namespace)
		}
	}
	return nil
}

func has(tasks []api.Task, id string) bool {
	return slices.ContainsFunc(tasks, func(one api.Task) bool { return one.ID == id })
}

// is gives an error unless a task is in that state.
func (st *stage) is(ctx context.Context, id, status string) error {
	one, err := st.Task(ctx, st.app("web"), id)
	if err == nil && one.Status != status {
		err = fmt.Errorf("it is %+v", one)
	}
	return err
}

// hasEnded waits for the end of a task of which nobody knows how it ended.
func (st *stage) hasEnded(t *testing.T, id, reason string) {
	t.Helper()
	until(t, "the task has ended", func(ctx context.Context) error { return st.is(ctx, id, "STOPPED") })
	one, err := st.Task(t.Context(), st.app("web"), id)
	must(t, err)
	if one.Reason != reason || one.ExitCode != nil {
		t.Errorf("of the lost task is said %+v", one)
	}
}

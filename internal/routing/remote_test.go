package routing

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/setopsco/setops/internal/setops"
)

// remote notes what routers of other processes are told.
type remote struct {
	mu    sync.Mutex
	told  []string
	fault error
}

func (r *remote) note(text string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, text)
	return r.fault
}

func (r *remote) Set(owner string, routes Routes) {
	_ = r.note("set " + owner + strings.Repeat(" app", len(routes.Apps)))
}

func (r *remote) Drain(_ context.Context, owner, id string) error {
	return r.note("drain " + owner + " " + id)
}

func (r *remote) Reached(_ context.Context, owner string) error { return r.note("reached " + owner) }

func TestASwitchEndsWhenOtherRoutersHaveSwitched(t *testing.T) {
	w, table := public()
	r := &remote{}
	table.Remote = r
	refresh(t, table)
	table.TasksChanged(t.Context(), "s1")
	if want := []string{"set s1 app app", "reached s1", "set s1 app app"}; !slices.Equal(r.told, want) {
		t.Errorf("told %q", r.told)
	}
	if w.sets != 2 {
		t.Errorf("the router of this process was told %d times", w.sets)
	}
	table.Remove("s1")
	if last := r.told[len(r.told)-1]; last != "set s1" {
		t.Errorf("told %q", r.told)
	}
}

func TestRoutersThatDoNotAnswerDoNotTakeASwitchBack(t *testing.T) {
	_, table := public()
	table.Remote = &remote{fault: errors.New("a router does not answer")}
	refresh(t, table)
}

func TestATaskIsDrainedInAllRouters(t *testing.T) {
	w, table := public()
	r := &remote{}
	table.Remote = r
	refresh(t, table)
	w.tasks[0].Status = setops.Deactivating
	if err := table.Drain(t.Context(), w.tasks[0]); err != nil {
		t.Error(err)
	}
	if want := []string{"set s1 app app", "reached s1", "set s1 app app", "drain s1 t1"}; !slices.Equal(r.told, want) || !slices.Equal(w.drains, []string{"t1 after 2 sets"}) {
		t.Errorf("told %q, and here %q", r.told, w.drains)
	}
	r.fault = errors.New("a router does not answer")
	if err := table.Drain(t.Context(), w.tasks[0]); !errors.Is(err, r.fault) {
		t.Errorf("%v", err)
	}
}

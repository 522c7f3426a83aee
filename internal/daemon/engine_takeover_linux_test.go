package daemon

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/setopsco/setops/internal/engine/host"
)

// leftBehind is what another engine has left.
type leftBehind struct {
	host.Runtime
	containers []host.Found
	stages     []string
	removed    []string
}

func (l *leftBehind) List(context.Context) ([]host.Found, error) { return l.containers, nil }
func (l *leftBehind) Networks(context.Context) ([]string, error) { return l.stages, nil }
func (l *leftBehind) Remove(_ context.Context, id string) error {
	l.removed = append(l.removed, id)
	return nil
}

func (l *leftBehind) RemoveNetwork(_ context.Context, id string) error {
	l.removed = append(l.removed, id)
	return nil
}

func TestTasksThatRunKeepTheirEngine(t *testing.T) {
	l := &leftBehind{containers: []host.Found{{ID: "ended"}, {ID: "up", Running: true}, {ID: "up too", Running: true}}, stages: []string{"prod"}}
	err := vacate(t.Context(), l, embeddedKind)
	if err == nil || !strings.Contains(err.Error(), "2 tasks run on it; start setopsd with --engine embedded") || len(l.removed) > 0 {
		t.Errorf("%v, removed %v", err, l.removed)
	}
}

func TestWhatHasEndedGoesWithItsEngine(t *testing.T) {
	l := &leftBehind{containers: []host.Found{{ID: "ended"}}, stages: []string{"prod", "staging"}}
	if err := vacate(t.Context(), l, dockerKind); err != nil || !slices.Equal(l.removed, []string{"ended", "prod", "staging"}) {
		t.Errorf("%v, removed %v", err, l.removed)
	}
}

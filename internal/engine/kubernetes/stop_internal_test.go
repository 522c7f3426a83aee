package kubernetes

import (
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A node that has ended a pod deletes it without grace, and both may be heard of at once.
func TestWhenAPodIsToldToEndDoesNotChangeOnceItHasEnded(t *testing.T) {
	told := func(at time.Time, grace int64) *core.Pod {
		return &core.Pod{ObjectMeta: meta.ObjectMeta{DeletionTimestamp: &meta.Time{Time: at}, DeletionGracePeriodSeconds: &grace}}
	}
	began := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	a := &attendant{e: &Engine{}, pod: told(began.Add(31*time.Second), 31)}
	if at := a.sigtermAt(); !at.Equal(began) {
		t.Errorf("it is told at %s", at)
	}
	a.pod = told(began.Add(33*time.Second), 0)
	if at := a.sigtermAt(); !at.Equal(began) {
		t.Errorf("deleted at its end, it was told at %s", at)
	}
	a.pod = told(began, 1) // somebody is in more of a hurry
	if at := a.sigtermAt(); !at.Equal(began.Add(-time.Second)) {
		t.Errorf("told again, it is told at %s", at)
	}
}

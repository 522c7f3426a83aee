//go:build linux

package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestTheMedianOfAnEvenNumberIsBetweenTheTwoInTheMiddle(t *testing.T) {
	for want, samples := range map[time.Duration][]time.Duration{
		0: nil,
		3: {9, 1, 3},
		5: {100, 4, 6, 1},
	} {
		if got := median(samples); got != want {
			t.Errorf("median of %v is %d, want %d", samples, got, want)
		}
	}
}

func TestBothSidesTakeTurnsAndTheFirstRoundIsNotKept(t *testing.T) {
	var turns strings.Builder
	var kept samples
	side := func(name string) func(int) error {
		return func(round int) error {
			turns.WriteString(name)
			kept.keep(round, time.Duration(round))
			return nil
		}
	}
	if err := rounds(2, side("a"), side("b")); err != nil {
		t.Fatal(err)
	}
	if got := turns.String(); got != "ababab" {
		t.Errorf("turns were %s, want ababab", got)
	}
	if len(kept) != 4 || kept[0] != 0 {
		t.Errorf("kept %v, want the samples of two rounds", kept)
	}
}

func TestAMissedGoalIsSaidAndIsNoError(t *testing.T) {
	res := &result{}
	res.add(
		versus("slow", []time.Duration{60}, []time.Duration{100}, 0.5),
		versus("fast", []time.Duration{50}, []time.Duration{100}, 0.5),
		versus("not judged", []time.Duration{100}, []time.Duration{50}, 0),
	)
	if got, want := res.verdict(), "Goal missed: slow: 0.60, goal ≤ 0.5.\n"; got != want {
		t.Errorf("verdict is %q, want %q", got, want)
	}
	if err := res.complete(); err != nil {
		t.Errorf("complete is %v, want nil", err)
	}
}

func TestWhatWasNotMeasuredIsSaidAndIsAnError(t *testing.T) {
	res := &result{}
	res.leaveOut(measurement{name: "push", about: "push of a layer"}, errors.New("there is no disk"))
	if got, want := res.verdict(), "NOT MEASURED: push (push of a layer): there is no disk\n"; got != want {
		t.Errorf("verdict is %q, want %q", got, want)
	}
	if res.complete() == nil {
		t.Error("complete is nil, want an error")
	}
}

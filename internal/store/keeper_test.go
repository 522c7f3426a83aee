package store

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/setopsco/setops/internal/setops"
)

func server(name string, until time.Duration) setops.Keeper {
	return setops.Keeper{Machine: name, Instance: "cafe0001", Address: "http://" + name, Until: now.Add(until)}
}

func TestOfSeveralServersThatSawTheSameKeeperOneSucceedsIt(t *testing.T) {
	s := open(t)
	first := server("first", 0)
	if other, err := s.Succeed(t.Context(), first, setops.Keeper{}); err != nil || other != nil {
		t.Fatal(other, err)
	}
	var wg sync.WaitGroup
	var kept atomic.Int32
	for i := range 8 {
		wg.Go(func() {
			other, err := s.Succeed(t.Context(), server(fmt.Sprint(i), time.Second), first)
			if err != nil {
				t.Error(err)
			}
			if other == nil {
				kept.Add(1)
			}
		})
	}
	wg.Wait()
	if kept.Load() != 1 {
		t.Errorf("%d servers keep the tasks", kept.Load())
	}
	if other, err := s.Succeed(t.Context(), server("first", time.Minute), first); err != nil || other == nil {
		t.Errorf("who was succeeded does not hear of it: %v, %v", other, err)
	}
}

func TestAKeeperThatSaysSoAgainIsNotSucceeded(t *testing.T) {
	s := open(t)
	first := server("first", 0)
	for _, k := range []setops.Keeper{first, server("first", time.Second)} {
		if other, err := s.Succeed(t.Context(), k, setops.Keeper{}); err != nil || other != nil {
			t.Fatal(other, err)
		}
	}
	// However long that is ago by the clock of the other one.
	other, err := s.Succeed(t.Context(), server("second", time.Hour), first)
	if err != nil || other == nil || !other.Equal(server("first", time.Second)) {
		t.Errorf("%+v, %v", other, err)
	}
	stranger := server("second", time.Hour)
	stranger.Instance = "beef0002"
	if other, err := s.Succeed(t.Context(), stranger, server("first", time.Second)); err != nil || other == nil {
		t.Errorf("a server of another installation was let in: %v", err)
	}
}

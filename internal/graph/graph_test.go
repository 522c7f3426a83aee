package graph

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
)

func TestNodesRunAfterAllThatTheyNeed(t *testing.T) {
	var mu sync.Mutex
	var order []string
	nodes := []Node{{"switch", []string{"a", "b"}}, {"a", []string{"image"}}, {"b", []string{"image"}}, {"image", nil}}
	err := Walk(t.Context(), nodes, 4, func(_ context.Context, id string) error {
		mu.Lock()
		defer mu.Unlock()
		order = append(order, id)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(order) != 4 || order[0] != "image" || order[3] != "switch" {
		t.Fatalf("ran in order %v", order)
	}
}

func TestTheFirstErrorStopsWhatHasNotStarted(t *testing.T) {
	broken := errors.New("broken")
	var ran []string
	err := Walk(t.Context(), []Node{{"a", nil}, {"b", []string{"a"}}}, 1, func(_ context.Context, id string) error {
		ran = append(ran, id)
		return broken
	})
	if !errors.Is(err, broken) || !slices.Equal(ran, []string{"a"}) {
		t.Fatalf("got %v after %v", err, ran)
	}
}

func TestAnErrorCancelsWhatRunsBesideIt(t *testing.T) {
	broken := errors.New("broken")
	err := Walk(t.Context(), []Node{{"a", nil}, {"b", nil}}, 2, func(ctx context.Context, id string) error {
		if id == "a" {
			return broken
		}
		<-ctx.Done()
		return ctx.Err()
	})
	if !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
}

func TestACancelledWalkSaysSo(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := Walk(ctx, []Node{{"a", nil}}, 1, func(context.Context, string) error { t.Error("ran"); return nil })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
}

func TestBadGraphsAreRefused(t *testing.T) {
	for name, nodes := range map[string][]Node{
		"cycle":   {{"a", []string{"b"}}, {"b", []string{"a"}}},
		"unknown": {{"a", []string{"b"}}},
		"twice":   {{"a", nil}, {"a", nil}},
	} {
		if Check(nodes) == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

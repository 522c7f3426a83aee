// Package graph is an acyclic graph of named nodes and a walk over it that runs nodes in parallel as soon as all that
// they need is done. It knows nothing of what the nodes are.
package graph

import (
	"context"
	"fmt"
)

// Node is one piece of work; Needs are the ids of nodes that must be done before it.
type Node struct {
	ID    string
	Needs []string
}

// Check reports a node that needs an unknown one, an id that is there twice, or a cycle.
func Check(nodes []Node) error {
	_, err := build(nodes)
	return err
}

// Walk calls run for each node, at most parallel at a time, each after all that it needs. The first error stops new
// nodes from being started; Walk waits for those that run and returns it. When ctx ends, its error is returned likewise.
func Walk(ctx context.Context, nodes []Node, parallel int, run func(ctx context.Context, id string) error) error {
	g, err := build(nodes)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type result struct {
		id  string
		err error
	}
	results := make(chan result)
	ready, running, failed := g.roots(), 0, error(nil)
	for {
		for failed == nil && ctx.Err() == nil && len(ready) > 0 && running < parallel {
			id := ready[0]
			ready = ready[1:]
			running++
			go func() { results <- result{id, run(ctx, id)} }()
		}
		if running == 0 {
			break
		}
		r := <-results
		running--
		if r.err != nil {
			if failed == nil {
				failed = r.err
				cancel(r.err)
			}
			continue
		}
		ready = append(ready, g.done(r.id)...)
	}
	if failed != nil {
		return failed
	}
	return context.Cause(ctx)
}

// built is the graph in the form that a walk needs.
type built struct {
	order     []string            // ids as they came
	waits     map[string]int      // how many nodes each still needs
	dependant map[string][]string // who needs each
}

func build(nodes []Node) (*built, error) {
	g := &built{waits: make(map[string]int, len(nodes)), dependant: make(map[string][]string, len(nodes))}
	for _, n := range nodes {
		if _, twice := g.waits[n.ID]; twice {
			return nil, fmt.Errorf("node %s is there twice", n.ID)
		}
		g.waits[n.ID] = len(n.Needs)
		g.order = append(g.order, n.ID)
	}
	for _, n := range nodes {
		for _, need := range n.Needs {
			if _, known := g.waits[need]; !known {
				return nil, fmt.Errorf("node %s needs %s, which is not there", n.ID, need)
			}
			g.dependant[need] = append(g.dependant[need], n.ID)
		}
	}
	return g, g.acyclic()
}

func (g *built) roots() []string {
	var ids []string
	for _, id := range g.order {
		if g.waits[id] == 0 {
			ids = append(ids, id)
		}
	}
	return ids
}

// done takes a node off and gives those that wait for nothing any more.
func (g *built) done(id string) []string {
	var free []string
	for _, d := range g.dependant[id] {
		g.waits[d]--
		if g.waits[d] == 0 {
			free = append(free, d)
		}
	}
	return free
}

// acyclic walks a copy of the counts: a node that is never free is on a cycle or behind one.
func (g *built) acyclic() error {
	waits := make(map[string]int, len(g.waits))
	for id, n := range g.waits {
		waits[id] = n
	}
	reached, free := 0, g.roots()
	for len(free) > 0 {
		id := free[0]
		free = free[1:]
		reached++
		for _, d := range g.dependant[id] {
			if waits[d]--; waits[d] == 0 {
				free = append(free, d)
			}
		}
	}
	if reached == len(g.order) {
		return nil
	}
	for _, id := range g.order {
		if waits[id] > 0 {
			return fmt.Errorf("node %s needs itself in the end", id)
		}
	}
	return nil
}
